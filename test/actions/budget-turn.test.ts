import { describe, expect, it } from 'vitest';
import { BudgetTurn } from '../../operator/actions/eviction/budget-turn.ts';
import type { Budget } from '../../operator/kube/budget.ts';
import { makeBudget, makePod } from './fake-cluster.ts';

const ready = makePod('a');
const unready = makePod('b', { ready: false });

function turnOf(more: Partial<Budget>) {
  const clock = { seconds: 0 };
  const budget = makeBudget('cart', more);
  const turn = new BudgetTurn(budget, () => clock.seconds);
  let version = 1;
  const change = (changes: Partial<Budget>) => turn.see({ ...budget, ...changes, resourceVersion: String(++version) });
  return { turn, clock, change };
}

describe('the turns of a budget', () => {
  it('E2 the API server is asked once even when the watch says none is allowed, because it decides', () => {
    const { turn } = turnOf({ disruptionsAllowed: 0 });
    expect([turn.take(ready), turn.take(ready)]).toEqual([true, false]);
  });

  it('lets as many try as are allowed', () => {
    const { turn } = turnOf({ disruptionsAllowed: 2 });
    expect([turn.take(ready), turn.take(ready), turn.take(ready)]).toEqual([true, true, false]);
  });

  it('a try that said nothing about the budget does not count, and gives nothing back that was not taken', () => {
    const { turn } = turnOf({ disruptionsAllowed: 1, currentHealthy: 2, desiredHealthy: 1 });
    turn.take(ready);
    turn.giveBack(ready);
    expect([turn.take(ready), turn.take(ready)]).toEqual([true, false]);
    turn.take(unready);
    turn.giveBack(unready);
    expect(turn.take(ready)).toBe(false);
  });

  it('A18 a refusal holds until the budget changes', () => {
    const { turn, clock, change } = turnOf({ disruptionsAllowed: 2 });
    turn.take(ready);
    turn.refuse(undefined);
    clock.seconds = 5;
    expect(turn.take(ready)).toBe(false);
    change({ disruptionsAllowed: 1 });
    expect([turn.take(ready), turn.take(ready)]).toEqual([true, false]);
  });

  it('a change that allows nothing is no chance', () => {
    const { turn, change } = turnOf({ disruptionsAllowed: 0 });
    turn.take(ready);
    change({ disruptionsAllowed: 0, currentHealthy: 1 });
    expect(turn.take(ready)).toBe(false);
  });

  it.each([
    ['ten seconds, where its numbers allow one', 1, 10],
    ['ten minutes, where they allow none', 0, 600],
  ])('asks again without a change after %s', (_row, disruptionsAllowed, pause) => {
    const { turn, clock } = turnOf({ disruptionsAllowed });
    turn.take(ready);
    turn.refuse(undefined);
    clock.seconds = pause - 1;
    expect(turn.take(ready)).toBe(false);
    expect(turn.waits).toBe(1);
    clock.seconds = pause;
    expect([turn.take(ready), turn.take(ready)]).toEqual([true, false]);
  });

  it('A15 E3 nothing is asked before the Retry-After is over, not even after a change', () => {
    const { turn, clock, change } = turnOf({ disruptionsAllowed: 1 });
    turn.take(ready);
    turn.refuse(20);
    change({ disruptionsAllowed: 5 });
    clock.seconds = 19;
    expect(turn.take(ready)).toBe(false);
    expect(turn.waits).toBe(1);
    clock.seconds = 20;
    expect(turn.take(ready)).toBe(true);
  });

  it.each([
    ['AlwaysAllow', { unhealthyPodEvictionPolicy: 'AlwaysAllow', currentHealthy: 0 }, true],
    ['a healthy budget', { currentHealthy: 2, desiredHealthy: 2 }, true],
    ['an unhealthy budget', { currentHealthy: 1, desiredHealthy: 2 }, false],
    ['a budget that wants none', { currentHealthy: 0, desiredHealthy: 0 }, false],
  ] as const)('an unready pod and %s', (_row, more, passes) => {
    const { turn } = turnOf({ disruptionsAllowed: 0, ...more });
    turn.take(ready);
    expect(turn.take(unready)).toBe(passes);
  });

  it('one pod after the other', async () => {
    const { turn } = turnOf({});
    const order: string[] = [];
    const work = (name: string) => async () => {
      order.push(`${name} begins`);
      await Promise.resolve();
      order.push(`${name} ends`);
    };
    const broken = turn.inTurn(async () => Promise.reject(new Error('broken')));
    await Promise.all([expect(broken).rejects.toThrow('broken'), turn.inTurn(work('a')), turn.inTurn(work('b'))]);
    expect(order).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
  });
});
