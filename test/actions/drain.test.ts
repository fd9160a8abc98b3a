import { describe, expect, it } from 'vitest';
import { bare, cartPods, drainOf, nextOf, params, webPods } from './drain-passes.ts';
import { FakeCluster, makeBudget, makeNode, makePod, refusal } from './fake-cluster.ts';

describe('a drain', () => {
  it('I1 A5 looks at what the watch shows, cordons, lists, evicts, and verifies', async () => {
    const cluster = new FakeCluster(webPods('a', 'b'));
    const pass = drainOf(cluster);
    expect(await pass()).toMatchObject({ state: 'running', done: 0, total: 2, next: { kind: 'again', after: 0 } });
    expect(cluster.calls.map((call) => call.split(' ')[0])).toEqual(['get', 'patch', 'list']);
    expect(await pass()).toMatchObject({ reason: 'WaitingForPods', message: 'shop/a, shop/b shutting down' });
    cluster.vanish();
    expect(await pass()).toMatchObject({
      state: 'succeeded',
      message: 'node n1 drained: 2 pods evicted',
      result: { evicted: 2, remaining: 0, total: 2, verified: true, cordon: { changed: true } },
    });
    expect(cluster.calls.slice(-2)).toEqual(['list', 'get node']);
  });

  it('an empty node is drained by its cordon', async () => {
    const cluster = new FakeCluster();
    expect(await drainOf(cluster)()).toMatchObject({ state: 'succeeded', result: { evicted: 0 } });
  });

  it('waiting costs no request', async () => {
    const cluster = new FakeCluster(webPods('a'));
    const pass = drainOf(cluster);
    await pass();
    await pass();
    const before = cluster.calls.length;
    expect(nextOf(await pass(1))).toEqual({ kind: 'when', changed: ['node/n1', 'pods-on/n1'], orAfter: 90 });
    expect(cluster.calls).toHaveLength(before);
  });

  it('I2 K16 a refused pod refuses the whole node, which is not even cordoned', async () => {
    const cluster = new FakeCluster([...webPods('a'), bare('b')]);
    expect(await drainOf(cluster)()).toMatchObject({
      state: 'failed',
      reason: 'DrainBlocked',
      message: 'no pod evicted because of pods without a controller (set force: true to delete them): shop/b',
      result: { evicted: 0, remaining: 2, remainingPods: ['shop/a', 'shop/b'] },
    });
    expect(cluster.node?.unschedulable).toBe(false);
    expect(cluster.evictions).toEqual([]);
  });

  it('I2 a refusal is told on the word of a fresh list only, and a pod that the watch did not show yet still stops it', async () => {
    const behind = new FakeCluster(webPods('a'));
    behind.stalePods = [...webPods('a'), bare('gone')];
    expect(await drainOf(behind)()).toMatchObject({ state: 'running', total: 1 });
    const ahead = new FakeCluster([...webPods('a'), bare('new')]);
    ahead.stalePods = webPods('a');
    expect(await drainOf(ahead)()).toMatchObject({ state: 'failed', reason: 'DrainBlocked' });
    expect(ahead.evictions).toEqual([]);
  });

  it('I2 a pod that appears while it runs and is refused stops it', async () => {
    const cluster = new FakeCluster(cartPods('a', 'b'), [makeBudget('cart', { disruptionsAllowed: 1 })]);
    const pass = drainOf(cluster);
    await pass();
    await pass();
    cluster.vanish();
    cluster.pods.push(bare('late'));
    expect(await pass()).toMatchObject({ state: 'failed', reason: 'DrainBlocked', result: { evicted: 1, remaining: 2 } });
    expect(cluster.evictions).toEqual(['a']);
  });

  it('K2 fails closed when the node does not become unschedulable', async () => {
    const cluster = new FakeCluster(webPods('a'));
    cluster.failNextPatch(refusal(403, { message: 'nodes "n1" is forbidden: User "x" cannot patch resource "nodes"' }));
    expect(await drainOf(cluster)()).toMatchObject({ state: 'failed', reason: 'Forbidden', message: /cannot patch/ });
    expect(cluster.evictions).toEqual([]);
  });

  it.each([
    ['does not exist', undefined, 'TargetNotFound'],
    ['M10 was replaced', makeNode({ uid: 'other' }), 'TargetReplaced'],
  ] as const)('the node %s before the start', async (_row, node, reason) => {
    const cluster = new FakeCluster(webPods('a'));
    cluster.node = node;
    expect(await drainOf(cluster)()).toMatchObject({ state: 'failed', reason });
    expect(cluster.calls.some((call) => call.startsWith('patch') || call.startsWith('evict'))).toBe(false);
  });

  it.each([
    ['goes', undefined, 'TargetNotFound'],
    ['is replaced', makeNode({ uid: 'other', unschedulable: true }), 'TargetReplaced'],
    ['is uncordoned by someone', makeNode({ unschedulable: false }), 'Uncordoned'],
  ] as const)('the node %s while it runs', async (_row, node, reason) => {
    const cluster = new FakeCluster(webPods('a'));
    const pass = drainOf(cluster);
    await pass();
    cluster.node = node;
    expect(await pass()).toMatchObject({ state: 'failed', reason });
    expect(cluster.evictions).toEqual([]);
  });

  it('A26 success needs more than an empty cache', async () => {
    const cluster = new FakeCluster(webPods('a'));
    const pass = drainOf(cluster);
    await pass();
    cluster.stalePods = [];
    expect(await pass()).toMatchObject({ state: 'running', done: 0 });
    expect(cluster.evictions).toEqual(['a']);
  });

  it('K9 success does not wait for a pod that should have ended long ago', async () => {
    const cluster = new FakeCluster([makePod('stuck', { deletionTimestamp: '2026-01-02T03:00:00Z' })]);
    expect(await drainOf(cluster)()).toMatchObject({ state: 'succeeded', result: { evicted: 0, skipped: { terminating: 1 } } });
  });

  it('A26 a pod that appeared after the cordon has to go as well', async () => {
    const cluster = new FakeCluster(webPods('a'));
    const pass = drainOf(cluster);
    await pass();
    await pass();
    cluster.vanish();
    cluster.pods.push(makePod('tolerant'));
    expect(await pass()).toMatchObject({ state: 'running', done: 1, total: 2 });
    cluster.vanish();
    expect(await pass()).toMatchObject({ state: 'succeeded', result: { evicted: 2, total: 2 } });
  });

  it('only the pods of the selector go', async () => {
    const cluster = new FakeCluster([makePod('a', { labels: { app: 'shop' } }), makePod('b', { labels: { app: 'other' } })]);
    cluster.listPodsOn = async () => cluster.pods.filter((pod) => pod.labels.app === 'shop');
    const pass = drainOf(cluster, {}, { ...params, podSelector: 'app in (shop, cart)' });
    await pass();
    await pass();
    cluster.vanish();
    expect(await pass()).toMatchObject({ state: 'succeeded', result: { evicted: 1 } });
    expect(cluster.evictions).toEqual(['a']);
  });

  it('M8 the own pod goes when all others have gone', async () => {
    const cluster = new FakeCluster(webPods('a', 'operator'));
    const pass = drainOf(cluster, { ownPod: { namespace: 'shop', name: 'operator' } });
    await pass();
    expect(await pass()).toMatchObject({ message: 'shop/a shutting down; shop/operator goes last' });
    await pass();
    expect(cluster.evictions).toEqual(['a']);
    cluster.vanish();
    await pass();
    expect(cluster.evictions).toEqual(['a', 'operator']);
  });

  it('I5 an accepted eviction is not sent again, while the watch lags and after a restart', async () => {
    const cluster = new FakeCluster(webPods('a'));
    const pass = drainOf(cluster);
    await pass();
    cluster.stalePods = webPods('a');
    await pass();
    await pass();
    cluster.stalePods = undefined;
    cluster.forgetAll();
    expect(await pass()).toMatchObject({ reason: 'WaitingForPods', done: 0, total: 1 });
    expect(cluster.evictions).toEqual(['a']);
  });

  it('stops asking when the operator stops, and goes on in the next process', async () => {
    const cluster = new FakeCluster(webPods('a', 'b'));
    const stopping = new AbortController();
    const pass = drainOf(cluster, { signal: stopping.signal });
    await pass();
    stopping.abort();
    expect(await pass()).toMatchObject({ state: 'running' });
    expect(cluster.evictions).toEqual([]);
  });
});
