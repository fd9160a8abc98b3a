import { describe, expect, it } from 'vitest';
import type { ActionContext, Progress } from '../../operator/actions/action.ts';
import { deletePod } from '../../operator/actions/delete-pod.ts';
import { evict } from '../../operator/actions/evict.ts';
import { ApiUnreachable } from '../../operator/kube/error.ts';
import { budgetRefusal, contextFor, FakeCluster, makeBudget, makePod, refusal } from './fake-cluster.ts';

const params = evict.params.parse({ namespace: 'shop', podName: 'a' });

function passesOf(cluster: FakeCluster, action = evict, more: Partial<ActionContext> = {}) {
  let before: ActionContext['before'] = { result: {}, blockers: [] };
  return async (seconds = 0): Promise<Progress> => {
    cluster.seconds = seconds;
    const progress = await action.execute(params, contextFor(cluster, { targetUID: 'uid-a', ...more, before }, seconds));
    before = { result: progress.result ?? {}, blockers: ('blockers' in progress && progress.blockers) || [] };
    return progress;
  };
}

const cart = () => makePod('a', { labels: { app: 'cart' } });

describe('Evict and DeletePod', () => {
  it.each([
    [evict, 'evict a', 'pod shop/a evicted'],
    [deletePod, 'delete a', 'pod shop/a deleted'],
  ] as const)('asks once, waits by UID, and verifies', async (action, call, message) => {
    const cluster = new FakeCluster([makePod('a')]);
    const pass = passesOf(cluster, action);
    expect(await pass()).toMatchObject({ reason: 'WaitingForPods', next: { kind: 'when', changed: ['pod/shop/a'], orAfter: 300 } });
    await pass(1);
    cluster.pods = [makePod('a', { uid: 'namesake' })];
    expect(await pass(2)).toMatchObject({ state: 'succeeded', message, result: { changed: true, gone: true, uid: 'uid-a' } });
    expect(cluster.calls).toEqual([call, 'get pod a']);
  });

  it.each([evict, deletePod])('M9 $name of a pod by its name is a wish that its marks do not overrule', async (action) => {
    const marks = [{ name: 'karpenter.sh/do-not-disrupt' as const, value: 'true' }];
    const cluster = new FakeCluster([makePod('a', { disruption: { marks } })]);
    expect(await passesOf(cluster, action)()).toMatchObject({ state: 'running', reason: 'WaitingForPods' });
  });

  it.each([
    ['never was there', { targetUID: '' }, 'pod shop/a was already gone'],
    ['went before it was asked', { targetUID: 'uid-a' }, 'pod shop/a is gone'],
  ])('K21 a pod that %s is done', async (_row, more, message) => {
    const cluster = new FakeCluster();
    expect(await passesOf(cluster, evict, more)()).toMatchObject({ state: 'succeeded', message, result: { changed: false } });
    expect(cluster.evictions).toEqual([]);
  });

  const UNKNOWN = 'whether by this action or by others is unknown: an earlier attempt ended without a record';

  it.each([
    ['an earlier process may have asked it', { targetUID: 'uid-a', resumed: true }, 'Unknown', `pod shop/a is gone; ${UNKNOWN}`],
    ['it was not there when the action began', { targetUID: '', resumed: true }, false, 'pod shop/a was already gone'],
  ])('F1 A50 a pod that is gone when %s', async (_row, more, changed, message) => {
    const cluster = new FakeCluster();
    expect(await passesOf(cluster, evict, more)()).toMatchObject({ state: 'succeeded', message, result: { changed, asked: changed } });
  });

  it('F1 A50 what an earlier process recorded is known', async () => {
    const before = { result: { asked: true }, blockers: [] };
    const context = contextFor(new FakeCluster(), { targetUID: 'uid-a', resumed: true, before });
    expect(await evict.execute(params, context)).toMatchObject({ message: 'pod shop/a evicted', result: { changed: true } });
  });

  it('F1 A50 a pod that terminates after a restart may do so for this action', async () => {
    const cluster = new FakeCluster([makePod('a', { deletionTimestamp: '2026-01-02T03:04:35Z' })]);
    const pass = passesOf(cluster, evict, { resumed: true });
    expect(await pass()).toMatchObject({ reason: 'WaitingForPods', result: { asked: 'Unknown' } });
    expect(cluster.evictions).toEqual([]);
  });

  it('K21 a pod that went between the look and the question was not evicted by this action', async () => {
    const cluster = new FakeCluster([makePod('a')]);
    cluster.answers.set('a', [refusal(404, { reason: 'NotFound' })]);
    const pass = passesOf(cluster);
    await pass();
    cluster.pods = [];
    expect(await pass(1)).toMatchObject({ state: 'succeeded', message: 'pod shop/a is gone', result: { changed: false } });
  });

  it('F1 A50 an eviction without an answer leaves open who made the pod go', async () => {
    const cluster = new FakeCluster([makePod('a')]);
    cluster.answers.set('a', [new ApiUnreachable('POST: no answer within 30 s')]);
    const pass = passesOf(cluster);
    expect(await pass()).toMatchObject({ state: 'running', result: { asked: false } });
    cluster.pods = [];
    expect(await pass(1)).toMatchObject({ state: 'succeeded', message: `pod shop/a is gone; ${UNKNOWN}`, result: { changed: 'Unknown' } });
  });

  it('K25 a namesake is never touched', async () => {
    const cluster = new FakeCluster([makePod('a', { uid: 'namesake' })]);
    expect(await passesOf(cluster)()).toMatchObject({ state: 'succeeded', message: 'pod shop/a is gone' });
    expect(cluster.evictions).toEqual([]);
  });

  it('E1 a terminating pod is only waited for', async () => {
    const cluster = new FakeCluster([makePod('a', { deletionTimestamp: '2026-01-02T03:04:35Z' })]);
    expect(await passesOf(cluster)()).toMatchObject({ reason: 'WaitingForPods' });
    expect(cluster.calls).toEqual([]);
  });

  it('E2 waits for the change of the budget', async () => {
    const cluster = new FakeCluster([cart()], [makeBudget('cart')]);
    cluster.answers.set('a', [budgetRefusal()]);
    const pass = passesOf(cluster);
    expect(await pass()).toMatchObject({
      reason: 'DisruptionBudget',
      message: 'shop/a blocked by budget shop/cart: 2 healthy pods needed, 2 there',
      next: { changed: ['pod/shop/a', 'budgets/shop'], orAfter: 300 },
    });
    await pass(5);
    expect(cluster.evictions).toEqual(['a']);
    cluster.budgetList = [makeBudget('cart', { disruptionsAllowed: 1, resourceVersion: '2' })];
    expect(await pass(6)).toMatchObject({ reason: 'WaitingForPods' });
  });

  it('a deletion asks no budget', async () => {
    const cluster = new FakeCluster([cart()], [makeBudget('cart')]);
    expect(await passesOf(cluster, deletePod)()).toMatchObject({ reason: 'WaitingForPods' });
  });

  it('K26 a timeout says what is in the way, counted from the start', async () => {
    const cluster = new FakeCluster([cart()], [makeBudget('cart')]);
    cluster.answers.set('a', [budgetRefusal()]);
    const pass = passesOf(cluster);
    await pass();
    expect(await pass(300)).toMatchObject({
      state: 'failed',
      reason: 'Timeout',
      message: 'pod shop/a is still there after 300 s: shop/a blocked by budget shop/cart: 2 healthy pods needed, 2 there',
      blockers: [{ pod: 'shop/a' }],
      result: { gone: false },
    });
    expect(cluster.evictions).toEqual(['a']);
  });

  it('E10 names the missing right', async () => {
    const cluster = new FakeCluster([makePod('a')]);
    cluster.answers.set('a', [refusal(403, { message: 'User "x" cannot delete resource "pods"' })]);
    expect(await passesOf(cluster, deletePod)()).toMatchObject({ state: 'failed', reason: 'Forbidden', message: /cannot delete/ });
  });

  it('stops asking when the operator stops', async () => {
    const cluster = new FakeCluster([makePod('a')]);
    expect(await passesOf(cluster, evict, { signal: AbortSignal.abort() })()).toMatchObject({ state: 'running' });
    expect(cluster.evictions).toEqual([]);
  });

  it.each([
    [
      'would go',
      [makePod('a', { claims: ['data'], graceSeconds: 5 })],
      {
        change: 1,
        skip: [],
        blocked: [],
        pods: [{ pod: 'shop/a', verdict: 'Evict', round: 1 }],
        budgets: [],
        volumes: [{ pod: 'shop/a', kind: 'PersistentVolumeClaim', name: 'data' }],
        estimateSeconds: 5,
      },
    ],
    ['is gone', [], { change: 0, skip: ['pod shop/a: already gone'], blocked: [] }],
    ['is going', [makePod('a', { deletionTimestamp: 'x' })], { change: 0, skip: ['pod shop/a: already terminating'], blocked: [] }],
    [
      'has to wait',
      [cart()],
      {
        change: 1,
        skip: [],
        blocked: ['shop/a: waits for budget shop/cart: 2 healthy pods needed, 2 there; it would go in round 2'],
        pods: [{ pod: 'shop/a', verdict: 'Wait', reason: 'DisruptionBudget', budget: 'shop/cart', round: 2 }],
        budgets: [{ budget: 'shop/cart', pods: 1, allowedNow: 0, rounds: 2 }],
        volumes: [],
        estimateSeconds: 60,
      },
    ],
  ])('plans for a pod that %s', async (_row, pods, plan) => {
    const cluster = new FakeCluster(pods, [makeBudget('cart')]);
    expect(await evict.plan(params, contextFor(cluster, { targetUID: 'uid-a' }))).toEqual(plan);
    expect(cluster.calls.every((call) => call.startsWith('get '))).toBe(true);
  });

  it('a deletion asks no budget, and its plan says so', async () => {
    const cluster = new FakeCluster([cart()], [makeBudget('cart')]);
    expect(await deletePod.plan(params, contextFor(cluster, { targetUID: 'uid-a' }))).toMatchObject({
      blocked: [],
      pods: [{ pod: 'shop/a', verdict: 'Delete', round: 1 }],
      budgets: [],
    });
  });
});
