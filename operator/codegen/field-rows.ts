import type { Structural } from './structural.ts';
import { cell } from './words.ts';

/** One row per field of a schema, in its order: path, type, default, meaning. */
export function fieldRows(schema: Structural, prefix = ''): readonly (readonly string[])[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const required = schema.required?.includes(name) ? ' (required)' : '';
    const row = [`\`${prefix}${name}\``, cell(typeOf(field)) + required, defaultOf(field), cell(field.description ?? '')];
    return [row, ...fieldRows(nested(field), `${prefix}${name}${suffix(field)}.`)];
  });
}

/** The messages of every rule in a schema, each once, in its order. */
export function ruleMessages(schema: Structural): readonly string[] {
  const own = (schema['x-kubernetes-validations'] ?? []) as readonly { readonly message?: string }[];
  const inner = [...Object.values(schema.properties ?? {}), schema.items, schema.additionalProperties];
  const all = [...own.map((rule) => rule.message ?? ''), ...inner.flatMap((each) => (each ? ruleMessages(each) : []))];
  return [...new Set(all)];
}

function nested(field: Structural): Structural {
  return field.items ?? field.additionalProperties ?? field;
}

function suffix(field: Structural): string {
  return field.items ? '[]' : field.additionalProperties ? '.*' : '';
}

function typeOf(field: Structural): string {
  if (field.enum) return (field.enum as readonly string[]).join(' | ');
  if (field.items) return `list of at most ${field.maxItems}: ${typeOf(field.items)}`;
  if (field.additionalProperties) return `map of at most ${field.maxProperties} to: ${typeOf(field.additionalProperties)}`;
  if (field.format === 'date-time') return 'time';
  if (field.type === 'integer') return `integer${range(field)}`;
  if (field.type === 'string') return `string of at most ${field.maxLength}`;
  return field.type ?? '';
}

function range(field: Structural): string {
  const { minimum, maximum } = field;
  if (minimum !== undefined && maximum !== undefined && maximum !== 2_147_483_647) return ` ${minimum} to ${maximum}`;
  return minimum === undefined ? '' : `, at least ${minimum}`;
}

function defaultOf(field: Structural): string {
  if (field.default === undefined) return '';
  return `\`${typeof field.default === 'string' ? field.default : JSON.stringify(field.default)}\``;
}
