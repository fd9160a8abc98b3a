import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Blocker } from '../../operator/actions/blocker.ts';
import { describeBlockers, mainCause, mergeBlockers, type NewBlocker } from '../../operator/actions/eviction/blockers.ts';
import { START } from './fake-cluster.ts';

const since = START.toISOString();
const later = new Date(START.getTime() + 60_000);

function blocked(name: string, more: Partial<Blocker> = {}): Blocker {
  return {
    pod: `shop/${name}`,
    uid: `uid-${name}`,
    cause: 'DisruptionBudget',
    budget: 'cart',
    currentHealthy: 2,
    desiredHealthy: 2,
    since,
    ...more,
  };
}

function without(name: string, cause: string, budget?: string): Blocker {
  return { pod: `shop/${name}`, uid: `uid-${name}`, cause, ...(budget ? { budget } : {}), since };
}

const golden: readonly [row: string, blockers: readonly Blocker[], text: string][] = [
  ['nothing', [], ''],
  ['E2 one pod', [blocked('a')], 'shop/a blocked by budget shop/cart: 2 healthy pods needed, 2 there'],
  [
    'M20 three pods, then a count',
    ['g', 'f', 'e', 'd', 'c', 'b', 'a'].map((name) => blocked(name)),
    'shop/a, shop/b, shop/c and 4 more blocked by budget shop/cart: 2 healthy pods needed, 2 there',
  ],
  [
    'A4 never satisfiable',
    [blocked('a', { cause: 'PDBNeverSatisfiable' })],
    'shop/a blocked by budget shop/cart, which never allows a disruption: all 2 expected pods are healthy and all are needed',
  ],
  [
    'A6 two budgets',
    [without('a', 'MultiplePDBs', 'cart, all')],
    'shop/a selected by more than one disruption budget, which the eviction API refuses: cart, all',
  ],
  [
    'several causes, in steady order',
    [without('z', 'WebhookDenied'), blocked('a'), without('b', 'EvictionRefused')],
    'shop/a blocked by budget shop/cart: 2 healthy pods needed, 2 there; shop/z refused by an admission webhook or policy; shop/b refused by the API server',
  ],
  [
    'F3 causes that are not the API server’s, with what explains them',
    [{ ...without('a', 'DoNotDisrupt'), detail: 'annotation karpenter.sh/do-not-disrupt' }, without('b', 'NoController')],
    'shop/a held back: DoNotDisrupt, annotation karpenter.sh/do-not-disrupt; shop/b held back: NoController',
  ],
  [
    'no times, and none of the words that a webhook may choose anew each time',
    [{ ...without('a', 'WebhookDenied'), detail: 'denied at 12:00', retryAt: since }],
    'shop/a refused by an admission webhook or policy',
  ],
  ['a budget that the watch does not show', [without('a', 'DisruptionBudget')], 'shop/a blocked by a disruption budget'],
];

describe('the message about blockers', () => {
  it.each(golden)('%s', (_row, blockers, text) => {
    expect(describeBlockers(blockers)).toBe(text);
    expect(describeBlockers(blockers.toReversed())).toBe(text);
  });

  it('M20 names five causes, then counts', () => {
    const many = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((budget) => blocked(budget, { budget }));
    expect(describeBlockers(many)).toMatch(/; 2 more causes$/);
  });
});

describe('blockers over passes', () => {
  it('F3 keep the time they were first seen while the cause is the same', () => {
    const merged = mergeBlockers([blocked('b'), blocked('a', { cause: 'MultiplePDBs' })], [blocked('a'), blocked('b')], later);
    expect(merged.map(({ pod, since: seen }) => [pod, seen])).toEqual([
      ['shop/a', later.toISOString()],
      ['shop/b', since],
    ]);
  });

  it('a namesake is another blocker', () => {
    expect(mergeBlockers([blocked('a', { uid: 'new' })], [blocked('a')], later)[0]?.since).toBe(later.toISOString());
  });

  const due = (seconds: number) => new Date(START.getTime() + seconds * 1000).toISOString();

  it.each<[string, Partial<Blocker>, Partial<Blocker>, Partial<Blocker>]>([
    ['stays while it is the same', { retryAt: due(10) }, { retryAt: due(20) }, { retryAt: due(10) }],
    ['is new when the numbers of the budget are', { retryAt: due(10) }, { retryAt: due(20), currentHealthy: 1 }, { retryAt: due(20) }],
    ['is added where none was known', {}, { retryAt: due(20) }, { retryAt: due(20) }],
    ['stays when a pass that asked nobody names none', { retryAt: due(10) }, {}, { retryAt: due(10) }],
  ])('F3 the next try %s', (_row, before, found, merged) => {
    const [blocker] = mergeBlockers([blocked('a', found)], [blocked('a', before)], later);
    expect(blocker).toMatchObject({ ...merged, since });
  });

  it('F3 the first words of a refusal are kept, because the next ones may differ in a number; other details are those of now', () => {
    const told = (cause: string, detail: string) => ({ ...without('a', cause), detail });
    const after = (cause: string) => mergeBlockers([told(cause, 'request 2')], [told(cause, 'request 1')], later)[0]?.detail;
    expect(['WebhookDenied', 'EvictionRefused', 'DoNotDisrupt'].map(after)).toEqual(['request 1', 'request 1', 'request 2']);
  });

  const arbitrary: fc.Arbitrary<NewBlocker> = fc
    .record({
      name: fc.constantFrom('a', 'b', 'c', 'd'),
      uid: fc.constantFrom('1', '2', '3'),
      cause: fc.constantFrom('DisruptionBudget', 'MultiplePDBs'),
    })
    .map(({ name, uid, cause }) => ({ pod: `shop/${name}`, uid: `${name}-${uid}`, cause }));

  it('are the same whatever the order, and the same again when merged again', () => {
    fc.assert(
      fc.property(fc.uniqueArray(arbitrary, { selector: (blocker) => blocker.uid }), fc.nat(), (found, turn) => {
        const first = mergeBlockers(found, [], START);
        const shuffled = [...found.slice(turn % (found.length + 1)), ...found.slice(0, turn % (found.length + 1))];
        expect(mergeBlockers(shuffled, first, later)).toEqual(first);
        expect(describeBlockers(first)).toBe(describeBlockers(first.toReversed()));
        expect(mainCause(first)).toBe(mainCause(first.toReversed()));
        expect(new Set(first.map((blocker) => blocker.uid)).size).toBe(first.length);
      }),
    );
  });
});
