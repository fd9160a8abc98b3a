import { describe, expect, test } from 'vitest';
import type { ActionDefinition } from '../../operator/actions/action.ts';
import { actions } from '../../operator/actions/index.ts';
import type { JsonObject, JsonValue } from '../../operator/lib/json.ts';
import { tenant } from '../cluster/shared.ts';
import { request } from './action-rule-cases.ts';
import { type Plural, refusalToCreate } from './admission.ts';
import { backend } from './backend-rule-cases.ts';
import { boundCase } from './bound-cases.ts';
import { leavesOf, rootSchema } from './crd-file.ts';
import { ONE_MEMBER, TEMPLATE_AREA } from './session-values.ts';
import { AROUND, COUPLED, VALID } from './valid-values.ts';

const { namespace } = await tenant('bounds');
const all: readonly ActionDefinition[] = actions;
const [, cordon] = actions;

/** The smallest object in which the field can stand. */
function around(plural: Plural, path: string): JsonObject {
  const chosen = AROUND[path];
  if (chosen) return chosen;
  if (path.startsWith(TEMPLATE_AREA.path) && !path.startsWith(`${TEMPLATE_AREA.path}Ref`)) return TEMPLATE_AREA.around;
  if (plural === 'optimizationbackends') return backend;
  return request(all.find((each) => path.startsWith(`spec.${each.member}`)) ?? cordon);
}

/** The spec with the value at the path; objects on the way are made whole, lists and maps get one entry. */
function withValue(spec: JsonObject, path: string, value: JsonValue): JsonObject {
  const [, ...steps] = path.split(/[.]|(?=\[])|(?=\{})/);
  return place(spec, steps, value, 'spec') as JsonObject;
}

function place(base: JsonValue | undefined, steps: readonly string[], value: JsonValue, path: string): JsonValue {
  const [step, ...rest] = steps;
  if (step === undefined) return value;
  const here = `${path}${step === '[]' || step === '{}' ? '' : '.'}${step}`;
  if (step === '[]') return [place(undefined, rest, value, here)];
  if (step === '{}') return { 'example.com/key': place(undefined, rest, value, here) };
  const object = (ONE_MEMBER.includes(path) ? {} : (base ?? VALID[path] ?? {})) as JsonObject;
  return { ...object, [step]: place(object[step], rest, value, here) };
}

describe.each(['optimizationactions', 'optimizationbackends'] as const)('%s', (plural) => {
  const { spec } = rootSchema(plural).properties ?? {};
  const fields = leavesOf(spec ?? {}, 'spec');

  test.each(fields)('$path keeps its bounds', async ({ path, schema }) => {
    const base = around(plural, path);
    const valid = VALID[path] ?? example(base, path) ?? (schema.default as JsonValue | undefined);
    if (valid === undefined && !schema.enum && schema.type !== 'boolean') throw new Error(`valid-values.ts has no value for ${path}`);
    const { accepts, refuses } = boundCase(schema, valid ?? true);
    const tried = COUPLED.includes(path) && valid !== undefined ? [valid] : accepts;
    for (const value of tried)
      expect(await refusalToCreate(namespace, plural, withValue(base, path, value)), JSON.stringify(value)).toBeUndefined();
    for (const { value, says } of refuses) {
      const message = await refusalToCreate(namespace, plural, withValue(base, path, value));
      expect(message, JSON.stringify(value)).toContain(says);
      expect(message).toContain(path.replace(/(\[]|\{}).*$/, ''));
    }
  });

  test.each(fields.filter(({ schema }) => schema.required))('$path needs its required members', async ({ path, schema }) => {
    const base = around(plural, path);
    const whole = (VALID[path] ?? example(base, path)) as JsonObject;
    for (const name of schema.required ?? []) {
      const { [name]: _, ...rest } = whole;
      expect(await refusalToCreate(namespace, plural, withValue(base, path, rest))).toContain(
        `${path.replace('[]', '[0]')}.${name}: Required value`,
      );
    }
  });

  test.each(spec?.required ?? [])('spec.%s is required', async (name) => {
    const { [name]: _, ...rest } = around(plural, '');
    expect(await refusalToCreate(namespace, plural, rest)).toContain(`spec.${name}: Required value`);
  });
});

function example(spec: JsonObject, path: string): JsonValue | undefined {
  const [, ...steps] = path.split('.');
  return steps.reduce<JsonValue | undefined>((value, step) => (value as JsonObject | undefined)?.[step], spec);
}
