import { describe, expect, it } from 'vitest';
import { drainOf, nextOf, params, webPods } from './drain-passes.ts';
import { FakeCluster, makeNode, makePod } from './fake-cluster.ts';

const withClaim = (name: string) => makePod(name, { claims: [`${name}-data`] });
const attachmentLists = (cluster: FakeCluster) => cluster.calls.filter((call) => call === 'list attachments').length;

/** Up to the pass in which the pods are gone. */
async function gone(cluster: FakeCluster, asked = params) {
  const pass = drainOf(cluster, {}, asked);
  await pass();
  await pass();
  cluster.vanish();
  return pass;
}

describe('M11 A23 the volumes of the pods that went', () => {
  it('are waited for, over restarts too, with growing pauses', async () => {
    const cluster = new FakeCluster([withClaim('db'), ...webPods('web')]);
    cluster.attached = ['pv-2', 'pv-1'];
    const pass = await gone(cluster);
    const waiting = await pass(10);
    expect(waiting).toMatchObject({
      state: 'running',
      reason: 'VolumesAttached',
      message: 'all pods that had to go have left node n1; still attached: pv-1, pv-2',
      done: 2,
      total: 2,
      result: { evicted: 2, remaining: 0, volumes: { attached: ['pv-1', 'pv-2'], since: expect.any(String) } },
    });
    expect(nextOf(waiting)).toMatchObject({ changed: expect.arrayContaining(['node/n1']) });
    cluster.forgetAll();
    cluster.attached = [];
    expect(await pass(20)).toMatchObject({ state: 'succeeded', result: { verified: true, volumes: { attached: [] } } });
  });

  it.each([
    ['its own timeout', { ...params, volumeDetachTimeoutSeconds: 30 }, 40],
    ['the timeout of the drain', { ...params, timeoutSeconds: 35 }, 35],
  ])('%s ends the wait as a failure', async (_row, asked, seconds) => {
    const cluster = new FakeCluster([withClaim('db')]);
    cluster.attached = ['pv-1'];
    const pass = await gone(cluster, asked);
    expect(nextOf(await pass(10))).toMatchObject({ orAfter: expect.closeTo(0.5, 0) });
    expect(await pass(seconds - 1)).toMatchObject({ state: 'running' });
    expect(await pass(seconds)).toMatchObject({
      state: 'failed',
      reason: 'VolumesAttached',
      result: { evicted: 1, remaining: 0, volumes: { attached: ['pv-1'] } },
    });
  });

  it.each([
    ['pods without claims', [makePod('web')], params],
    ['a timeout of 0', [withClaim('db')], { ...params, volumeDetachTimeoutSeconds: 0 }],
  ])('nothing is asked for %s', async (_row, pods, asked) => {
    const cluster = new FakeCluster(pods);
    cluster.attached = ['pv-1'];
    const pass = await gone(cluster, asked);
    expect(await pass(10)).toMatchObject({ state: 'succeeded' });
    expect(attachmentLists(cluster)).toBe(0);
  });

  it('a second drain waits for what the first left attached', async () => {
    const cluster = new FakeCluster();
    cluster.node = makeNode({ volumesAttached: true });
    cluster.attached = ['pv-1'];
    const pass = drainOf(cluster);
    expect(await pass()).toMatchObject({ reason: 'VolumesAttached', total: 0 });
    cluster.attached = [];
    expect(await pass(5)).toMatchObject({ state: 'succeeded' });
  });

  it('the volumes of a pod that stays are not waited for; a claim that is gone is none', async () => {
    const controller = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'agent', uid: 'd' };
    const agent = makePod('agent', { controller, claims: ['cache', 'lost'] });
    const cluster = new FakeCluster([withClaim('db'), agent]);
    const meta = (name: string) => ({ name, uid: 'u', resourceVersion: '1' });
    cluster.objects.set('DaemonSet/shop/agent', { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: meta('agent') });
    const claim = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: meta('cache'), spec: { volumeName: 'pv-cache' } };
    cluster.objects.set('PersistentVolumeClaim/shop/cache', claim);
    cluster.attached = ['pv-cache'];
    const pass = await gone(cluster);
    expect(await pass(10)).toMatchObject({ state: 'succeeded', result: { skipped: { daemonSet: 1 } } });
    expect(attachmentLists(cluster)).toBe(1);
  });
});
