import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cordon } from '../../operator/actions/cordon.ts';
import { drain } from '../../operator/actions/drain/drain.ts';
import { createNodes, deleteNodes, getNode } from '../cluster/nodes.ts';
import { controlPlane, tenant } from '../cluster/shared.ts';
import type { Tenant } from '../cluster/tenant.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { podsOnNode } from '../cluster/workloads.ts';
import { connectLive, type Live } from './live.ts';

let live: Live;

beforeAll(async () => {
  live = await connectLive(controlPlane.kubeconfig);
});

afterAll(() => live[Symbol.asyncDispose]());

const { api } = controlPlane;

async function nodeWithTenant(name: string): Promise<{ t: Tenant; node: string; uid: string }> {
  const t = await tenant(name);
  const [node = ''] = await t.createNodes(1);
  return { t, node, uid: (await getNode(controlPlane, node)).metadata.uid };
}

/** A pod bound to the node by hand, as a static one or a bare one is. */
async function createPod(t: Tenant, name: string, nodeName: string, more: { metadata?: object; spec?: object } = {}): Promise<void> {
  const spec = { nodeName, containers: [{ name: 'main', image: 'example.invalid/none' }], ...more.spec };
  const path = `/api/v1/namespaces/${t.namespace}/pods`;
  await api.create(path, { metadata: { name, ...more.metadata }, spec });
  const seen = () => live.cluster.view.pod(t.namespace, name)?.phase === 'Running';
  await waitFor(seen, { what: `the watch shows ${name} running` });
}

/** What the drain wrote on this node and to these pods. */
const writesOn = (...names: string[]) => live.writes.filter((line) => names.some((name) => line.includes(name)));

describe('a drain on the real API server', () => {
  it('I1 I6 empties the node: cordon first, each pod evicted once, nothing left', async () => {
    const { t, node, uid } = await nodeWithTenant('plain');
    await t.createDeployment({ name: 'web', replicas: 12 });
    await t.createNodes(1);
    const { end } = await live.run(drain, { nodeName: node }, { targetUID: uid });
    expect(end).toMatchObject({ state: 'succeeded', result: { evicted: 12, remaining: 0, verified: true }, done: 12, total: 12 });
    expect(await podsOnNode(controlPlane, node)).toEqual([]);
    expect(await getNode(controlPlane, node)).toMatchObject({
      spec: { unschedulable: true },
      metadata: { annotations: { 'cloudoptim.io/cordoned-by': 'cloudoptim/test' } },
    });
    const written = writesOn(node, 'web-');
    expect(written[0]).toBe(`patch nodes/${node}`);
    expect(new Set(written).size).toBe(13);
  });

  it('A18 E2 keeps to a budget: one at a time, no more refusals than changes of it, the blocker named', async () => {
    const { t, node, uid } = await nodeWithTenant('budget');
    await t.createDeployment({ name: 'guarded', replicas: 6, budget: { maxUnavailable: 1 } });
    await t.createNodes(1);
    const { end, passes } = await live.run(drain, { nodeName: node }, { targetUID: uid });
    expect(end).toMatchObject({ state: 'succeeded', result: { evicted: 6 } });
    const blocked = passes.find((progress) => progress.state === 'running' && progress.reason === 'DisruptionBudget');
    expect(blocked).toMatchObject({
      blockers: expect.arrayContaining([expect.objectContaining({ budget: 'guarded', desiredHealthy: 5 })]),
    });
    expect(writesOn('guarded-').length).toBeLessThanOrEqual(12);
  });

  it('K26 A9 M7 a budget that never allows it ends in a timeout that says so, and the node may be given back', async () => {
    const { t, node, uid } = await nodeWithTenant('never');
    await t.createDeployment({ name: 'stuck', replicas: 2, budget: { minAvailable: 2 } });
    const params = drain.params.parse({ nodeName: node, timeoutSeconds: 1, uncordonOnFailure: true });
    const { end, context } = await live.run(drain, params, { targetUID: uid });
    expect(end).toMatchObject({
      state: 'failed',
      reason: 'Timeout',
      result: { evicted: 0, remaining: 2 },
      blockers: [{ cause: 'PDBNeverSatisfiable', budget: 'stuck' }, { cause: 'PDBNeverSatisfiable' }],
    });
    expect(end.message).toContain('which never allows a disruption: all 2 expected pods are healthy and all are needed');
    expect(await drain.compensate?.(params, context)).toBe(`node ${node} uncordoned again`);
    expect((await getNode(controlPlane, node)).spec.unschedulable).toBeUndefined();
  });

  it('E5 A6 two budgets on one pod are named', async () => {
    const { t, node, uid } = await nodeWithTenant('twice');
    await t.createDeployment({ name: 'both', replicas: 1, budget: { maxUnavailable: 1 } });
    await api.create(`/apis/policy/v1/namespaces/${t.namespace}/poddisruptionbudgets`, {
      metadata: { name: 'all' },
      spec: { selector: {}, maxUnavailable: 1 },
    });
    await waitFor(() => live.cluster.view.budgets(t.namespace).length === 2, { what: 'the watch shows both budgets' });
    const { end } = await live.run(drain, { nodeName: node, timeoutSeconds: 1 }, { targetUID: uid });
    expect(end).toMatchObject({ reason: 'Timeout', blockers: [{ cause: 'MultiplePDBs', budget: 'all, both' }] });
    expect(writesOn('both-')).toHaveLength(1);
  });

  it('K10 K12 leaves the pods of a DaemonSet, with a warning, or is refused by them', async () => {
    const { t, node, uid } = await nodeWithTenant('daemons');
    const selector = { matchLabels: { app: 'proxy' } };
    const template = {
      metadata: { labels: { app: 'proxy' } },
      spec: { nodeSelector: t.nodeSelector, containers: [{ name: 'main', image: 'example.invalid/none' }] },
    };
    await api.create(`/apis/apps/v1/namespaces/${t.namespace}/daemonsets`, { metadata: { name: 'proxy' }, spec: { selector, template } });
    await waitFor(() => live.cluster.view.podsOn(node).some((pod) => pod.phase === 'Running'), { what: 'the DaemonSet runs a pod' });
    const refused = await live.run(drain, { nodeName: node, ignoreDaemonSets: false }, { targetUID: uid });
    expect(refused.end).toMatchObject({ reason: 'DrainBlocked', message: expect.stringContaining('set ignoreDaemonSets: true') });
    const left = await live.run(drain, { nodeName: node }, { targetUID: uid });
    expect(left.end).toMatchObject({ state: 'succeeded', result: { skipped: { daemonSet: 1 }, evicted: 0 } });
    expect(await podsOnNode(controlPlane, node)).toHaveLength(1);
  });

  it('K14 K15 I2 emptyDir and unmanaged pods refuse the node, untouched, until they are allowed to go', async () => {
    const { t, node, uid } = await nodeWithTenant('refused');
    await t.createDeployment({ name: 'ok', replicas: 1 });
    const volumes = [{ name: 'cache', emptyDir: { medium: 'Memory', sizeLimit: '64Mi' } }];
    await createPod(t, 'bare', node, { spec: { volumes } });
    await createPod(t, 'lone', node);
    const refused = await live.run(drain, { nodeName: node }, { targetUID: uid });
    expect(refused.end).toMatchObject({ reason: 'DrainBlocked', result: { evicted: 0, remaining: 3 } });
    expect(refused.end.message).toContain(`set deleteEmptyDirData: true to lose it): ${t.namespace}/bare (cache: Memory, at most 64Mi)`);
    expect(refused.end.message).toContain(`set force: true to delete them): ${t.namespace}/lone`);
    expect(writesOn(node)).toEqual([]);
    const allowed = await live.run(drain, { nodeName: node, force: true, deleteEmptyDirData: true }, { targetUID: uid });
    expect(allowed.end).toMatchObject({ state: 'succeeded', result: { evicted: 3, warnings: [expect.any(String), expect.any(String)] } });
  });

  it('K15 a finished pod without a controller goes, K13 a static pod stays', async () => {
    const { t, node, uid } = await nodeWithTenant('finished');
    await createPod(t, 'job', node);
    await createPod(t, 'static', node, { metadata: { annotations: { 'kubernetes.io/config.mirror': 'x' } } });
    await api.patch(`/api/v1/namespaces/${t.namespace}/pods/job/status`, { status: { phase: 'Succeeded' } });
    await waitFor(() => live.cluster.view.pod(t.namespace, 'job')?.phase === 'Succeeded', { what: 'the watch shows job finished' });
    const { end } = await live.run(drain, { nodeName: node }, { targetUID: uid });
    expect(end).toMatchObject({ state: 'succeeded', result: { evicted: 1, skipped: { mirror: 1 } } });
    expect((await podsOnNode(controlPlane, node)).map((pod) => pod.metadata.name)).toEqual(['static']);
  });

  it('E1 I5 a terminating pod is waited for, not evicted again, by whatever process', async () => {
    const { t, node, uid } = await nodeWithTenant('leaving');
    const [pod] = await t.createDeployment({ name: 'slow', replicas: 1, terminatesAfter: '1s' });
    await t.createNodes(1);
    await api.remove(`/api/v1/namespaces/${t.namespace}/pods/${pod?.metadata.name}`);
    const { end, passes } = await live.run(drain, { nodeName: node }, { targetUID: uid, restart: true });
    expect(end).toMatchObject({ state: 'succeeded', result: { evicted: 1, total: 1 } });
    expect(passes.some((progress) => progress.state === 'running' && progress.reason === 'WaitingForPods')).toBe(true);
    expect(writesOn('slow-')).toEqual([]);
  });

  it('F1 every pass may be made by another process', async () => {
    const { t, node, uid } = await nodeWithTenant('restarts');
    await t.createDeployment({ name: 'often', replicas: 5, budget: { maxUnavailable: 2 } });
    await t.createNodes(1);
    const { end } = await live.run(drain, { nodeName: node }, { targetUID: uid, restart: true });
    expect(end).toMatchObject({ state: 'succeeded', result: { evicted: 5, total: 5, cordon: { changed: true } } });
  });

  it('M10 a node that does not exist, and one replaced under the same name while it is drained', async () => {
    const { t, node, uid } = await nodeWithTenant('replaced');
    const absent = await live.run(drain, { nodeName: `${node}-none` }, { targetUID: '' });
    expect(absent.end).toMatchObject({ reason: 'TargetNotFound', message: `node ${node}-none not found` });
    await t.createDeployment({ name: 'kept', replicas: 1, budget: { minAvailable: 1 } });
    let replaced = false;
    const after = async () => {
      if (replaced) return;
      replaced = true;
      await deleteNodes(controlPlane, [node]);
      await createNodes(controlPlane, [node], { labels: t.nodeSelector });
    };
    const { end } = await live.run(drain, { nodeName: node }, { targetUID: uid, after });
    expect(end).toMatchObject({ state: 'failed', reason: expect.stringMatching(/^Target(Replaced|NotFound)$/) });
    expect((await getNode(controlPlane, node)).spec.unschedulable).toBeUndefined();
  });

  it("K5 K6 the selector is the API server's, and a plan writes nothing", async () => {
    const { t, node, uid } = await nodeWithTenant('chosen');
    await t.createDeployment({ name: 'stays', replicas: 1 });
    await t.createDeployment({ name: 'moves', replicas: 1 });
    await t.createNodes(1);
    const params = drain.params.parse({ nodeName: node, podSelector: 'app in (moves)' });
    const context = { now: new Date(), startedAt: new Date(), signal: new AbortController().signal, actor: 'cloudoptim/plan' };
    const before = { result: {}, blockers: [] };
    const plan = await drain.plan(params, { ...context, cluster: live.cluster, targetUID: uid, before });
    expect(plan).toMatchObject({ change: 1, skip: [], blocked: [], pods: [{ verdict: 'Evict', round: 1 }], estimateSeconds: 30 });
    expect(writesOn(node, 'moves-')).toEqual([]);
    const { end } = await live.run(drain, params, { targetUID: uid });
    expect(end).toMatchObject({ state: 'succeeded', result: { evicted: 1 } });
    expect((await podsOnNode(controlPlane, node)).map((pod) => pod.metadata.labels?.app)).toEqual(['stays']);
  });

  it('K1 a cordon that was there is told from one of ours', async () => {
    const { node, uid } = await nodeWithTenant('cordoned');
    await live.run(cordon, { nodeName: node, reason: 'by hand' }, { targetUID: uid, actor: 'cloudoptim/first' });
    const { end } = await live.run(drain, { nodeName: node }, { targetUID: uid });
    expect(end).toMatchObject({ result: { cordon: { changed: false, previouslyUnschedulable: true, cordonedBy: 'cloudoptim/first' } } });
  });
});
