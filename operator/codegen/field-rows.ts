import type { ValidationRule } from '../api/fields.ts';
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

/** What every rule in a schema refuses, each once, in its order; a message that does not name its field gets the path. */
export function refusals(schema: Structural, path: string): readonly string[] {
  const own = (schema['x-kubernetes-validations'] ?? []) as unknown as readonly ValidationRule[];
  const inner = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => refusals(field, `${path}.${name}`));
  const nested = [schema.items, schema.additionalProperties].flatMap((each) => (each ? refusals(each, path) : []));
  return [...new Set([...own.map((rule) => refusal(rule, path)), ...inner, ...nested])];
}

function refusal({ message = '', fieldPath = '' }: ValidationRule, path: string): string {
  return message.startsWith('spec.') || message.startsWith('metadata.') ? message : `${path}${fieldPath}: ${message}`;
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
