import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../cluster/wait-for.ts';
import { createDeployment, listPods } from '../cluster/workloads.ts';
import { PODS, type Rig } from './rig.ts';

/** The Deployment under measurement; its budget has the same name. */
const CROWD = 'crowd';

const open = { metadata: { annotations: { 'cloudoptim.io/cordoned-by': null } }, spec: { unschedulable: null } };

/** Makes nodes schedulable, or not, as an administrator does. */
export async function setSchedulable(rig: Rig, names: readonly string[], schedulable: boolean): Promise<void> {
  const change = schedulable ? open : { spec: { unschedulable: true } };
  await Promise.all(names.map((name) => rig.cp.api.patch(`/api/v1/nodes/${name}`, change)));
}

/**
 * Puts so many ready pods of one Deployment on one node, does the work, and takes them away. All nodes are schedulable when the work begins,
 * so that the replacements of evicted pods go to the other nodes, and everybody has had a second to see the cluster as it is.
 */
export async function withCrowd<T>(rig: Rig, node: string, replicas: number, limited: boolean, work: () => Promise<T>): Promise<T> {
  const others = rig.nodes.filter((name) => name !== node);
  await setSchedulable(rig, [node], true);
  await setSchedulable(rig, others, false);
  await createDeployment(rig.cp, { namespace: PODS, name: CROWD, replicas, ...(limited ? { budget: { maxUnavailable: 1 } } : {}) });
  await setSchedulable(rig, others, true);
  await sleep(1000);
  const result = await work();
  const namespace = (group: string) => `/apis/${group}/v1/namespaces/${PODS}`;
  await rig.cp.api.remove(`${namespace('policy')}/poddisruptionbudgets/${CROWD}`);
  await rig.cp.api.remove(`${namespace('apps')}/deployments/${CROWD}`);
  await waitFor(async () => (await listPods(rig.cp, PODS)).length === 0, {
    within: 60_000,
    what: 'the pods of the last repetition are gone',
  });
  await setSchedulable(rig, [node], true);
  return result;
}
