import { controlPlane } from '../cluster/shared.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { podsOnNode } from '../cluster/workloads.ts';
import type { Ground, PodMore } from './ground.ts';

const { api } = controlPlane;
type Metadata = Readonly<Record<string, unknown>>;

const CONTAINERS = [{ name: 'main', image: 'example.invalid/none' }];

/** An emptyDir volume. */
export const EMPTY_DIR = { volumes: [{ name: 'cache', emptyDir: { medium: 'Memory', sizeLimit: '64Mi' } }] };

/** Keeps a pod there after it was deleted, until the finalizer is taken away. */
export const HELD = { finalizers: ['cloudoptim.test/hold'] };

/** An owner reference; `controller` says whether this owner is the one that manages the pod. */
function ownedBy(apiVersion: string, kind: string, name: string, uid: string, controller = true): Metadata {
  return { ownerReferences: [{ apiVersion, kind, name, uid, controller }] };
}

/** Makes an object that can own pods and that no controller of the cluster cares for; returns the reference to it. */
export async function createOwner({ t: { namespace } }: Ground, controller = true): Promise<Metadata> {
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  const { metadata } = await api.create<{ metadata: { name: string; uid: string } }>(path, { metadata: { generateName: 'owner-' } });
  return ownedBy('v1', 'ConfigMap', metadata.name, metadata.uid, controller);
}

/** Sets the phase of a pod, as a kubelet would. */
export async function setPhase({ t: { namespace } }: Ground, name: string, phase: string): Promise<void> {
  await api.patch(`/api/v1/namespaces/${namespace}/pods/${name}/status`, { status: { phase } });
}

/** Makes a DaemonSet for the node and resolves when its pod runs there. */
export async function createDaemonSet(ground: Ground, name: string, podSpec: object = {}): Promise<void> {
  const labels = { app: name, zoo: name };
  await createSet(ground, 'daemonsets', name, {
    labels,
    spec: { nodeSelector: ground.t.nodeSelector, containers: CONTAINERS, ...podSpec },
  });
}

/**
 * Fills the node with a pod of every class that a drain tells apart; each is labelled `zoo=<class>`. Two of them are terminating and stay so:
 * the garbage collector takes pods whose DaemonSet is gone, and only a finalizer keeps such a one to be looked at.
 */
export async function fillZoo(ground: Ground): Promise<void> {
  const { t, node, uid } = ground;
  const [owner, notController] = await Promise.all([createOwner(ground), createOwner(ground, false)]);
  const mirror = { annotations: { 'kubernetes.io/config.mirror': 'x' } };
  const ofGoneSet = { ...ownedBy('apps/v1', 'DaemonSet', 'gone', 'd4e0a6ce-0000-0000-0000-000000000000'), ...HELD };
  const bare: Readonly<Record<string, PodMore>> = {
    bare: {},
    managed: { metadata: owner },
    'not-controller': { metadata: notController },
    'old-daemon': { metadata: ownedBy('extensions/v1beta1', 'DaemonSet', 'old', 'd4e0a6ce-0000-0000-0000-000000000001') },
    'gone-daemon': { metadata: ofGoneSet },
    'gone-daemon-finished': { metadata: ofGoneSet },
    mirror: { metadata: mirror },
    'mirror-emptydir': { metadata: mirror, spec: EMPTY_DIR },
    'owned-by-node': { metadata: ownedBy('v1', 'Node', node, uid) },
    emptydir: { metadata: owner, spec: EMPTY_DIR },
    'emptydir-bare': { spec: EMPTY_DIR },
    'emptydir-finished': { spec: EMPTY_DIR },
    succeeded: {},
    failed: {},
    terminating: { metadata: HELD },
  };
  const nodeSelector = { 'kubernetes.io/hostname': node };
  const labelled = (name: string) => ({ labels: { app: name, zoo: name }, spec: { nodeSelector, containers: CONTAINERS } });
  await Promise.all([
    ...Object.entries(bare).map(async ([name, { metadata, spec }]) => {
      await ground.pod(name, { metadata: { ...metadata, labels: { zoo: name } }, ...(spec ? { spec } : {}) });
      if (name.endsWith('finished') || name === 'succeeded') await setPhase(ground, name, 'Succeeded');
      if (name === 'failed') await setPhase(ground, name, 'Failed');
      if (name === 'terminating') await api.remove(`/api/v1/namespaces/${t.namespace}/pods/${name}`);
    }),
    createDaemonSet(ground, 'daemon'),
    createDaemonSet(ground, 'daemon-emptydir', EMPTY_DIR),
    createSet(ground, 'statefulsets', 'stateful', labelled('stateful')),
    t.createDeployment({ name: 'replicated', labels: { zoo: 'replicated' }, podSpec: { nodeSelector } }),
    createJob(ground, 'job', { ...labelled('job'), spec: { ...labelled('job').spec, restartPolicy: 'Never' } }),
  ]);
}

/** The class of every pod on the node that the selector chooses, by `namespace/name`. */
export async function classesOn({ t, node }: Ground, selector?: string): Promise<ReadonlyMap<string, string>> {
  const chosen = selector ? `&labelSelector=${encodeURIComponent(selector)}` : '';
  const path = `/api/v1/namespaces/${t.namespace}/pods?fieldSelector=${encodeURIComponent(`spec.nodeName=${node}`)}${chosen}`;
  const { items } = await api.get<{ items: { metadata: { name: string; labels?: { zoo?: string } } }[] }>(path);
  return new Map(items.map(({ metadata }) => [`${t.namespace}/${metadata.name}`, metadata.labels?.zoo ?? metadata.name]));
}

async function createSet(ground: Ground, plural: string, name: string, { labels, spec }: { labels: object; spec: object }): Promise<void> {
  const template = { metadata: { labels }, spec };
  const body = { metadata: { name }, spec: { selector: { matchLabels: { app: name } }, serviceName: name, template } };
  if (plural === 'daemonsets') Reflect.deleteProperty(body.spec, 'serviceName');
  await api.create(`/apis/apps/v1/namespaces/${ground.t.namespace}/${plural}`, body);
  await podIn(ground, name, 'Running');
}

async function createJob(ground: Ground, name: string, { labels, spec }: { labels: object; spec: object }): Promise<void> {
  const template = { metadata: { labels }, spec };
  await api.create(`/apis/batch/v1/namespaces/${ground.t.namespace}/jobs`, { metadata: { name }, spec: { template } });
  await podIn(ground, name, 'Succeeded');
}

async function podIn({ t, node }: Ground, app: string, phase: string): Promise<void> {
  const isThere = async () => {
    const pods = await podsOnNode(controlPlane, node);
    return pods.some((pod) => pod.metadata.namespace === t.namespace && pod.metadata.labels?.app === app && pod.status.phase === phase);
  };
  await waitFor(isThere, { what: `a pod of ${app} is ${phase} on ${node}` });
}
