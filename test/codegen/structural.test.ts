import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { structural } from '../../operator/codegen/structural.ts';

const described = z.string().max(5).describe('A text.');

describe('structural keeps', () => {
  test.each<[string, z.ZodType, object]>([
    ['defaults and leaves such fields out of required', z.object({ a: described.default('x') }), { properties: { a: { default: 'x' } } }],
    ['a default object whose members have defaults', z.object({}).prefault({}), { default: {} }],
    [
      'metadata of Kubernetes',
      described.meta({ 'x-kubernetes-validations': [{ rule: 'true' }] }),
      { 'x-kubernetes-validations': [{ rule: 'true' }] },
    ],
    ['bounds that were set', z.int32().min(0), { minimum: 0, maximum: 2_147_483_647 }],
    [
      'two patterns, without repeating the type',
      z.string().max(5).regex(/^a/).regex(/b$/),
      { allOf: [{ pattern: '^a' }, { pattern: 'b$' }] },
    ],
    [
      'bounded maps',
      z.record(z.string(), described).meta({ maxProperties: 3 }),
      { additionalProperties: { maxLength: 5 }, maxProperties: 3 },
    ],
    ['literals as enums', z.literal('x'), { enum: ['x'] }],
  ])('%s', (_, schema, expected) => {
    expect(structural(schema, 'spec')).toMatchObject(expected);
  });
});

describe('structural drops', () => {
  test.each<[string, z.ZodType, object]>([
    [
      'additionalProperties beside properties',
      z.strictObject({ a: described }),
      { type: 'object', properties: { a: { type: 'string', maxLength: 5, description: 'A text.' } }, required: ['a'] },
    ],
    ['the range of safe integers', z.int(), { type: 'integer' }],
    ['readOnly', described.readonly(), { type: 'string', maxLength: 5, description: 'A text.' }],
    [
      'the members of a free object',
      z.looseObject({}).meta({ 'x-kubernetes-preserve-unknown-fields': true }),
      { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    ],
  ])('%s', (_, schema, expected) => {
    expect(structural(schema, 'spec')).toEqual(expected);
  });
});

describe('structural throws, with the path, on', () => {
  test.each<[string, z.ZodType, string]>([
    ['a union', z.object({ a: z.union([described, z.int()]).describe('Either.') }), 'spec.a: a structural schema has no anyOf'],
    ['a field without description', z.object({ a: z.object({ b: z.boolean() }).describe('A.') }), 'spec.a.b: has no description'],
    ['an unbounded string', z.object({ a: z.string().describe('A.') }), 'spec.a: is a string without maxLength'],
    ['an unbounded string in an array', z.array(z.string()).max(3), 'spec[]: is a string without maxLength'],
    ['an unbounded array', z.array(described), 'spec: is an array without maxItems'],
    ['an unbounded map', z.record(z.string(), described), 'spec: is a map without maxProperties'],
    ['a loose object', z.looseObject({ a: described }), 'spec: additionalProperties beside properties'],
    [
      'a pattern with lookahead',
      z
        .string()
        .max(5)
        .regex(/^(?!a)/),
      'is not RE2',
    ],
    ['a pattern with a back reference', z.string().max(5).regex(/(a)\1/), 'is not RE2'],
    [
      'one of several patterns with lookbehind',
      z
        .string()
        .max(5)
        .regex(/a/)
        .regex(/(?<=a)b/),
      'is not RE2',
    ],
    ['any value', z.object({ a: z.unknown().describe('A.') }), 'spec.a: has no type'],
    ['a date', z.date(), 'Date cannot be represented'],
  ])('%s', (_, schema, message) => {
    expect(() => structural(schema, 'spec')).toThrow(message);
  });
});
