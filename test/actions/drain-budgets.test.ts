import { describe, expect, it } from 'vitest';
import type { Progress } from '../../operator/actions/action.ts';
import { bare, cartPods, drainOf, params, webPods } from './drain-passes.ts';
import { budgetRefusal, FakeCluster, makeBudget, makePod, refusal } from './fake-cluster.ts';

describe('the look before the cordon', () => {
  const isCordoned = (cluster: FakeCluster) => cluster.node?.unschedulable === true;

  it('M7 A5 tells which budgets would refuse before the node is cordoned, and goes on in the next pass', async () => {
    const all = makeBudget('all', { selector: { matchLabels: { app: 'web' }, matchExpressions: [] } });
    const pods = [...cartPods('a'), makePod('b', { labels: { app: 'web' } }), ...webPods('free')];
    const cluster = new FakeCluster(pods, [makeBudget('cart', { expectedPods: 2 }), makeBudget('web'), all]);
    const pass = drainOf(cluster, {}, params, true);
    const told = await pass();
    expect(told).toMatchObject({
      state: 'running',
      reason: 'PDBNeverSatisfiable',
      message: expect.stringMatching(/^seen before the cordon: shop\/a blocked by budget shop\/cart, which never/),
      blockers: [
        { pod: 'shop/a', cause: 'PDBNeverSatisfiable', budget: 'cart', currentHealthy: 2, desiredHealthy: 2 },
        { pod: 'shop/b', cause: 'MultiplePDBs', budget: 'all, web' },
      ],
      next: { kind: 'again', after: 0 },
      done: 0,
      total: 3,
      result: { total: 3, evicted: 0, remaining: 3, remainingPods: ['shop/a', 'shop/b', 'shop/free'] },
    });
    expect(isCordoned(cluster)).toBe(false);
    expect(await pass(1)).toMatchObject({
      blockers: 'blockers' in told ? told.blockers : [],
      message: /^node n1 cordoned, 3 pods to evict; shop\/a/,
    });
    expect(isCordoned(cluster)).toBe(true);
    expect(cluster.evictions).toEqual([]);
  });

  it.each([
    ['no budget', webPods('a'), []],
    ['a budget that allows one', cartPods('a', 'b'), [makeBudget('cart', { disruptionsAllowed: 1 })]],
    ['a budget that is not counted yet', cartPods('a'), [makeBudget('cart', { observed: false })]],
    ['a pod that is leaving', [makePod('a', { labels: { app: 'cart' }, deletionTimestamp: '2026-01-02T03:04:35Z' })], [makeBudget('cart')]],
    ['a pending pod', [makePod('a', { labels: { app: 'cart' }, phase: 'Pending' as const })], [makeBudget('cart')]],
  ])('costs no pass of its own with %s', async (_row, pods, budgets) => {
    const cluster = new FakeCluster(pods, budgets);
    expect(await drainOf(cluster, {}, params, true)()).toMatchObject({ reason: 'InProgress', message: /^node n1 cordoned/, blockers: [] });
  });

  it('A5 F3 a pod that forbids the drain leaves the node alone, and is told as data with what would change the outcome', async () => {
    const stores = makePod('c', { emptyDirs: [{ name: 'cache', medium: 'Memory', sizeLimit: '64Mi' }] });
    const cluster = new FakeCluster([...cartPods('a'), bare('b'), stores], [makeBudget('cart')]);
    expect(await drainOf(cluster, {}, params, true)()).toMatchObject({
      state: 'failed',
      reason: 'DrainBlocked',
      blockers: [
        { pod: 'shop/b', uid: 'uid-b', cause: 'NoController', detail: 'force: true deletes it, and nothing makes it again' },
        {
          pod: 'shop/c',
          cause: 'LocalStorage',
          detail: 'deleteEmptyDirData: true lets it go, and its data is lost: cache: Memory, at most 64Mi',
        },
      ],
    });
    expect(isCordoned(cluster)).toBe(false);
  });
});

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
      next: { changed: ['node/n1', 'pods-on/n1', 'budgets/shop'], orAfter: 600 },
    });
    expect(cluster.evictions).toEqual(['a']);
    expect(await pass(3)).toMatchObject({ ...blocked, next: { orAfter: 597 } });
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

  it('A7 says of an unready pod which policy of the budget would let it go', async () => {
    const unready = makePod('a', { labels: { app: 'cart' }, ready: false });
    const cluster = new FakeCluster([unready], [makeBudget('cart', { currentHealthy: 1 })]);
    cluster.answers.set('a', [budgetRefusal()]);
    const pass = drainOf(cluster);
    await pass();
    expect(await pass()).toMatchObject({ blockers: [{ cause: 'DisruptionBudget', detail: expect.stringContaining('AlwaysAllow') }] });
  });

  it('F3 the next try is named once, and nothing changes while nothing changed', async () => {
    const cluster = new FakeCluster(cartPods('a', 'b'), [makeBudget('cart')]);
    cluster.answers.set('a', [budgetRefusal(), budgetRefusal(), budgetRefusal()]);
    const pass = drainOf(cluster);
    await pass();
    const { next: _, ...blocked } = (await pass(1)) as Extract<Progress, { state: 'running' }>;
    const retryAt = '2026-01-02T03:14:06Z';
    expect(blocked.blockers).toMatchObject([
      { pod: 'shop/a', retryAt },
      { pod: 'shop/b', retryAt },
    ]);
    for (const seconds of [5, 300, 599]) {
      const { next: __, ...again } = (await pass(seconds)) as Extract<Progress, { state: 'running' }>;
      expect(again).toEqual(blocked);
    }
    expect(cluster.evictions).toEqual(['a']);
  });

  it('a round cut short by a stop blames no budget, and leaves the blockers as they were', async () => {
    const stopping = new AbortController();
    const open = makeBudget('open', { disruptionsAllowed: 2 });
    const cluster = new FakeCluster([...cartPods('a'), makePod('z', { labels: { app: 'open' } })], [makeBudget('cart'), open]);
    cluster.answers.set('a', [budgetRefusal()]);
    const pass = drainOf(cluster, { signal: stopping.signal });
    const before = await pass();
    stopping.abort();
    const last = await pass(5);
    expect(last).toMatchObject({ state: 'running', reason: 'DisruptionBudget', blockers: [{ pod: 'shop/a' }] });
    expect('blockers' in last && last.blockers?.[0]?.since).toBe('blockers' in before && before.blockers?.[0]?.since);
    expect(cluster.evictions).toEqual([]);
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
    expect(await pass()).toMatchObject({ reason: 'MultiplePDBs', blockers: [{ budget: 'all, cart' }], next: { orAfter: 600 } });
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

  it('A28 a webhook that goes on refusing is asked until the time is over, then named', async () => {
    const cluster = new FakeCluster(webPods('a'));
    const denied = () => refusal(400, { message: 'admission webhook "g" denied the request: no' });
    cluster.answers.set('a', Array.from({ length: 100 }, denied));
    const pass = drainOf(cluster);
    await pass();
    for (let seconds = 15; seconds < 600; seconds += 15) expect(await pass(seconds)).toMatchObject({ reason: 'WebhookDenied' });
    expect(cluster.evictions).toHaveLength(39);
    expect(await pass(600)).toMatchObject({ state: 'failed', reason: 'Timeout', blockers: [{ cause: 'WebhookDenied' }] });
  });

  it('E10 a missing right ends it at once and is named', async () => {
    const cluster = new FakeCluster(webPods('a'));
    cluster.answers.set('a', [refusal(403, { message: 'User "x" cannot create resource "pods/eviction"' })]);
    const pass = drainOf(cluster);
    await pass();
    expect(await pass()).toMatchObject({ state: 'failed', reason: 'Forbidden', message: /cannot create resource "pods\/eviction"/ });
  });
});
