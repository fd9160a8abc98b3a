import { describe, expect, it } from 'vitest';
import { drain } from '../../operator/actions/drain/drain.ts';
import type { JsonObject } from '../../operator/lib/json.ts';
import { cartPods, drainOf, nextOf, params, webPods } from './drain-passes.ts';
import { budgetRefusal, contextFor, FakeCluster, makeBudget, makeNode } from './fake-cluster.ts';

describe('the end of a drain that was not done', () => {
  it('K26 K32 A9 a timeout says what is left and why, counted from the recorded start', async () => {
    const cluster = new FakeCluster([...cartPods('a', 'b'), ...webPods('free')], [makeBudget('cart')]);
    cluster.answers.set('a', [budgetRefusal()]);
    const pass = drainOf(cluster);
    await pass();
    await pass();
    cluster.vanish();
    cluster.forgetAll();
    expect(await pass(600)).toMatchObject({
      state: 'failed',
      reason: 'Timeout',
      message:
        'not done within 600 s; 1 of 3 pods evicted, left: shop/a, shop/b; shop/a, shop/b blocked by budget shop/cart: 2 healthy pods needed, 2 there',
      blockers: [{ pod: 'shop/a' }, { pod: 'shop/b' }],
      result: { evicted: 1, remaining: 2, remainingPods: ['shop/a', 'shop/b'] },
    });
  });

  it('a look that the stop of the operator cut short says nothing, so that the status stays as it is for the next process', async () => {
    const stopping = new AbortController();
    const cluster = new FakeCluster(webPods('a'));
    const pass = drainOf(cluster, { signal: stopping.signal });
    await pass();
    cluster.forgetAll();
    const cut = new Error('cut off');
    cluster.listPodsOn = async () => {
      stopping.abort();
      throw cut;
    };
    await expect(pass()).rejects.toBe(cut);
  });

  it('a node that is empty when the time is over is drained', async () => {
    const cluster = new FakeCluster(webPods('a'));
    const pass = drainOf(cluster);
    await pass();
    await pass();
    cluster.vanish();
    expect(await pass(600)).toMatchObject({ state: 'succeeded' });
  });

  it('the wait ends with the timeout', async () => {
    const cluster = new FakeCluster(webPods('a'));
    const pass = drainOf(cluster, {}, { ...params, timeoutSeconds: 20 });
    await pass();
    await pass();
    expect(nextOf(await pass(17))).toMatchObject({ orAfter: 3 });
  });

  const asked = { ...params, uncordonOnFailure: true };
  const cordonedBy = (actor: string) => ({ unschedulable: true, annotations: { 'cloudoptim.io/cordoned-by': actor } });

  it.each([
    ['A27 undoes its own cordon', makeNode(cordonedBy('cloudoptim/a')), asked, 'node n1 uncordoned again', false],
    ['K33 leaves the cordon of another action', makeNode(cordonedBy('x/y')), asked, 'node n1 stays cordoned: it was cordoned by x/y', true],
    [
      'A35 leaves the cordon of a person',
      makeNode({ unschedulable: true }),
      asked,
      'node n1 stays cordoned: it was cordoned by someone else',
      true,
    ],
    ['keeps the cordon unless asked', makeNode(cordonedBy('cloudoptim/a')), params, undefined, true],
    ['A38 writes nothing to a namesake', makeNode({ uid: 'other', ...cordonedBy('cloudoptim/a') }), asked, undefined, true],
  ] as const)('%s', async (_row, node, request, says, unschedulable) => {
    const cluster = new FakeCluster();
    cluster.node = node;
    expect(await drain.compensate?.(request, contextFor(cluster))).toBe(says);
    expect(cluster.node.unschedulable).toBe(unschedulable);
  });

  it('K1 a cordon that was there before stays', async () => {
    const cluster = new FakeCluster();
    cluster.node = makeNode({ unschedulable: true });
    const end = await drainOf(cluster)();
    expect((end.result as JsonObject).cordon).toEqual({ changed: false, previouslyUnschedulable: true, cordonedBy: '' });
    expect(cluster.calls.some((call) => call.startsWith('patch'))).toBe(false);
  });
});
