import { expect } from 'vitest';
import type { OptimizationAction } from '../../operator/api/optimization-action.ts';
import { attach, createVolume, detach } from '../actions/volumes.ts';
import { getNode } from '../cluster/nodes.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { createDeployment, podsOnNode } from '../cluster/workloads.ts';
import { change, ended, make, planAndRun, read, runTask } from './objects.ts';
import { NODES, type Rig, WORK } from './rig.ts';
import { createDaemonSet } from './targets.ts';

const [, HELD, PLAIN, FURTHER] = NODES;

/**
 * A drain that a budget holds and that is cancelled and undone, one that the budget lets go on, plain ones, one that is refused, and one that
 * deletes past a budget and waits for the volumes of the pods that went, but not of the one that stays.
 */
export async function driveDrain(rig: Rig): Promise<void> {
  const { cp } = rig;
  const on = (node: string) => ({ namespace: WORK, nodeSelector: { 'kubernetes.io/hostname': node } });
  const agent = await createDaemonSet(rig, 'agent', HELD);
  await createDeployment(cp, { ...on(HELD), name: 'held', replicas: 2, budget: { maxUnavailable: 0 } });
  await createDeployment(cp, { ...on(PLAIN), name: 'plain', replicas: 2 });

  const refused = await make(rig, { action: 'Drain', params: { nodeName: HELD, ignoreDaemonSets: false } });
  expect((await ended(rig, refused, 'Failed')).status?.conditions).toContainEqual(expect.objectContaining({ reason: 'DrainBlocked' }));

  const cancelled = await make(rig, { action: 'Drain', params: { nodeName: HELD, uncordonOnFailure: true } });
  await isHeld(rig, cancelled);
  await change(rig, cancelled, { cancel: true });
  await ended(rig, cancelled, 'Cancelled');
  expect((await getNode(cp, HELD)).spec.unschedulable).toBeUndefined();

  const waiting = await make(rig, { action: 'Drain', params: { nodeName: HELD } });
  await isHeld(rig, waiting);
  await cp.api.patch(`/apis/policy/v1/namespaces/${WORK}/poddisruptionbudgets/held`, { spec: { maxUnavailable: '100%' } });
  await ended(rig, waiting, 'Succeeded');
  expect((await podsOnNode(cp, HELD)).map(({ metadata }) => metadata.name)).toEqual([agent.metadata.name]);

  await driveFurther(rig);
  await planAndRun(rig, { action: 'Drain', params: { nodeName: PLAIN } });
  expect(await runTask(rig, 'drain_node', { node_name: PLAIN })).toBe('success');
}

async function driveFurther(rig: Rig): Promise<void> {
  const { cp } = rig;
  const mounting = (claimName: string) => ({ volumes: [{ name: 'v', persistentVolumeClaim: { claimName } }] });
  const on = { namespace: WORK, nodeSelector: { 'kubernetes.io/hostname': FURTHER } };
  const [data, cache] = await Promise.all([createVolume(cp, WORK, 'data'), createVolume(cp, WORK, 'cache')]);
  await createDeployment(cp, { ...on, name: 'never', budget: { maxUnavailable: 0 }, podSpec: mounting('data') });
  await createDeployment(cp, { ...on, name: 'stays', labels: { 'cluster.x-k8s.io/drain': 'skip' }, podSpec: mounting('cache') });
  await Promise.all([attach(cp, data, FURTHER), attach(cp, cache, FURTHER)]);
  const waiting = await make(rig, { action: 'Drain', params: { nodeName: FURTHER, escalation: { deleteAfterSeconds: 1 } } });
  const isAttached = async () => reasonOf(await read(rig, waiting)) === 'VolumesAttached';
  await waitFor(isAttached, { what: `${waiting} waits for its volumes` });
  await detach(cp, data, FURTHER);
  await ended(rig, waiting, 'Succeeded');
}

function reasonOf(action: OptimizationAction | undefined): string | undefined {
  return action?.status?.conditions?.find(({ type }) => type === 'Reconciling')?.reason;
}

async function isHeld(rig: Rig, name: string): Promise<void> {
  await waitFor(async () => ((await read(rig, name))?.status?.blockers ?? []).length > 0, { what: `${name} names its blockers` });
}
