import type { HasApi } from '../cluster/nodes.ts';
import { waitFor } from '../cluster/wait-for.ts';

const GROUP = '/apis/cloudoptim.io/v1alpha1';

/** A condition, as the API server has it. */
export interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason: string;
  message: string;
}

/** An OptimizationAction or OptimizationBackend, as far as tests ask for it. */
export interface Stored {
  metadata: {
    name: string;
    uid: string;
    resourceVersion: string;
    creationTimestamp: string;
    deletionTimestamp?: string;
    finalizers?: string[];
    labels?: Record<string, string>;
  };
  spec: Record<string, unknown> & { action?: string; source?: { backend: string; taskID: string; requestedBy?: string } };
  status?: {
    phase?: string;
    target?: string;
    targetUID?: string;
    targetProviderID?: string;
    startedAt?: string;
    finishedAt?: string;
    observedGeneration?: number;
    registeredAs?: string;
    lag?: number;
    tasks?: Record<string, number>;
    progress?: { done: number; total: number };
    blockers?: { pod: string; uid: string; cause: string; budget?: string; detail?: string; since: string; retryAt?: string }[];
    plan?: Plan;
    result?: Record<string, unknown>;
    conditions?: Condition[];
  };
}

/** A plan, as far as tests ask for it. */
interface Plan {
  change: number;
  skip: string[];
  blocked: string[];
  pods?: { pod: string; verdict: string; reason?: string; budget?: string; round?: number }[];
  budgets?: { budget: string; pods: number; allowedNow: number; rounds?: number }[];
  volumes?: { pod: string; kind: string; name: string }[];
  estimateSeconds?: number;
}

/** The objects of one kind in one namespace, through the API server. */
export interface Objects {
  readonly path: string;
  create(name: string, spec: unknown): Promise<Stored>;
  get(name: string): Promise<Stored>;
  list(): Promise<Stored[]>;
  /** Merge-patches the spec. */
  patch(name: string, spec: unknown): Promise<Stored>;
  remove(name: string): Promise<void>;
  /** Waits until the object is as asked for, at most 30 s unless told, and returns it. */
  until(name: string, look: (object: Stored) => unknown, within?: number): Promise<Stored>;
  /** Waits until the task has its object, and that is as asked for. */
  untilTask(taskID: string, look: (object: Stored) => unknown): Promise<Stored>;
  /** Waits until there is no object of this name. */
  gone(name: string): Promise<void>;
}

/** OptimizationActions of a namespace. */
export function actionsOf(cp: HasApi, namespace: string): Objects {
  return objects(cp, `${GROUP}/namespaces/${namespace}/optimizationactions`, 'OptimizationAction');
}

/** OptimizationBackends of a namespace. */
export function backendsOf(cp: HasApi, namespace: string): Objects {
  return objects(cp, `${GROUP}/namespaces/${namespace}/optimizationbackends`, 'OptimizationBackend');
}

/** The condition of this type; one that says nothing where there is none. */
export function condition(object: Stored, type: string): Condition {
  return object.status?.conditions?.find((each) => each.type === type) ?? { type, status: 'Unknown', reason: '', message: '' };
}

/** Whether the action has this phase. */
export function inPhase(...phases: readonly string[]) {
  return (object: Stored) => phases.includes(object.status?.phase ?? '');
}

function objects({ api }: HasApi, path: string, kind: string): Objects {
  const at = (name: string) => `${path}/${name}`;
  const get = (name: string) => api.get<Stored>(at(name));
  const list = async () => (await api.get<{ items: Stored[] }>(path)).items;
  const find = async (taskID: string) => (await list()).find((object) => object.spec.source?.taskID === taskID);
  return {
    path,
    get,
    list,
    create: (name, spec) => api.create<Stored>(path, { apiVersion: 'cloudoptim.io/v1alpha1', kind, metadata: { name }, spec }),
    patch: (name, spec) => api.patch<Stored>(at(name), { spec }),
    remove: (name) => api.remove(at(name)),
    until: (name, look, within) => watchFor(() => get(name), look, `${name}: ${look}`, within),
    untilTask: (taskID, look) => watchFor(() => find(taskID), look, `task ${taskID}: ${look}`),
    gone: async (name) => {
      await waitFor(async () => (await api.call('GET', at(name))).status === 404, { what: `${name} is gone` });
    },
  };
}

async function watchFor(read: () => Promise<Stored | undefined>, look: (object: Stored) => unknown, what: string, within = 30_000) {
  let last: Stored | undefined;
  const seen = async () => {
    last = await read();
    return last && look(last) ? last : undefined;
  };
  return waitFor(seen, { what, within }).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${JSON.stringify(last?.status, undefined, 1)}`);
  });
}
