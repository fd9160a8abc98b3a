import { describe, expect, it } from 'vitest';
import type { Escalation } from '../../operator/actions/drain/escalation.ts';
import type { Pod } from '../../operator/kube/pod.ts';
import { cartPods, drainOf, nextOf, params } from './drain-passes.ts';
import { budgetRefusal, FakeCluster, makeBudget, makePod, refusal, START } from './fake-cluster.ts';

const asking = (escalation: Escalation) => ({ ...params, escalation });
const removals = (cluster: FakeCluster) => cluster.calls.filter((call) => /^(evict|delete)/.test(call));
const marks = [{ name: 'karpenter.sh/do-not-disrupt' as const, value: 'true' }];

/** One pod whose first evictions its budget refuses. */
function blockedPods(more: Partial<Pod> = {}, refusals = 1): FakeCluster {
  const cluster = new FakeCluster(
    cartPods('a').map((pod) => ({ ...pod, ...more })),
    [makeBudget('cart')],
  );
  cluster.answers.set(
    'a',
    Array.from({ length: refusals }, () => budgetRefusal()),
  );
  return cluster;
}

/** A pod that was asked to go 10 s after the start and got so much grace. */
function leaving(name: string, grace: number, more: Partial<Pod> = {}): Pod {
  const deletionTimestamp = new Date(START.getTime() + (10 + grace) * 1000).toISOString();
  return makePod(name, { deletionTimestamp, deletionGraceSeconds: grace, ...more });
}

describe('M12 A8 deleting past a budget', () => {
  it('K28 comes only when the eviction was refused and its time has come, and is recorded with the refusal', async () => {
    const cluster = blockedPods({}, 2);
    const pass = drainOf(cluster, {}, asking({ deleteAfterSeconds: 60 }));
    await pass();
    expect(nextOf(await pass(55))).toMatchObject({ orAfter: 5 });
    expect(removals(cluster)).toEqual(['evict a']);
    expect(await pass(60)).toMatchObject({
      reason: 'WaitingForPods',
      result: { escalation: [{ pod: 'shop/a', uid: 'uid-a', step: 'Deleted', at: '2026-01-02T03:05:05Z', why: 'answer 429' }] },
    });
    expect(removals(cluster)).toEqual(['evict a', 'evict a', 'delete a']);
    cluster.vanish();
    expect(await pass(61)).toMatchObject({
      state: 'succeeded',
      message: 'node n1 drained: 1 pod evicted, 1 of them by escalation',
      result: { escalation: [{ step: 'Deleted' }] },
    });
  });

  it('I4 what the budget lets go is evicted, not deleted', async () => {
    const cluster = blockedPods();
    cluster.answers.clear();
    const pass = drainOf(cluster, {}, asking({ deleteAfterSeconds: 60 }));
    await pass();
    expect((await pass(60)).result).not.toHaveProperty('escalation');
    expect(removals(cluster)).toEqual(['evict a']);
  });

  it('K19 the grace of the spec is kept', async () => {
    const cluster = blockedPods();
    const pass = drainOf(cluster, {}, { ...asking({ deleteAfterSeconds: 60 }), gracePeriodSeconds: 7 });
    await pass();
    await pass(60);
    expect(removals(cluster)).toEqual(['evict a', 'delete with 7 a']);
  });

  it.each([
    ['A7 an unready pod earlier', { ready: false }, { deleteUnreadyAfterSeconds: 60, deleteAfterSeconds: 300 }, 60, true],
    ['a ready pod not yet', {}, { deleteUnreadyAfterSeconds: 60, deleteAfterSeconds: 300 }, 299, false],
    ['a ready pod later', {}, { deleteUnreadyAfterSeconds: 60, deleteAfterSeconds: 300 }, 300, true],
    ['without being asked for never', {}, { forceAfterSeconds: 1 }, 599, false],
  ] as const)('%s', async (_row, more, escalation, seconds, deleted) => {
    const cluster = blockedPods(more);
    const pass = drainOf(cluster, {}, asking(escalation));
    await pass();
    await pass(seconds);
    expect(removals(cluster).includes('delete a')).toBe(deleted);
  });

  it('M9 never a pod that must not be disrupted, though it may be evicted', async () => {
    const cluster = blockedPods({ disruption: { marks } });
    const pass = drainOf(cluster, {}, { ...asking({ deleteAfterSeconds: 60 }), ignoreDoNotDisrupt: true });
    await pass();
    await pass(120);
    expect(removals(cluster)).toEqual(['evict a']);
  });

  it.each([
    ['E6 a conflict', refusal(409), 'running'],
    ['E4 a busy API server', refusal(429), 'running'],
    ['E10 a missing right to evict', refusal(403, { message: 'pods "a" is forbidden: no' }), 'failed'],
    ['404', refusal(404, { reason: 'NotFound' }), 'running'],
  ])('%s is no refusal of the eviction', async (_row, answer, state) => {
    const cluster = blockedPods();
    cluster.answers.set('a', [answer]);
    const pass = drainOf(cluster, {}, asking({ deleteAfterSeconds: 60 }));
    await pass();
    expect((await pass(60)).state).toBe(state);
    expect(removals(cluster)).toEqual(['evict a']);
  });

  it('the missing right to delete is named, and what is left', async () => {
    const cluster = blockedPods();
    cluster.answers.set('a', [budgetRefusal(), refusal(403, { message: 'pods "a" is forbidden: cannot delete' })]);
    const pass = drainOf(cluster, {}, asking({ deleteAfterSeconds: 60 }));
    await pass();
    expect(await pass(60)).toMatchObject({
      state: 'failed',
      reason: 'Forbidden',
      message: expect.stringContaining('cannot delete; 0 of 1 pod evicted, left: shop/a'),
    });
  });
});

describe('M12 forcing a pod that does not end', () => {
  const forced = asking({ forceAfterSeconds: 20 });

  it('cuts its grace to 1 s, and only then to none', async () => {
    const cluster = new FakeCluster([leaving('a', 300)]);
    const pass = drainOf(cluster, {}, forced);
    await pass(10);
    expect(nextOf(await pass(15))).toMatchObject({ orAfter: 15 });
    expect(removals(cluster)).toEqual([]);
    expect(await pass(30)).toMatchObject({ result: { escalation: [{ pod: 'shop/a', step: 'Shortened' }] } });
    expect(removals(cluster)).toEqual(['delete with 1 a']);
    const shortened = { deletionGraceSeconds: 1, deletionTimestamp: new Date(START.getTime() + 31_000).toISOString() };
    cluster.pods = cluster.pods.map((pod) => ({ ...pod, ...shortened }));
    expect(nextOf(await pass(32))).toMatchObject({ orAfter: 4 });
    cluster.forgetAll();
    expect(await pass(36)).toMatchObject({ result: { escalation: [{ step: 'Shortened' }, { step: 'Forced' }] } });
    expect(removals(cluster)).toEqual(['delete with 1 a', 'delete with 0 a']);
  });

  it('a pod whose own grace is 1 s gets all the time that the spec gives', async () => {
    const cluster = new FakeCluster([leaving('a', 1)]);
    const pass = drainOf(cluster, {}, forced);
    await pass(10);
    await pass(29);
    expect(removals(cluster)).toEqual([]);
    await pass(30);
    expect(removals(cluster)).toEqual(['delete with 0 a']);
  });

  it('K9 one that hung long before the drain is forced, not given up', async () => {
    const stuck = { deletionTimestamp: new Date(START.getTime() - 3_600_000).toISOString(), deletionGraceSeconds: 30 };
    const cluster = new FakeCluster([makePod('a', stuck)]);
    const pass = drainOf(cluster, {}, forced);
    await pass();
    await pass();
    expect(removals(cluster)).toEqual(['delete with 1 a']);
  });

  it('nothing stronger is left for a pod that hangs on a finalizer: it is given up after a minute', async () => {
    const cluster = new FakeCluster([leaving('a', 0)]);
    const pass = drainOf(cluster, {}, forced);
    await pass(10);
    await pass(70);
    expect(await pass(71)).toMatchObject({ state: 'succeeded', result: { skipped: { terminating: 1 } } });
    expect(removals(cluster)).toEqual([]);
  });

  it('never without the spec, and never a pod that must not be disrupted', async () => {
    const plain = new FakeCluster([leaving('a', 300)]);
    const pass = drainOf(plain);
    await pass(10);
    await pass(500);
    const marked = new FakeCluster([leaving('a', 300, { disruption: { marks } })]);
    const other = drainOf(marked, {}, forced);
    await other(10);
    await other(200);
    expect([...removals(plain), ...removals(marked)]).toEqual([]);
  });

  it('lists at most fifty steps, then a count', async () => {
    const names = Array.from({ length: 60 }, (_, index) => `p${String(index).padStart(2, '0')}`);
    const cluster = new FakeCluster(names.map((name) => leaving(name, 300)));
    const pass = drainOf(cluster, {}, forced);
    await pass(10);
    const { result } = await pass(30);
    expect(result).toMatchObject({ escalationOmitted: 10 });
    expect(result?.escalation).toHaveLength(50);
    expect(removals(cluster)).toHaveLength(60);
  });
});
