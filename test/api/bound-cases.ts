import type { Structural } from '../../operator/codegen/structural.ts';
import type { JsonObject, JsonValue } from '../../operator/lib/json.ts';

/** Values at and beyond the bounds of a field, and the words the API server refuses the latter with. */
export interface BoundCase {
  readonly accepts: readonly JsonValue[];
  readonly refuses: readonly { readonly value: JsonValue; readonly says: string }[];
}

/** The cases of one field, from its own schema; `valid` is a value that keeps rules and patterns. */
export function boundCase(schema: Structural, valid: JsonValue): BoundCase {
  if (schema.enum) return { accepts: schema.enum as readonly JsonValue[], refuses: [{ value: 'Nonsense', says: 'Unsupported value' }] };
  if (schema.type === 'string') return strings(schema, valid);
  if (schema.type === 'integer') return integers(schema, valid);
  if (schema.type === 'array') return lists(schema, valid);
  if (schema.additionalProperties) return maps(schema, valid);
  const wrong = { value: 'text', says: 'must be of type' };
  return { accepts: [valid], refuses: [wrong] };
}

function strings(schema: Structural, valid: JsonValue): BoundCase {
  const most = Number(schema.maxLength);
  const free = !schema.pattern && !schema.format && !schema.allOf && !schema['x-kubernetes-validations'];
  return {
    accepts: [valid, ...(free ? ['ä'.repeat(most)] : [])],
    refuses: [
      { value: 'a'.repeat(most + 1), says: 'Too long' },
      ...(schema.minLength ? [{ value: '', says: 'should be at least' }] : []),
      ...(schema.pattern ? [{ value: misfit(String(schema.pattern)), says: 'should match' }] : []),
      ...(schema.format ? [{ value: 'tomorrow', says: `must be of type ${schema.format}` }] : []),
      { value: 7, says: `must be of type ${schema.format ?? 'string'}` },
    ],
  };
}

/** A text that is refused by a pattern: one for names, or one for paths. */
function misfit(pattern: JsonValue): string {
  return [' %', '../up'].find((value) => !new RegExp(String(pattern)).test(value)) ?? '';
}

function integers(schema: Structural, valid: JsonValue): BoundCase {
  const { minimum, maximum } = schema as { minimum?: number; maximum?: number };
  return {
    accepts: [valid, ...(minimum === undefined ? [] : [minimum]), ...(maximum === undefined ? [] : [maximum])],
    refuses: [
      ...(minimum === undefined ? [] : [{ value: minimum - 1, says: 'should be greater than or equal to' }]),
      ...(maximum === undefined ? [] : [{ value: maximum + 1, says: 'should be less than or equal to' }]),
      { value: 1.5, says: 'must be of type integer' },
      { value: '1', says: 'must be of type integer' },
    ],
  };
}

function lists(schema: Structural, valid: JsonValue): BoundCase {
  const one = Array.isArray(valid) ? valid[0] : valid;
  return {
    accepts: [valid],
    refuses: [
      { value: Array.from({ length: Number(schema.maxItems) + 1 }, () => one), says: 'Too many' },
      { value: 'text', says: 'must be of type array' },
      ...(schema['x-kubernetes-list-type'] === 'set' ? [{ value: [one, one], says: 'Duplicate value' }] : []),
    ],
  };
}

function maps(schema: Structural, valid: JsonValue): BoundCase {
  const [one] = Object.values(valid as JsonObject);
  const entries = Array.from({ length: Number(schema.maxProperties) + 1 }, (_, index) => [`key-${index}`, one]);
  return {
    accepts: [valid],
    refuses: [
      { value: Object.fromEntries(entries), says: 'Too many' },
      { value: 'text', says: 'must be of type object' },
    ],
  };
}
