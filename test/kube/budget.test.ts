import { expect, test } from 'vitest';
import { projectBudget } from '../../operator/kube/budget.ts';

const whole = {
  metadata: { namespace: 'shop', name: 'web', uid: 'u1', resourceVersion: '7', generation: 3 },
  spec: { minAvailable: 2, selector: { matchLabels: { app: 'web' } }, unhealthyPodEvictionPolicy: 'AlwaysAllow' },
  status: { observedGeneration: 3, disruptionsAllowed: 1, currentHealthy: 3, desiredHealthy: 2, expectedPods: 4, disruptedPods: {} },
};

test('a budget keeps what decides an eviction', () => {
  expect(projectBudget(whole)).toEqual({
    namespace: 'shop',
    name: 'web',
    uid: 'u1',
    resourceVersion: '7',
    selector: { matchLabels: { app: 'web' }, matchExpressions: [] },
    unhealthyPodEvictionPolicy: 'AlwaysAllow',
    observed: true,
    disruptionsAllowed: 1,
    currentHealthy: 3,
    desiredHealthy: 2,
    expectedPods: 4,
  });
});

test.each([{}, null, undefined, { metadata: {}, spec: {}, status: {} }])('%j is a budget that chooses and allows nothing', (raw) => {
  const budget = projectBudget(raw);
  expect(budget).toMatchObject({ name: '', unhealthyPodEvictionPolicy: 'IfHealthyBudget', disruptionsAllowed: 0 });
  expect(budget.selector).toBeUndefined();
});

test.each([
  [undefined, false],
  [2, false],
  [3, true],
  [4, true],
])('generation 3, observed %s: %s', (observedGeneration, observed) => {
  expect(projectBudget({ ...whole, status: { observedGeneration } }).observed).toBe(observed);
});
