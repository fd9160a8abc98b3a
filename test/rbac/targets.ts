import type { TargetKind } from '../../operator/actions/action.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { createDeployment, listPods, type Pod } from '../cluster/workloads.ts';
import { NODES, type Rig, WORK } from './rig.ts';

interface Named {
  readonly name: string;
  readonly namespace?: string;
}

/** One object of every kind that can be labelled, made where there is none yet; labels are changed outside of the operator's namespace. */
export const labelled: Readonly<Record<Exclude<TargetKind, 'Session'>, (rig: Rig) => Promise<Named>>> = {
  Node: async () => ({ name: NODES[0] }),
  Namespace: async () => ({ name: WORK }),
  Deployment: async ({ cp }) => {
    await createDeployment(cp, { namespace: WORK, name: 'labelled' });
    return { namespace: WORK, name: 'labelled' };
  },
  Pod: async ({ cp }) => {
    const [pod] = await createDeployment(cp, { namespace: WORK, name: 'labelled-pod' });
    return { namespace: WORK, name: pod?.metadata.name ?? '' };
  },
  StatefulSet: (rig) => createSet(rig, 'statefulsets', 'labelled-set', {}),
  DaemonSet: (rig) => createSet(rig, 'daemonsets', 'labelled-daemon', {}),
};

/** Makes a DaemonSet for one node and resolves with its pod there when it runs. */
export async function createDaemonSet(rig: Rig, name: string, node: string): Promise<Pod> {
  await createSet(rig, 'daemonsets', name, { nodeSelector: { 'kubernetes.io/hostname': node } });
  const isThere = async () => (await listPods(rig.cp, WORK, `app=${name}`)).find(({ status }) => status.phase === 'Running');
  return waitFor(isThere, { what: `the pod of the DaemonSet ${name} runs on ${node}` });
}

async function createSet({ cp }: Rig, plural: string, name: string, podSpec: object): Promise<Named> {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'example.invalid/none' }], ...podSpec } };
  const spec = { selector: { matchLabels: labels }, template };
  await cp.api.create(`/apis/apps/v1/namespaces/${WORK}/${plural}`, { metadata: { name }, spec });
  return { namespace: WORK, name };
}
