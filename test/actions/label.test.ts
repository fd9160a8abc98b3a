import { describe, expect, it } from 'vitest';
import { label } from '../../operator/actions/label.ts';
import { contextFor, FakeCluster, refusal } from './fake-cluster.ts';

const asked = label.params.parse({ kind: 'Deployment', namespace: 'shop', name: 'web', set: { a: '1' }, remove: ['b'] });
const context = (cluster: FakeCluster) => contextFor(cluster, { targetUID: 'web-uid' });

function withLabels(labels: Record<string, string>, uid = 'web-uid'): FakeCluster {
  const cluster = new FakeCluster();
  const metadata = { name: 'web', namespace: 'shop', uid, resourceVersion: '7', labels };
  cluster.objects.set('Deployment/shop/web', { apiVersion: 'apps/v1', kind: 'Deployment', metadata });
  return cluster;
}

describe('Label', () => {
  it('M15 sends only what differs, fenced, and shows before and after', async () => {
    const cluster = withLabels({ a: '0', b: '2', c: '3' });
    expect(await label.execute(asked, context(cluster))).toEqual({
      state: 'succeeded',
      message: 'deployment/shop/web 1 label set, 1 label removed',
      result: { changed: true, set: { a: { from: '0', to: '1' } }, removed: ['b'] },
    });
    const patch = { metadata: { labels: { a: '1', b: null }, uid: 'web-uid', resourceVersion: '7' } };
    expect(cluster.calls.at(-1)).toBe(`patch ${JSON.stringify(patch)}`);
  });

  it('writes nothing when nothing changes', async () => {
    const cluster = withLabels({ a: '1' });
    expect(await label.execute(asked, context(cluster))).toMatchObject({
      message: 'deployment/shop/web already has these labels',
      result: { changed: false, set: {}, removed: [] },
    });
    expect(cluster.calls).toEqual(['get Deployment/shop/web']);
  });

  it('F1 A50 after an attempt without a record it is unknown who set the labels', async () => {
    const cluster = withLabels({ a: '1' });
    expect(await label.execute(asked, contextFor(cluster, { targetUID: 'web-uid', resumed: true }))).toMatchObject({
      state: 'succeeded',
      message:
        'deployment/shop/web has these labels; whether by this action or by others is unknown: an earlier attempt ended without a record',
      result: { changed: 'Unknown' },
    });
    expect(cluster.calls).toEqual(['get Deployment/shop/web']);
    expect(await label.execute(asked, contextFor(withLabels({}), { targetUID: 'web-uid', resumed: true }))).toMatchObject({
      result: { changed: true },
    });
  });

  it('M15 reads back: a label that was not kept is a failure', async () => {
    const cluster = withLabels({ b: '2' });
    const patched = cluster.mergePatch.bind(cluster);
    cluster.mergePatch = async (...args) => {
      const answer = await patched(...args);
      return { ...answer, metadata: { ...answer.metadata, labels: { b: '2' } } };
    };
    expect(await label.execute(asked, context(cluster))).toMatchObject({
      state: 'failed',
      reason: 'NotKept',
      message: /did not keep it: a, b$/,
    });
  });

  it('reads again after a conflict and sends what still differs', async () => {
    const cluster = withLabels({ a: '0' });
    cluster.failNextPatch(refusal(409));
    expect(await label.execute(asked, context(cluster))).toMatchObject({ state: 'succeeded' });
  });

  it.each([
    ['TargetNotFound', new FakeCluster()],
    ['TargetReplaced', withLabels({}, 'other')],
  ])('%s', async (reason, cluster) => {
    expect(await label.execute(asked, context(cluster))).toMatchObject({ state: 'failed', reason });
    expect(await label.plan(asked, context(cluster))).toMatchObject({ change: 0, blocked: [/^deployment\/shop\/web: /] });
  });

  it('plans a change, or none', async () => {
    expect(await label.plan(asked, context(withLabels({})))).toEqual({ change: 1, skip: [], blocked: [] });
    expect(await label.plan(asked, context(withLabels({ a: '1' })))).toMatchObject({ change: 0, skip: [/already has/] });
  });

  it('aims at the object', () => {
    expect(label.target(asked)).toEqual({ kind: 'Deployment', namespace: 'shop', name: 'web' });
    expect(label.target({ kind: 'Node', name: 'n1', set: {}, remove: ['a'] })).toEqual({ kind: 'Node', name: 'n1' });
  });
});
