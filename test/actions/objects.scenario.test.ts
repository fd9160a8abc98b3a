import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deletePod } from '../../operator/actions/delete-pod.ts';
import { evict } from '../../operator/actions/evict.ts';
import { judgeRefusal } from '../../operator/actions/eviction/verdict.ts';
import { label } from '../../operator/actions/label.ts';
import { NODES } from '../../operator/kube/resources.ts';
import { controlPlane, tenant } from '../cluster/shared.ts';
import type { Tenant } from '../cluster/tenant.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { connectLive, type Live } from './live.ts';

let live: Live;
let t: Tenant;
let node: string;

beforeAll(async () => {
  live = await connectLive(controlPlane.kubeconfig);
  t = await tenant('objects');
  [node = ''] = await t.createNodes(1);
});

afterAll(() => live[Symbol.asyncDispose]());

const signal = () => new AbortController().signal;

describe('actions on the real API server', () => {
  it('F2 the API server itself refuses a patch for another incarnation', async () => {
    const patch = { metadata: { uid: '00000000-0000-0000-0000-000000000000' }, spec: { unschedulable: true } };
    await expect(live.cluster.mergePatch({ resource: NODES, name: node }, patch, signal())).rejects.toMatchObject({ status: 422 });
  });

  it('M15 labels are set, changed, removed and read back on every kind', async () => {
    const [pod] = await t.createDeployment({ name: 'web', replicas: 1 });
    const { namespace } = t;
    const workloads = `/apis/apps/v1/namespaces/${namespace}`;
    const targets = [
      { path: `/api/v1/nodes/${node}`, kind: 'Node', name: node },
      { path: `/api/v1/namespaces/${namespace}`, kind: 'Namespace', name: namespace },
      { path: `/api/v1/namespaces/${namespace}/pods/${pod?.metadata.name}`, kind: 'Pod', namespace, name: pod?.metadata.name ?? '' },
      { path: `${workloads}/deployments/web`, kind: 'Deployment', namespace, name: 'web' },
    ] as const;
    for (const { path, ...target } of targets) {
      const read = () => controlPlane.api.get<{ metadata: { uid: string; labels?: Record<string, string> } }>(path);
      const targetUID = (await read()).metadata.uid;
      const key = 'example.com/team';
      const set = await live.run(label, { ...target, set: { [key]: 'a' } }, { targetUID });
      expect(set.end).toMatchObject({ state: 'succeeded', result: { changed: true, set: { [key]: { from: null, to: 'a' } } } });
      expect((await read()).metadata.labels).toMatchObject({ [key]: 'a' });
      const removed = await live.run(label, { ...target, remove: [key] }, { targetUID });
      expect(removed.end).toMatchObject({ result: { changed: true, removed: [key] } });
      expect((await read()).metadata.labels?.[key]).toBeUndefined();
      const nothing = await live.run(label, { ...target, remove: [key] }, { targetUID });
      expect(nothing.end).toMatchObject({ result: { changed: false } });
    }
  });

  it('E2 an eviction waits for its budget and goes on at its change', async () => {
    const pods = await t.createDeployment({ name: 'guarded', replicas: 2, budget: { minAvailable: 2 } });
    const { name: podName = '', uid: targetUID = '' } = pods[0]?.metadata ?? {};
    const path = `/apis/policy/v1/namespaces/${t.namespace}/poddisruptionbudgets/guarded`;
    let passes = 0;
    const after = async () => void (++passes === 1 && (await controlPlane.api.patch(path, { spec: { minAvailable: 1 } })));
    const run = await live.run(evict, { namespace: t.namespace, podName }, { targetUID, after });
    expect(run.passes[0]).toMatchObject({ reason: 'PDBNeverSatisfiable', blockers: [{ budget: 'guarded', desiredHealthy: 2 }] });
    expect(run.end).toMatchObject({ state: 'succeeded', message: `pod ${t.namespace}/${podName} evicted`, result: { gone: true } });
    const again = await live.run(evict, { namespace: t.namespace, podName }, { targetUID: '' });
    expect(again.end).toMatchObject({ state: 'succeeded', message: `pod ${t.namespace}/${podName} was already gone` });
  });

  it('K25 E6 another UID is a conflict to the API server, and nothing to evict or delete to us', async () => {
    const [pod] = await t.createDeployment({ name: 'kept', replicas: 1 });
    const name = pod?.metadata.name ?? '';
    const stale = { namespace: t.namespace, name, uid: '00000000-0000-0000-0000-000000000000' };
    for (const remove of [live.cluster.evict, live.cluster.deletePod]) {
      const answer = await remove(stale, undefined, signal()).catch(judgeRefusal);
      expect(answer).toEqual({ kind: 'conflict' });
    }
    const params = { namespace: t.namespace, podName: name };
    const { end } = await live.run(deletePod, params, { targetUID: stale.uid });
    expect(end).toMatchObject({ state: 'succeeded', message: `pod ${t.namespace}/${name} is gone` });
    const seen = () => live.cluster.view.pod(t.namespace, name);
    expect(await waitFor(seen)).toMatchObject({ uid: pod?.metadata.uid });
    const deleted = await live.run(deletePod, params, { targetUID: pod?.metadata.uid ?? '' });
    expect(deleted.end).toMatchObject({ state: 'succeeded', message: `pod ${t.namespace}/${name} deleted` });
  });
});
