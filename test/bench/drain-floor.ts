import type { ControlPlaneAccess } from '../cluster/access.ts';
import { RawApi } from './raw-api.ts';
import { PODS } from './rig.ts';

interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec: { readonly nodeName?: string };
}
interface List<T> {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly T[];
}
interface Budget {
  readonly metadata: { readonly name: string; readonly resourceVersion: string };
  readonly status?: { readonly disruptionsAllowed: number };
}

/** Connections of the floor: as many as the operator uses. */
const CONNECTIONS = 24;

/** Seconds from the first of parallel evictions until a watch has seen the last pod of the cordoned nodes go; nothing can be faster. */
export function parallelFloor(cp: ControlPlaneAccess, nodes: readonly string[]): Promise<number> {
  return timed(cp, nodes, async (api, pods) => {
    const answers = await Promise.all(pods.map((pod) => evict(api, pod)));
    const refused = answers.find((status) => status !== 201);
    if (refused) throw new Error(`an eviction of the floor was answered ${refused}`);
  });
}

/**
 * Likewise behind budgets that are called as the pods' label `app`: those of one budget pod after pod, and after a refusal as soon as the budget
 * itself says that it may.
 */
export function budgetFloor(cp: ControlPlaneAccess, nodes: readonly string[]): Promise<number> {
  return timed(cp, nodes, async (api, pods) => {
    const allowed = new Set<string>();
    const wake = new Map<string, () => void>();
    const path = `/apis/policy/v1/namespaces/${PODS}/poddisruptionbudgets`;
    const list = (await api.call<List<Budget>>('GET', path)).body;
    await api.watch<Budget>(path, list.metadata.resourceVersion, ({ object: { metadata, status } }) => {
      if ((status?.disruptionsAllowed ?? 0) === 0) return void allowed.delete(metadata.name);
      allowed.add(metadata.name);
      wake.get(metadata.name)?.();
    });
    const groups = Map.groupBy(pods, ({ metadata }) => metadata.labels?.app ?? '');
    await Promise.all([...groups].map(([budget, group]) => evictInTurn(api, budget, group, allowed, wake)));
  });
}

async function evictInTurn(
  api: RawApi,
  budget: string,
  pods: readonly Pod[],
  allowed: Set<string>,
  wake: Map<string, () => void>,
): Promise<void> {
  for (const pod of pods) {
    for (;;) {
      // What was known before the attempt does not count after it.
      allowed.delete(budget);
      const status = await evict(api, pod);
      if (status === 201) break;
      if (status !== 429) throw new Error(`an eviction of the floor was answered ${status}`);
      if (!allowed.has(budget)) await new Promise<void>((resolve) => wake.set(budget, resolve));
    }
  }
}

async function timed(
  cp: ControlPlaneAccess,
  nodes: readonly string[],
  work: (api: RawApi, pods: readonly Pod[]) => Promise<void>,
): Promise<number> {
  await using api = await RawApi.connect(cp, CONNECTIONS);
  await Promise.all(nodes.map((node) => api.call('PATCH', `/api/v1/nodes/${node}`, { spec: { unschedulable: true } })));
  // Not only those of the nodes: the API server gives such a watch a small buffer and closes it in the middle of many changes.
  const path = `/api/v1/namespaces/${PODS}/pods`;
  const { metadata, items } = (await api.call<List<Pod>>('GET', path)).body;
  const pods = items.filter(({ spec }) => nodes.includes(spec.nodeName ?? ''));
  const left = new Set(pods.map((pod) => pod.metadata.uid));
  const empty = Promise.withResolvers<void>();
  await api.watch<Pod>(path, metadata.resourceVersion, ({ type, object }) => {
    if (type === 'DELETED' && left.delete(object.metadata.uid) && left.size === 0) empty.resolve();
  });
  const began = performance.now();
  await api.guarded(Promise.all([work(api, pods), empty.promise]));
  return (performance.now() - began) / 1000;
}

async function evict(api: RawApi, { metadata: { name, uid } }: Pod): Promise<number> {
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name }, deleteOptions: { preconditions: { uid } } };
  return (await api.call('POST', `/api/v1/namespaces/${PODS}/pods/${name}/eviction`, eviction)).status;
}
