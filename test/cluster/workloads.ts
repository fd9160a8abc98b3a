import type { HasApi } from './nodes.ts';
import { waitFor } from './wait-for.ts';

/** A pod, as far as tests ask for it. */
export interface Pod {
  metadata: { name: string; namespace: string; uid: string; labels?: Record<string, string>; deletionTimestamp?: string };
  spec: { nodeName?: string };
  status: { phase?: string; conditions?: { type: string; status: string }[] };
}

/** What a made Deployment looks like. */
export interface DeploymentOptions {
  namespace: string;
  /** Also the value of the label `app` of its pods. */
  name: string;
  /** Default 1. */
  replicas?: number;
  /** The nodes it may run on; without it any node. */
  nodeSelector?: Record<string, string>;
  /** More labels and annotations of the pods. */
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  /** How long its pods stay terminating, as a Go duration such as `2s`; default as short as it gets. */
  terminatesAfter?: string;
  /** Makes a PodDisruptionBudget of the same name. */
  budget?: { maxUnavailable: number | string } | { minAvailable: number | string };
  /** More members of the pod's spec, such as volumes. */
  podSpec?: Record<string, unknown>;
}

/** Makes a Deployment, and its budget when asked for, and resolves with its pods when all are ready and counted by the budget. */
export async function createDeployment(cp: HasApi, options: DeploymentOptions): Promise<Pod[]> {
  const { namespace, name, replicas = 1, budget } = options;
  const selector = { matchLabels: { app: name } };
  await cp.api.create(`/apis/apps/v1/namespaces/${namespace}/deployments`, {
    metadata: { name },
    spec: { replicas, selector, template: podTemplate(options) },
  });
  if (budget)
    await cp.api.create(`/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets`, {
      metadata: { name },
      spec: { selector, ...budget },
    });
  const what = `the ${replicas} pods of ${namespace}/${name} are ready`;
  const pods = await waitFor(() => readyPods(cp, namespace, `app=${name}`, replicas), { within: 60_000, what });
  if (budget)
    await waitFor(() => budgetCounts(cp, namespace, name, replicas), { what: `the budget ${namespace}/${name} counts ${replicas} pods` });
  return pods;
}

/** The pods of a namespace, terminating ones too, optionally only those that a label selector chooses. */
export async function listPods(cp: HasApi, namespace: string, labelSelector = ''): Promise<Pod[]> {
  const path = `/api/v1/namespaces/${namespace}/pods?labelSelector=${encodeURIComponent(labelSelector)}`;
  return (await cp.api.get<{ items: Pod[] }>(path)).items;
}

/** The pods of all namespaces on one node, terminating ones too. */
export async function podsOnNode(cp: HasApi, node: string): Promise<Pod[]> {
  const path = `/api/v1/pods?fieldSelector=${encodeURIComponent(`spec.nodeName=${node}`)}`;
  return (await cp.api.get<{ items: Pod[] }>(path)).items;
}

/** Makes a namespace and resolves when pods may be made in it; they run on nodes with these labels only, by default on any. */
export async function createNamespace(cp: HasApi, name: string, nodeSelector: Record<string, string> = {}): Promise<void> {
  const selector = Object.entries(nodeSelector).map((pair) => pair.join('='));
  // Read by the admission plugin PodNodeSelector.
  const annotations = selector.length === 0 ? {} : { 'scheduler.alpha.kubernetes.io/node-selector': selector.join(',') };
  await cp.api.create('/api/v1/namespaces', { metadata: { name, annotations } });
  await waitFor(() => cp.api.get(`/api/v1/namespaces/${name}/serviceaccounts/default`), {
    what: `namespace ${name} has its service account`,
  });
}

/** Deletes a namespace and resolves when its pods are gone; the namespace itself may go a little later. */
export async function deleteNamespace(cp: HasApi, name: string): Promise<void> {
  await cp.api.remove(`/api/v1/namespaces/${name}`);
  // The controllers begin only five seconds later; nothing can be made in the namespace any more, so its pods can be removed at once.
  await cp.api.remove(`/api/v1/namespaces/${name}/pods`, { gracePeriodSeconds: 0 });
  await waitFor(async () => (await listPods(cp, name)).length === 0, { within: 60_000, what: `the pods of namespace ${name} are gone` });
}

function podTemplate({ name, labels, annotations, nodeSelector, terminatesAfter, podSpec }: DeploymentOptions) {
  const slow = terminatesAfter === undefined ? {} : { 'cloudoptim.test/terminates-after': terminatesAfter };
  return {
    metadata: { labels: { ...labels, app: name }, annotations: { ...annotations, ...slow } },
    spec: {
      containers: [{ name: 'main', image: 'example.invalid/none' }],
      ...(nodeSelector ? { nodeSelector } : {}),
      ...podSpec,
    },
  };
}

async function readyPods(cp: HasApi, namespace: string, selector: string, replicas: number): Promise<Pod[] | undefined> {
  const pods = await listPods(cp, namespace, selector);
  const isReady = (pod: Pod) => pod.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
  return pods.length === replicas && pods.every(isReady) ? pods : undefined;
}

async function budgetCounts(cp: HasApi, namespace: string, name: string, replicas: number): Promise<boolean> {
  interface Budget {
    metadata: { generation: number };
    status?: { observedGeneration?: number; expectedPods: number; currentHealthy: number };
  }
  const { metadata, status } = await cp.api.get<Budget>(`/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets/${name}`);
  return status?.observedGeneration === metadata.generation && status.expectedPods === replicas && status.currentHealthy === replicas;
}
