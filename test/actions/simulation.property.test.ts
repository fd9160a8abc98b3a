import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allowance, simulate } from '../../operator/actions/eviction/simulation.ts';
import type { Budget } from '../../operator/kube/budget.ts';
import type { Pod } from '../../operator/kube/pod.ts';
import { makeBudget, makePod } from './fake-cluster.ts';

/** A budget as the disruption controller counts one: what it allows is what is healthy beyond what is needed. */
const budget = (name: string): fc.Arbitrary<Budget> =>
  fc
    .record({
      expectedPods: fc.nat(30),
      needed: fc.nat(100),
      healthy: fc.nat(100),
      observed: fc.boolean(),
      unhealthyPodEvictionPolicy: fc.constantFrom('IfHealthyBudget' as const, 'AlwaysAllow' as const),
    })
    .map(({ expectedPods, needed, healthy, ...more }) => {
      const desiredHealthy = Math.round((needed / 100) * expectedPods);
      const currentHealthy = Math.round((healthy / 100) * expectedPods);
      const disruptionsAllowed = Math.max(0, currentHealthy - desiredHealthy);
      return makeBudget(name, { expectedPods, desiredHealthy, currentHealthy, disruptionsAllowed, ...more });
    });

const pod = (index: number): fc.Arbitrary<Pod> =>
  fc
    .record({
      app: fc.constantFrom('cart', 'web', 'both', 'none'),
      phase: fc.constantFrom('Running' as const, 'Pending' as const, 'Succeeded' as const),
      ready: fc.boolean(),
      owned: fc.boolean(),
      leaving: fc.boolean(),
    })
    .map(({ app, phase, ready, owned, leaving }) => {
      const { controller, ...made } = makePod(`p${index}`, { labels: { app }, phase, ready });
      return {
        ...made,
        ...(owned && controller ? { controller } : {}),
        ...(leaving ? { deletionTimestamp: '2026-01-02T03:04:35Z' } : {}),
      };
    });

const world = fc.record({
  cart: budget('cart'),
  web: budget('web'),
  pods: fc.integer({ min: 0, max: 40 }).chain((size) => fc.tuple(...Array.from({ length: size }, (_, index) => pod(index)))),
});

const budgetsFor =
  (cart: Budget, web: Budget) =>
  ({ labels }: Pod) =>
    ({ cart: [cart], web: [web], both: [cart, web] })[labels.app ?? ''] ?? [];

describe('the simulation of the budgets', () => {
  it('E12 A41 never lets more pods of a budget go in one round than it allows, ends, and says the same again', () => {
    fc.assert(
      fc.property(world, ({ cart, web, pods }) => {
        const simulation = simulate(pods, budgetsFor(cart, web));
        expect(simulate(pods, budgetsFor(cart, web))).toEqual(simulation);
        expect([...simulation.fates.keys()].sort()).toEqual(pods.map(({ uid }) => uid).sort());
        for (const each of [cart, web]) {
          const going = pods.filter(({ uid }) => simulation.fates.get(uid)?.budget === each);
          const inRound = (round: number) => going.filter(({ uid }) => simulation.fates.get(uid)?.round === round);
          let lost = 0;
          for (let round = 1; round <= going.length + 1; round++) {
            expect(inRound(round).length).toBeLessThanOrEqual(allowance(each, round, lost));
            lost += inRound(round).filter(({ controller }) => !controller).length;
          }
          // After one round in which it may only wait, a budget lets at least one go in each, or none for ever.
          const rounds = simulation.budgets.find(({ budget: name }) => name === `shop/${each.name}`)?.rounds;
          if (rounds !== undefined) expect(rounds).toBeLessThanOrEqual(going.length + 1);
          const stuck = going.filter(({ uid }) => simulation.fates.get(uid)?.round === undefined);
          expect(stuck.length > 0).toBe(going.length > 0 && rounds === undefined);
        }
      }),
    );
  });

  it('lets nobody wait whom no budget guards', () => {
    fc.assert(
      fc.property(world, ({ cart, web, pods }) => {
        const { fates } = simulate(pods, budgetsFor(cart, web));
        for (const each of pods) {
          const free = each.labels.app === 'none' || each.phase !== 'Running' || each.deletionTimestamp !== undefined;
          if (free) expect(fates.get(each.uid)).toEqual({ round: 1 });
          else if (each.labels.app === 'both') expect(fates.get(each.uid)).toEqual({ round: undefined, cause: 'MultiplePDBs' });
        }
      }),
    );
  });

  const cart = (name: string, more: Partial<Pod> = {}) => makePod(name, { labels: { app: 'cart' }, ...more });
  const counts = (allowed: number, healthy: number, needed: number, expected: number) =>
    makeBudget('cart', { disruptionsAllowed: allowed, currentHealthy: healthy, desiredHealthy: needed, expectedPods: expected });
  const { controller: _, ...bare } = cart('b');

  it.each<[string, Pod[], Budget, (number | undefined)[], number | undefined]>([
    ['one at a time', ['a', 'b', 'c'].map((name) => cart(name)), counts(1, 3, 2, 3), [1, 2, 3], 3],
    ['two at a time', ['a', 'b', 'c'].map((name) => cart(name)), counts(2, 4, 2, 4), [1, 1, 2], 2],
    ['short of a healthy pod: a round of waiting first', [cart('a'), cart('b')], counts(0, 2, 2, 3), [2, 3], 3],
    ['every pod is needed', [cart('a')], counts(0, 2, 2, 2), [undefined], undefined],
    [
      'a pod that nothing makes again costs a disruption for good',
      [{ ...bare, name: 'a', uid: 'a' }, cart('c')],
      counts(1, 3, 2, 3),
      [1, undefined],
      undefined,
    ],
    ['not counted yet', [cart('a'), cart('b')], { ...counts(2, 2, 0, 2), observed: false }, [2, 3], 3],
  ])('%s', (_row, pods, guard, rounds, last) => {
    const { fates, budgets } = simulate(pods, () => [guard]);
    expect(pods.map(({ uid }) => fates.get(uid)?.round)).toEqual(rounds);
    expect(budgets).toMatchObject([{ budget: 'shop/cart', pods: pods.length }]);
    expect(budgets[0]?.rounds).toBe(last);
  });
});
