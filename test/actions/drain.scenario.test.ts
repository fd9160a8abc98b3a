import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cordon } from '../../operator/actions/cordon.ts';
import { drain } from '../../operator/actions/drain/drain.ts';
import { getNode } from '../cluster/nodes.ts';
import { controlPlane, tenant } from '../cluster/shared.ts';
import type { Tenant } from '../cluster/tenant.ts';
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

/** What the drain wrote on this node and to these pods. */
const writesOn = (...names: string[]) => live.writes.filter((line) => names.some((name) => line.includes(name)));

describe('a drain on the real API server', () => {
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

  it('M10 a node that does not exist', async () => {
    const { end } = await live.run(drain, { nodeName: 'nowhere' }, { targetUID: '' });
    expect(end).toMatchObject({ reason: 'TargetNotFound', message: 'node nowhere not found' });
  });

  it('K1 a cordon that was there is told from one of ours', async () => {
    const { node, uid } = await nodeWithTenant('cordoned');
    await live.run(cordon, { nodeName: node, reason: 'by hand' }, { targetUID: uid, actor: 'cloudoptim/first' });
    const { end } = await live.run(drain, { nodeName: node }, { targetUID: uid });
    expect(end).toMatchObject({ result: { cordon: { changed: false, previouslyUnschedulable: true, cordonedBy: 'cloudoptim/first' } } });
  });
});
