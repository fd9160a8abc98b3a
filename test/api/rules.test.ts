import { describe, expect, test } from 'vitest';
import { tenant } from '../cluster/shared.ts';
import { actionRuleCases } from './action-rule-cases.ts';
import { type Plural, refusalToCreate, refusalToUpdate } from './admission.ts';
import { backendRuleCases } from './backend-rule-cases.ts';
import { rootSchema, rulesIn } from './crd-file.ts';
import { paramRuleCases } from './param-rule-cases.ts';
import type { Ask } from './rule-case.ts';

const { namespace } = await tenant('rules');
const cases = [...actionRuleCases, ...paramRuleCases, ...backendRuleCases];

function refusal(plural: Plural, ask: Ask): Promise<string | undefined> {
  return 'create' in ask ? refusalToCreate(namespace, plural, ask.create, ask.name) : refusalToUpdate(namespace, plural, ask.from, ask.to);
}

describe.each(['optimizationactions', 'optimizationbackends'] as const)('%s', (plural) => {
  const rules = rulesIn(rootSchema(plural));
  const own = cases.filter((each) => each.plural === plural);

  test('every CEL rule has an accepting and a refusing case, and every case a rule', () => {
    const tested = own.filter((each) => each.accepts.length > 0 && each.refuses.length > 0).map((each) => each.message);
    expect(rules.map((each) => each.message)).toEqual(expect.arrayContaining(tested));
    expect(rules.filter((rule) => !tested.includes(rule.message ?? ''))).toEqual([]);
  });

  test.each(own)('accepted beside: $message', async ({ accepts }) => {
    for (const ask of accepts) expect(await refusal(plural, ask), JSON.stringify(ask)).toBeUndefined();
  });

  test.each(own)('refused: $message', async ({ refuses, message }) => {
    for (const ask of refuses) expect(await refusal(plural, ask), JSON.stringify(ask)).toContain(ask.says ?? message);
  });
});
