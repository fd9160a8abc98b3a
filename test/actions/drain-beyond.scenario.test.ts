import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Progress } from '../../operator/actions/action.ts';
import { cordon } from '../../operator/actions/cordon.ts';
import { drain } from '../../operator/actions/drain/drain.ts';
import { uncordon } from '../../operator/actions/uncordon.ts';
import { formatSeconds } from '../../operator/lib/time.ts';
import { getNode } from '../cluster/nodes.ts';
import { controlPlane, tenant } from '../cluster/shared.ts';
import type { Tenant } from '../cluster/tenant.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { podsOnNode } from '../cluster/workloads.ts';
import { connectLive, type Live } from './live.ts';
import { attach, createVolume, detach } from './volumes.ts';

const { api } = controlPlane;
const EXCLUDED = 'node.kubernetes.io/exclude-from-external-load-balancers';
let live: Live;

beforeAll(async () => {
  live = await connectLive(controlPlane.kubeconfig);
});

afterAll(() => live[Symbol.asyncDispose]());

/** A node of its own, and a second one for the pods that replace those of the first. */
async function scene(name: string): Promise<{ t: Tenant; node: string; uid: string; spare: () => Promise<unknown> }> {
  const t = await tenant(name);
  const [node = ''] = await t.createNodes(1);
  return { t, node, uid: (await getNode(controlPlane, node)).metadata.uid, spare: () => t.createNodes(1) };
}

/** What was written on this node and to these pods. */
const writesOn = (...names: string[]) => live.writes.filter((line) => names.some((name) => line.includes(name)));
const apps = async (node: string) => (await podsOnNode(controlPlane, node)).map((pod) => pod.metadata.labels?.app);
const isWaiting = (progress: Progress, reason: string) => progress.state === 'running' && progress.reason === reason;

/** Does it once, when the drain first says that it waits for this reason. */
function once(reason: string, then: () => Promise<unknown>) {
  let done = false;
  return async (progress: Progress) => {
    if (done || !isWaiting(progress, reason)) return;
    done = true;
    await then();
  };
}

describe('M9 pods that must not be disrupted', () => {
  it.each([
    ['karpenter', { 'karpenter.sh/do-not-disrupt': 'true' }],
    ['autoscaler', { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false' }],
    ['own', { 'cloudoptim.io/do-not-disrupt': '24h' }],
  ])('%s: refuse the node untouched, until the spec overrides them', async (name, annotations) => {
    const { t, node, uid, spare } = await scene(name);
    await t.createDeployment({ name: `${name}-kept`, replicas: 1, annotations });
    const refused = await live.run(drain, { nodeName: node }, { targetUID: uid });
    const [[mark, value] = []] = Object.entries(annotations);
    expect(refused.end).toMatchObject({ reason: 'DrainBlocked', message: expect.stringContaining(`(${mark}: ${value})`) });
    expect(refused.end.message).toContain('set ignoreDoNotDisrupt: true');
    expect(writesOn(node, `${name}-kept`)).toEqual([]);
    await spare();
    const { end } = await live.run(drain, { nodeName: node, ignoreDoNotDisrupt: true }, { targetUID: uid });
    expect(end).toMatchObject({ state: 'succeeded', result: { evicted: 1, warnings: [expect.stringContaining('must not be disrupted')] } });
  });

  it('A32 a protection that ends in time is waited for, and one that is taken away ends at once', async () => {
    const { t, node, uid, spare } = await scene('young');
    const [pod] = await t.createDeployment({ name: 'young', replicas: 1, annotations: { 'karpenter.sh/do-not-disrupt': '1h' } });
    await spare();
    const path = `/api/v1/namespaces/${t.namespace}/pods/${pod?.metadata.name}`;
    const after = once('DoNotDisrupt', () => api.patch(path, { metadata: { annotations: { 'karpenter.sh/do-not-disrupt': null } } }));
    const { end, passes } = await live.run(drain, { nodeName: node, timeoutSeconds: 7200 }, { targetUID: uid, after });
    expect(end).toMatchObject({ state: 'succeeded', result: { evicted: 1 } });
    const { startTime = '' } = (pod?.status ?? {}) as { startTime?: string };
    expect(passes.find((progress) => isWaiting(progress, 'DoNotDisrupt'))).toMatchObject({
      blockers: [{ cause: 'DoNotDisrupt', retryAt: formatSeconds(new Date(Date.parse(startTime) + 3_600_000)) }],
    });
  });

  it('the label of Cluster API leaves a pod alone', async () => {
    const { t, node, uid, spare } = await scene('labelled');
    await t.createDeployment({ name: 'stays', replicas: 1, labels: { 'cluster.x-k8s.io/drain': 'skip' } });
    await t.createDeployment({ name: 'moves', replicas: 1 });
    await spare();
    const { end } = await live.run(drain, { nodeName: node }, { targetUID: uid });
    expect(end).toMatchObject({ state: 'succeeded', result: { evicted: 1, skipped: { drainLabel: 1 } } });
    expect(await apps(node)).toEqual(['stays']);
  });
});

describe('M8 rules', () => {
  it('A22 the next order is asked to go when the earlier has gone, over restarts too', async () => {
    const { t, node, uid, spare } = await scene('ordered');
    await t.createDeployment({ name: 'web', replicas: 3, terminatesAfter: '1s' });
    await t.createDeployment({ name: 'db', replicas: 2 });
    await spare();
    const web = () => live.cluster.view.podsOn(node).filter((pod) => pod.labels.app === 'web').length;
    const asked: [db: number, web: number][] = [];
    const rules = [{ podSelector: 'app=web', order: -1 }];
    const after = () => void asked.push([writesOn(`evict ${t.namespace}/db-`).length, web()]);
    const { end } = await live.run(drain, { nodeName: node, rules }, { targetUID: uid, restart: true, after });
    expect(end).toMatchObject({ state: 'succeeded', result: { evicted: 5 } });
    const tooEarly = asked.filter(([db, left]) => db > 0 && left > 0);
    expect(tooEarly).toEqual([]);
    expect(asked.some(([db, left]) => db === 0 && left > 0)).toBe(true);
  });

  it('a pod that may end by itself is not asked to go while it runs', async () => {
    const { t, node, uid, spare } = await scene('batch');
    const [pod] = await t.createDeployment({ name: 'batch', replicas: 1 });
    await spare();
    const rules = [{ podSelector: 'app=batch', namespaces: [t.namespace], behavior: 'WaitCompleted' as const }];
    const path = `/api/v1/namespaces/${t.namespace}/pods/${pod?.metadata.name}/status`;
    const after = once('WaitingForCompletion', async () => {
      expect(writesOn(`evict ${t.namespace}/batch-`)).toEqual([]);
      await api.patch(path, { status: { phase: 'Succeeded' } });
    });
    const { end, passes } = await live.run(drain, { nodeName: node, rules }, { targetUID: uid, after });
    expect(end).toMatchObject({ state: 'succeeded', result: { evicted: 1 } });
    expect(passes.some((progress) => isWaiting(progress, 'WaitingForCompletion'))).toBe(true);
  });
});

describe('M11 A23 volumes', () => {
  it('are waited for until they are detached; those of pods that stay are not', async () => {
    const { t, node, uid, spare } = await scene('volumes');
    const [data, cache] = await Promise.all([
      createVolume(controlPlane, t.namespace, 'data'),
      createVolume(controlPlane, t.namespace, 'cache'),
    ]);
    const mounting = (claimName: string) => ({ volumes: [{ name: 'v', persistentVolumeClaim: { claimName } }] });
    await t.createDeployment({ name: 'mounts', replicas: 1, podSpec: mounting('data') });
    await t.createDeployment({ name: 'agent', replicas: 1, podSpec: mounting('cache'), labels: { 'cluster.x-k8s.io/drain': 'skip' } });
    await Promise.all([attach(controlPlane, data, node), attach(controlPlane, cache, node), attach(controlPlane, data, 'another-node')]);
    await spare();
    const after = once('VolumesAttached', () => detach(controlPlane, data, node));
    const { end, passes } = await live.run(drain, { nodeName: node }, { targetUID: uid, restart: true, after });
    expect(passes.find((progress) => isWaiting(progress, 'VolumesAttached'))).toMatchObject({
      message: `all pods that had to go have left node ${node}; still attached: ${data}`,
      result: { evicted: 1, remaining: 0, volumes: { attached: [data] } },
    });
    expect(end).toMatchObject({ state: 'succeeded', result: { verified: true, volumes: { attached: [] } } });
    await Promise.all([detach(controlPlane, cache, node), detach(controlPlane, data, 'another-node')]);
  });

  it('that stay attached fail the drain', async () => {
    const { t, node, uid, spare } = await scene('attached');
    const data = await createVolume(controlPlane, t.namespace, 'data');
    await t.createDeployment({
      name: 'held',
      replicas: 1,
      podSpec: { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] },
    });
    await attach(controlPlane, data, node);
    await spare();
    const { end } = await live.run(drain, { nodeName: node, volumeDetachTimeoutSeconds: 1 }, { targetUID: uid });
    expect(end).toMatchObject({
      state: 'failed',
      reason: 'VolumesAttached',
      result: { evicted: 1, remaining: 0, volumes: { attached: [data] } },
    });
    const retried = await live.run(drain, { nodeName: node, volumeDetachTimeoutSeconds: 0 }, { targetUID: uid });
    expect(retried.end).toMatchObject({ state: 'succeeded' });
    await detach(controlPlane, data, node);
  });
});

describe('M14 load balancers', () => {
  it('are told with the cordon, and told again by who uncordons', async () => {
    const { node, uid } = await scene('balanced');
    await live.run(drain, { nodeName: node, excludeFromLoadBalancers: true }, { targetUID: uid });
    expect(await getNode(controlPlane, node)).toMatchObject({
      spec: { unschedulable: true },
      metadata: { labels: { [EXCLUDED]: '' }, annotations: { 'cloudoptim.io/excluded-from-load-balancers-by': 'cloudoptim/test' } },
    });
    await live.run(uncordon, { nodeName: node }, { targetUID: uid });
    const { metadata } = await getNode(controlPlane, node);
    expect(metadata.labels).not.toHaveProperty(EXCLUDED);
    expect(Object.keys(metadata.annotations ?? {}).filter((key) => key.startsWith('cloudoptim.io/'))).toEqual([]);
  });

  it('a label that was there is nobody else’s to take away, and without being asked none is set', async () => {
    const { node, uid } = await scene('foreign');
    await api.patch(`/api/v1/nodes/${node}`, { metadata: { labels: { [EXCLUDED]: 'by-hand' } } });
    await live.run(cordon, { nodeName: node, excludeFromLoadBalancers: true }, { targetUID: uid });
    await live.run(uncordon, { nodeName: node }, { targetUID: uid });
    expect((await getNode(controlPlane, node)).metadata.labels).toMatchObject({ [EXCLUDED]: 'by-hand' });
    await api.patch(`/api/v1/nodes/${node}`, { metadata: { labels: { [EXCLUDED]: null } } });
    await live.run(drain, { nodeName: node }, { targetUID: uid });
    expect((await getNode(controlPlane, node)).metadata.labels).not.toHaveProperty(EXCLUDED);
  });

  it('a node that somebody else cordoned is taken out too, and put back', async () => {
    const { node, uid } = await scene('both');
    await api.patch(`/api/v1/nodes/${node}`, { spec: { unschedulable: true } });
    const { end } = await live.run(cordon, { nodeName: node, excludeFromLoadBalancers: true }, { targetUID: uid });
    expect(end).toMatchObject({ result: { changed: false, previouslyUnschedulable: true } });
    expect((await getNode(controlPlane, node)).metadata.labels).toHaveProperty(EXCLUDED);
    await api.patch(`/api/v1/nodes/${node}`, { spec: { unschedulable: null } });
    await live.run(uncordon, { nodeName: node }, { targetUID: uid });
    expect((await getNode(controlPlane, node)).metadata.labels).not.toHaveProperty(EXCLUDED);
  });
});

describe('M12 escalation', () => {
  const minuteAgo = () => new Date(Date.now() - 60_000);

  it('A8 deletes past a budget only after a refused eviction, and records it', async () => {
    const { t, node, uid, spare } = await scene('escalated');
    await t.createDeployment({ name: 'never', replicas: 2, budget: { maxUnavailable: 0 } });
    await t.createDeployment({ name: 'free', replicas: 1 });
    await spare();
    const escalation = { deleteAfterSeconds: 30 };
    const { end } = await live.run(drain, { nodeName: node, escalation }, { targetUID: uid, startedAt: minuteAgo() });
    const step = { step: 'Deleted', why: expect.stringContaining('disruption budget'), pod: expect.stringContaining('/never-') };
    expect(end).toMatchObject({ state: 'succeeded', result: { evicted: 3, escalation: [step, step] } });
    expect(writesOn('free-').map((line) => line.split(' ')[0])).toEqual(['evict']);
    const verbs = writesOn('never-').map((line) => line.split(' ')[0]);
    expect(verbs.filter((verb) => verb === 'delete')).toHaveLength(2);
    expect(verbs.filter((verb) => verb === 'evict').length).toBeGreaterThanOrEqual(2);
    expect(await podsOnNode(controlPlane, node)).toEqual([]);
  });

  it('A7 deletes what is not ready earlier than the rest', async () => {
    const { t, node, uid, spare } = await scene('unready');
    const [sick] = await t.createDeployment({ name: 'sick', replicas: 2, budget: { maxUnavailable: 0 } });
    const name = sick?.metadata.name ?? '';
    const conditions = [{ type: 'Ready', status: 'False' }];
    await api.patch(`/api/v1/namespaces/${t.namespace}/pods/${name}/status`, { status: { conditions } });
    await waitFor(() => live.cluster.view.pod(t.namespace, name)?.ready === false, { what: 'the watch shows the pod unready' });
    await spare();
    const asked = { nodeName: node, timeoutSeconds: 62, escalation: { deleteUnreadyAfterSeconds: 30 } };
    const { end } = await live.run(drain, asked, { targetUID: uid, startedAt: minuteAgo() });
    expect(end).toMatchObject({
      state: 'failed',
      reason: 'Timeout',
      result: { evicted: 1, remaining: 1, escalation: [{ step: 'Deleted' }] },
    });
    expect(writesOn('sick-').filter((line) => line.startsWith('delete'))).toEqual([`delete ${t.namespace}/${name}`]);
  });

  it('K19 forces a pod that does not end: 1 s first, then none', async () => {
    const { t, node, uid, spare } = await scene('forced');
    await t.createDeployment({ name: 'hangs', replicas: 1, terminatesAfter: '1h', podSpec: { terminationGracePeriodSeconds: 3600 } });
    await spare();
    const { end } = await live.run(drain, { nodeName: node, escalation: { forceAfterSeconds: 1 } }, { targetUID: uid });
    expect(end).toMatchObject({ state: 'succeeded', result: { evicted: 1, escalation: [{ step: 'Shortened' }, { step: 'Forced' }] } });
    expect(writesOn('hangs-').map((line) => line.split(' ')[0])).toEqual(['evict', 'delete', 'delete']);
  });
});
