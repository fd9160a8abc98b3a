import { expect, test } from 'vitest';
import { optimizationBackendSpec } from '../../operator/api/optimization-backend.ts';
import { backendRuleCases } from './backend-rule-cases.ts';

const spec = optimizationBackendSpec(['Cordon']);

/** Transitions and names are beyond a schema of one spec. */
const cases = backendRuleCases
  .filter(({ message }) => !message.startsWith('metadata.') && !message.startsWith('spec.clusterID is immutable'))
  .flatMap(({ accepts, refuses }) => [
    ...accepts.map((ask) => ({ ask: JSON.stringify(ask), spec: 'create' in ask ? ask.create : ask.to, valid: true })),
    ...refuses.map((ask) => ({ ask: JSON.stringify(ask), spec: 'create' in ask ? ask.create : ask.to, valid: false })),
  ]);

test.each(cases)('zod and CEL agree on $ask', ({ spec: raw, valid }) => {
  expect(spec.safeParse(raw).success).toBe(valid);
});
