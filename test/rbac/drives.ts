import { expect } from 'vitest';
import { label } from '../../operator/actions/label.ts';
import { createDeployment } from '../cluster/workloads.ts';
import { driveDrain } from './drive-drain.ts';
import { driveHibernate, driveStart, driveStop, driveWake } from './drive-session-actions.ts';
import { driveUpdate } from './drive-update.ts';
import { planAndRun, runTask } from './objects.ts';
import { NODES, type Rig, WORK } from './rig.ts';
import { labelled } from './targets.ts';

/** Has an action do all that it can do, so that every right it declares is needed. */
export type Drive = (rig: Rig) => Promise<void>;

/** One drive per action, by the name of the action. */
export const drives: Readonly<Record<string, Drive>> = {
  Drain: driveDrain,

  Cordon: async (rig) => {
    await planAndRun(rig, { action: 'Cordon', params: { nodeName: NODES[0], reason: 'rights' } });
    expect(await runTask(rig, 'cordon_node', { node_name: NODES[0] })).toBe('success');
    expect(await runTask(rig, 'cordon_node', { node_name: 'nowhere' })).toBe('failed');
  },

  Uncordon: async (rig) => {
    await planAndRun(rig, { action: 'Uncordon', params: { nodeName: NODES[0] } });
    expect(await runTask(rig, 'uncordon_node', { node_name: NODES[0] })).toBe('success');
  },

  Label: async (rig) => {
    for (const kind of label.params.shape.kind.options) {
      await planAndRun(rig, {
        action: 'Label',
        params: { kind, ...(await labelled[kind](rig)), set: { team: 'rights' }, remove: ['old'] },
      });
    }
    expect(await runTask(rig, 'label_node', { node_name: NODES[0], labels: { tier: 'spot' } })).toBe('success');
  },

  UpdateWorkload: driveUpdate,
  SessionStart: driveStart,
  SessionStop: driveStop,
  SessionHibernate: driveHibernate,
  SessionWake: driveWake,

  Evict: async (rig) => {
    const [first, second] = await pods(rig, 'evicted');
    await planAndRun(rig, { action: 'Evict', params: { namespace: WORK, podName: first } });
    expect(await runTask(rig, 'evict_pod', { namespace: WORK, pod_name: second })).toBe('success');
  },

  DeletePod: async (rig) => {
    const [first, second] = await pods(rig, 'deleted');
    await planAndRun(rig, { action: 'DeletePod', params: { namespace: WORK, podName: first } });
    expect(await runTask(rig, 'delete_pod', { namespace: WORK, pod_name: second })).toBe('success');
  },
};

async function pods({ cp }: Rig, name: string): Promise<readonly [string, string]> {
  const made = await createDeployment(cp, { namespace: WORK, name, replicas: 2, budget: { maxUnavailable: 1 } });
  return [made[0]?.metadata.name ?? '', made[1]?.metadata.name ?? ''];
}
