import { describe, expect, it } from 'vitest';
import { cartPods, drainOf, webPods } from './drain-passes.ts';
import { budgetRefusal, FakeCluster, makeBudget, makePod, refusal } from './fake-cluster.ts';

describe('a drain behind a budget', () => {
  it('F3 shows who is blocked by which budget, with its numbers, from the first refusal on', async () => {
    const cluster = new FakeCluster(cartPods('a', 'b'), [makeBudget('cart')]);
    cluster.answers.set('a', [budgetRefusal()]);
    const pass = drainOf(cluster);
    await pass();
    const blocked = await pass();
    expect(blocked).toMatchObject({
      reason: 'DisruptionBudget',
      message: 'shop/a, shop/b blocked by budget shop/cart: 2 healthy pods needed, 2 there',
      blockers: [
        { pod: 'shop/a', uid: 'uid-a', cause: 'DisruptionBudget', budget: 'cart', currentHealthy: 2, desiredHealthy: 2 },
        { pod: 'shop/b' },
      ],
      next: { changed: ['node/n1', 'pods-on/n1', 'budgets/shop'], orAfter: 10 },
    });
    expect(cluster.evictions).toEqual(['a']);
    expect(await pass(3)).toMatchObject({ ...blocked, next: { orAfter: 7 } });
    expect(cluster.evictions).toEqual(['a']);
  });

  it('goes on at the change of the budget, as many as it allows, one after the other', async () => {
    const cluster = new FakeCluster(cartPods('a', 'b', 'c'), [makeBudget('cart')]);
    cluster.answers.set('a', [budgetRefusal()]);
    const pass = drainOf(cluster);
    await pass();
    await pass();
    cluster.budgetList = [makeBudget('cart', { disruptionsAllowed: 2, resourceVersion: '2' })];
    await pass(1);
    expect(cluster.evictions).toEqual(['a', 'a', 'b']);
  });

  it('the pods of another budget, or of none, do not wait', async () => {
    const cluster = new FakeCluster([...cartPods('a'), ...webPods('free')], [makeBudget('cart')]);
    cluster.answers.set('a', [budgetRefusal()]);
    const pass = drainOf(cluster);
    await pass();
    expect(await pass()).toMatchObject({ message: /^shop\/a blocked by .*; shop\/free shutting down$/ });
    expect(cluster.evictions.toSorted()).toEqual(['a', 'free']);
  });

  it('M7 says that a budget never allows a disruption', async () => {
    const cluster = new FakeCluster(cartPods('a'), [makeBudget('cart', { expectedPods: 2 })]);
    cluster.answers.set('a', [budgetRefusal()]);
    const pass = drainOf(cluster);
    await pass();
    expect(await pass()).toMatchObject({ reason: 'PDBNeverSatisfiable', blockers: [{ cause: 'PDBNeverSatisfiable' }] });
  });

  it('E1 a pending pod asks no budget', async () => {
    const cluster = new FakeCluster([makePod('a', { labels: { app: 'cart' }, phase: 'Pending', ready: false })], [makeBudget('cart')]);
    const pass = drainOf(cluster);
    await pass();
    expect(await pass()).toMatchObject({ reason: 'WaitingForPods' });
  });

  it('E3 a budget that is not counted yet is no blocker, and is asked when it said', async () => {
    const cluster = new FakeCluster(cartPods('a'), [makeBudget('cart', { observed: false })]);
    cluster.answers.set('a', [budgetRefusal(4)]);
    const pass = drainOf(cluster);
    await pass();
    expect(await pass()).toMatchObject({ reason: 'InProgress', blockers: [], next: { orAfter: 4 } });
    cluster.budgetList = [makeBudget('cart', { disruptionsAllowed: 1, resourceVersion: '2' })];
    await pass(3);
    expect(cluster.evictions).toEqual(['a']);
    await pass(4);
    expect(cluster.evictions).toEqual(['a', 'a']);
  });

  it('E4 slows everybody down when the API server protects itself, and blames no budget', async () => {
    const cluster = new FakeCluster(webPods('a', 'b'));
    cluster.answers.set('a', [refusal(429, { retryAfter: 5 })]);
    cluster.answers.set('b', [refusal(429, { retryAfter: 5 })]);
    const pass = drainOf(cluster);
    await pass();
    expect(await pass()).toMatchObject({ reason: 'InProgress', blockers: [], next: { orAfter: 5 } });
    await pass(4);
    expect(cluster.evictions).toHaveLength(2);
    await pass(5);
    expect(cluster.evictions).toHaveLength(4);
  });

  it('E4 K24 says so when it goes on, and blames no budget that would let the pod go', async () => {
    const cluster = new FakeCluster(cartPods('a', 'b'), [makeBudget('cart', { disruptionsAllowed: 2 })]);
    cluster.answers.set('a', Array(3).fill(refusal(429, { retryAfter: 5 })));
    const pass = drainOf(cluster);
    await pass();
    expect(await pass()).toMatchObject({ reason: 'InProgress', blockers: [] });
    expect(await pass(5)).toMatchObject({ reason: 'InProgress', blockers: [] });
    expect(await pass(10)).toMatchObject({ reason: 'TooManyRequests', blockers: [], next: { orAfter: 5 } });
    await pass(15);
    expect(cluster.evictions).toEqual(['a', 'a', 'a', 'a', 'b']);
  });

  it('E5 A6 names both budgets and does not storm', async () => {
    const all = makeBudget('all', { selector: { matchLabels: {}, matchExpressions: [] } });
    const cluster = new FakeCluster(cartPods('a'), [makeBudget('cart'), all]);
    cluster.answers.set('a', [refusal(500, { message: 'This pod has more than one PodDisruptionBudget' })]);
    const pass = drainOf(cluster);
    await pass();
    expect(await pass()).toMatchObject({ reason: 'MultiplePDBs', blockers: [{ budget: 'all, cart' }], next: { orAfter: 10 } });
    await pass(9);
    expect(cluster.evictions).toEqual(['a']);
    cluster.budgetList = [makeBudget('cart', { disruptionsAllowed: 1 })];
    await pass(9.5);
    expect(cluster.evictions).toEqual(['a', 'a']);
  });

  it('E6 after a conflict it looks: a namesake is another pod, with a turn of its own', async () => {
    const cluster = new FakeCluster(webPods('a'));
    const pass = drainOf(cluster);
    await pass();
    cluster.stalePods = webPods('a');
    cluster.pods = [makePod('a', { uid: 'namesake' })];
    expect(await pass()).toMatchObject({ state: 'running', done: 0 });
    expect(cluster.evictions).toEqual(['a']);
    await pass(20);
    expect(cluster.evictions).toEqual(['a', 'a']);
    expect(cluster.pods[0]?.deletionTimestamp).toBeDefined();
  });

  it.each([
    ['E7 504', refusal(504), 'InProgress'],
    ['E8 a namespace that goes away', refusal(403, { causes: [{ reason: 'NamespaceTerminating' }] }), 'InProgress'],
    [
      'E9 a 403 that names the budget',
      refusal(403, { message: 'poddisruptionbudget.policy "x" is forbidden: negative' }),
      'DisruptionBudget',
    ],
    ['E11 a webhook', refusal(400, { message: 'admission webhook "g" denied the request: no' }), 'WebhookDenied'],
  ] as const)('%s is tried again while the others go on', async (_row, error, reason) => {
    const cluster = new FakeCluster(webPods('a', 'b'));
    cluster.answers.set('a', [error]);
    const pass = drainOf(cluster);
    await pass();
    expect(await pass()).toMatchObject({ reason: reason === 'InProgress' ? 'WaitingForPods' : reason });
    expect(cluster.evictions.toSorted()).toEqual(['a', 'b']);
    await pass(15);
    expect(cluster.evictions.toSorted()).toEqual(['a', 'a', 'b']);
  });

  it('E10 a missing right ends it at once and is named', async () => {
    const cluster = new FakeCluster(webPods('a'));
    cluster.answers.set('a', [refusal(403, { message: 'User "x" cannot create resource "pods/eviction"' })]);
    const pass = drainOf(cluster);
    await pass();
    expect(await pass()).toMatchObject({ state: 'failed', reason: 'Forbidden', message: /cannot create resource "pods\/eviction"/ });
  });
});
