import { z } from 'zod';
import type { JsonObject, JsonValue } from '../lib/json.ts';

/** A node of a structural schema, as a CustomResourceDefinition holds it. */
export interface Structural {
  readonly [keyword: string]: JsonValue | undefined;
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Structural>>;
  readonly items?: Structural;
  readonly additionalProperties?: Structural;
  readonly required?: readonly string[];
}

const KEPT = new Set(
  (
    'type description default enum format pattern minimum maximum exclusiveMinimum exclusiveMaximum multipleOf ' +
    'minLength maxLength minItems maxItems minProperties maxProperties nullable required properties items additionalProperties allOf'
  ).split(' '),
);

/** Says nothing to the API server: zod marks read-only members, and the dialect. */
const DROPPED = new Set(['readOnly', '$schema']);

/** What RE2 lacks: lookaround, back references and \u escapes. */
const NOT_RE2 = /\(\?<?[=!]|\\[1-9]|\\u|\\k</;

/** Turns a zod schema into a structural schema; throws, with the path, on whatever one cannot express or leaves unbounded. */
export function structural(schema: z.ZodType, path: string): Structural {
  const json = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    reused: 'inline',
    cycles: 'throw',
    unrepresentable: 'throw',
  });
  // What toJSONSchema returns is JSON; its declared type has members that are absent here.
  return walk(JSON.parse(JSON.stringify(json)) as JsonObject, path);
}

function walk(node: JsonObject, path: string): Structural {
  const kept = Object.entries(node).filter(([keyword, value]) => !dropped(node, keyword, value, path));
  const result = Object.fromEntries(kept.map(([keyword, value]) => [keyword, descend(keyword, value, path)]));
  const problem = missing(result);
  if (problem) throw new Error(`${path}: ${problem}`);
  return result;
}

function dropped(node: JsonObject, keyword: string, value: JsonValue | undefined, path: string): boolean {
  if (DROPPED.has(keyword)) return true;
  if (!KEPT.has(keyword) && !keyword.startsWith('x-kubernetes-')) throw new Error(`${path}: a structural schema has no ${keyword}`);
  if (keyword === 'pattern' && NOT_RE2.test(String(value))) throw new Error(`${path}: the pattern ${value} is not RE2`);
  if (keyword === 'minimum') return value === Number.MIN_SAFE_INTEGER;
  if (keyword === 'maximum') return value === Number.MAX_SAFE_INTEGER;
  const free = node['x-kubernetes-preserve-unknown-fields'] === true;
  if (keyword === 'properties') return free && Object.keys(asObject(value)).length === 0;
  if (keyword !== 'additionalProperties') return false;
  if (value === false || free) return true;
  if (node.properties) throw new Error(`${path}: additionalProperties beside properties; the API server prunes them`);
  return false;
}

function descend(keyword: string, value: JsonValue | undefined, path: string): JsonValue | undefined {
  if (keyword === 'properties') {
    const members = Object.entries(asObject(value)).map(([name, member]) => [name, property(asObject(member), `${path}.${name}`)]);
    return Object.fromEntries(members);
  }
  if (keyword === 'items') return walk(asObject(value), `${path}[]`);
  if (keyword === 'additionalProperties') return walk(asObject(value), `${path}{}`);
  if (keyword === 'allOf') return (value as readonly JsonObject[]).map((part) => validation(part, path));
  return value;
}

function property(node: JsonObject, path: string): Structural {
  if (!node.description) throw new Error(`${path}: has no description; kubectl explain would be empty`);
  return walk(node, path);
}

/** Several patterns come as `allOf` with the type repeated, which only the outer schema may name. */
function validation(part: JsonObject, path: string): JsonObject {
  const { type: _, ...rest } = part;
  const other = Object.keys(rest).find((keyword) => keyword !== 'pattern');
  if (other) throw new Error(`${path}: allOf with ${other} cannot be expressed`);
  dropped(rest, 'pattern', rest.pattern, path);
  return rest;
}

function missing(node: Structural): string | undefined {
  if (!node.type) return 'has no type; unions and unknowns cannot be expressed';
  if (node.type === 'string' && !node.enum && node.maxLength === undefined) return 'is a string without maxLength';
  if (node.type === 'array' && node.maxItems === undefined) return 'is an array without maxItems';
  if (node.additionalProperties && node.maxProperties === undefined) return 'is a map without maxProperties';
  return undefined;
}

function asObject(value: JsonValue | undefined): JsonObject {
  return value as JsonObject;
}
