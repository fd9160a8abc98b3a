import type { ActionContext } from '../../operator/actions/action.ts';
import { EvictionMemory, useMemory } from '../../operator/actions/eviction/memory.ts';
import type { Budget } from '../../operator/kube/budget.ts';
import type { Cluster, PodIdentity } from '../../operator/kube/cluster.ts';
import { ApiError } from '../../operator/kube/error.ts';
import type { Node } from '../../operator/kube/node.ts';
import type { KubeObject, ObjectRef, Resource } from '../../operator/kube/object.ts';
import type { Pod } from '../../operator/kube/pod.ts';
import type { JsonObject } from '../../operator/lib/json.ts';

/** When every test begins. */
export const START = new Date('2026-01-02T03:04:05Z');

/** A running, ready pod of a ReplicaSet on node n1, with other members on demand. */
export function makePod(name: string, more: Partial<Pod> = {}): Pod {
  return {
    namespace: 'shop',
    name,
    uid: `uid-${name}`,
    resourceVersion: '1',
    labels: {},
    nodeName: 'n1',
    phase: 'Running',
    ready: true,
    controller: { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'rs' },
    mirror: false,
    emptyDirs: [],
    requests: { cpuMillicores: 0, memoryBytes: 0 },
    oomKills: [],
    ...more,
  };
}

/** A budget of namespace shop that selects `app=<name>` and allows nothing, with other members on demand. */
export function makeBudget(name: string, more: Partial<Budget> = {}): Budget {
  return {
    namespace: 'shop',
    name,
    uid: `uid-${name}`,
    resourceVersion: '1',
    selector: { matchLabels: { app: name }, matchExpressions: [] },
    unhealthyPodEvictionPolicy: 'IfHealthyBudget',
    observed: true,
    disruptionsAllowed: 0,
    currentHealthy: 2,
    desiredHealthy: 2,
    expectedPods: 3,
    ...more,
  };
}

/** What the API server answers where it does not do as asked. */
export function refusal(status: number, more: Partial<ConstructorParameters<typeof ApiError>[0]> = {}): ApiError {
  return new ApiError({ status, reason: '', message: `answer ${status}`, ...more });
}

/** A budget's no (FIELD.md E2). */
export function budgetRefusal(retryAfter?: number): ApiError {
  const facts = { reason: 'TooManyRequests', causes: [{ reason: 'DisruptionBudget', message: 'needs 2' }] };
  return refusal(429, retryAfter === undefined ? facts : { ...facts, retryAfter });
}

/** The state of a small cluster and a port on it; evicted pods terminate and stay until `vanish` is called. */
export class FakeCluster implements Cluster {
  readonly calls: string[] = [];
  pods: Pod[] = [];
  budgetList: Budget[] = [];
  node: Node | undefined = makeNode();
  /** What the watch shows of the pods; undefined: the truth. */
  stalePods: readonly Pod[] | undefined;
  /** Kind, namespace and name of objects that `get` finds beside nodes. */
  readonly objects = new Map<string, KubeObject>();
  /** What there is to list, by kind; a kind that is not in it is not installed. */
  readonly lists = new Map<string, readonly KubeObject[] | Error>();

  /** Names of the volumes that are attached to the node. */
  attached: string[] = [];
  /** Answers to evictions by pod name, used up in order; nothing left means yes. */
  readonly answers = new Map<string, Error[]>();
  /** On the clock of the eviction memory. */
  seconds = 0;
  readonly #patchErrors: Error[] = [];

  constructor(pods: readonly Pod[] = [], budgets: readonly Budget[] = []) {
    this.pods = [...pods];
    this.budgetList = [...budgets];
    this.forgetAll();
  }

  /** As a restart of the process does. */
  forgetAll(): void {
    useMemory(this, new EvictionMemory(() => this.seconds));
  }

  /** The next patch fails with this. */
  failNextPatch(error: Error): void {
    this.#patchErrors.push(error);
  }

  /** Terminating pods are gone. */
  vanish(): void {
    this.pods = this.pods.filter((pod) => pod.deletionTimestamp === undefined);
  }

  get evictions(): string[] {
    return this.calls.filter((call) => call.startsWith('evict ')).map((call) => call.slice('evict '.length));
  }

  readonly view = {
    node: () => this.node,
    nodes: () => (this.node ? [this.node] : []),
    pod: (namespace: string, name: string) => this.#seen().find((pod) => pod.namespace === namespace && pod.name === name),
    pods: () => this.#seen(),
    podsOn: () => this.#seen(),
    budgets: (namespace: string) => this.budgetList.filter((budget) => budget.namespace === namespace),
  };

  async get(ref: ObjectRef): Promise<KubeObject> {
    this.calls.push(`get ${keyOf(ref)}`);
    const found = this.objects.get(keyOf(ref));
    if (!found) throw refusal(404, { reason: 'NotFound' });
    return found;
  }

  async getNode(): Promise<Node> {
    this.calls.push('get node');
    if (!this.node) throw refusal(404, { reason: 'NotFound' });
    return this.node;
  }

  async getPod(namespace: string, name: string): Promise<Pod> {
    this.calls.push(`get pod ${name}`);
    const found = this.pods.find((pod) => pod.namespace === namespace && pod.name === name);
    if (!found) throw refusal(404, { reason: 'NotFound' });
    return found;
  }

  async listPodsOn(): Promise<readonly Pod[]> {
    this.calls.push('list');
    return [...this.pods];
  }

  async listAttachedVolumes(): Promise<readonly string[]> {
    this.calls.push('list attachments');
    return [...this.attached];
  }

  async mergePatch(ref: ObjectRef, patch: JsonObject): Promise<KubeObject> {
    this.calls.push(`patch ${JSON.stringify(patch)}`);
    const error = this.#patchErrors.shift();
    if (error) throw error;
    const { metadata = {}, spec = {} } = patch as { metadata?: JsonObject; spec?: JsonObject };
    if (ref.resource.kind !== 'Node') return this.#patchObject(ref, metadata);
    const node = this.node ?? makeNode();
    const annotations = merge(node.annotations, (metadata.annotations ?? {}) as JsonObject);
    const labels = merge(node.labels, (metadata.labels ?? {}) as JsonObject);
    const unschedulable = 'unschedulable' in spec ? spec.unschedulable === true : node.unschedulable;
    this.node = { ...node, unschedulable, annotations, labels };
    return { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1', uid: this.node.uid, resourceVersion: '2' }, spec: { unschedulable } };
  }

  #patchObject(ref: ObjectRef, metadata: JsonObject): KubeObject {
    const found = this.objects.get(keyOf(ref));
    if (!found) throw refusal(404, { reason: 'NotFound' });
    const labels = merge(found.metadata.labels ?? {}, (metadata.labels ?? {}) as JsonObject);
    const patched = { ...found, metadata: { ...found.metadata, labels } };
    this.objects.set(keyOf(ref), patched);
    return patched;
  }

  async strategicPatch(): Promise<KubeObject> {
    throw new Error('a real API server merges better than this would');
  }

  async patchScale(): Promise<KubeObject> {
    throw new Error('a real API server scales better than this would');
  }

  async list(resource: Resource, namespace: string, _labelSelector: string | undefined): Promise<readonly KubeObject[]> {
    this.calls.push(`list ${resource.plural} ${namespace}`);
    const found = this.lists.get(resource.kind) ?? refusal(404, { reason: 'NotFound' });
    if (found instanceof Error) throw found;
    return found;
  }

  async evict(pod: PodIdentity): Promise<void> {
    this.#remove('evict', pod);
  }

  async deletePod(pod: PodIdentity, grace?: number): Promise<void> {
    this.#remove(grace === undefined ? 'delete' : `delete with ${grace}`, pod);
  }

  #remove(verb: string, { name, uid }: PodIdentity): void {
    this.calls.push(`${verb} ${name}`);
    const error = this.answers.get(name)?.shift();
    if (error) throw error;
    const found = this.pods.find((pod) => pod.name === name);
    if (!found) throw refusal(404, { reason: 'NotFound' });
    if (found.uid !== uid) throw refusal(409, { reason: 'Conflict' });
    this.pods = this.pods.map((pod) => (pod === found ? { ...pod, deletionTimestamp: '2026-01-02T03:04:35Z' } : pod));
  }

  #seen(): readonly Pod[] {
    return this.stalePods ?? this.pods;
  }
}

/** A schedulable node n1, with other members on demand. */
export function makeNode(more: Partial<Node> = {}): Node {
  return {
    name: 'n1',
    uid: 'node-uid',
    resourceVersion: '1',
    labels: {},
    annotations: {},
    unschedulable: false,
    ready: true,
    providerID: '',
    cordonManager: '',
    allocatable: { cpuMillicores: 0, memoryBytes: 0 },
    ...more,
  };
}

/** What an executor is handed, so many seconds after the start. */
export function contextFor(cluster: Cluster, more: Partial<ActionContext> = {}, seconds = 0): ActionContext {
  return {
    cluster,
    now: new Date(START.getTime() + seconds * 1000),
    signal: new AbortController().signal,
    startedAt: START,
    targetUID: 'node-uid',
    actor: 'cloudoptim/a',
    before: { result: {}, blockers: [] },
    ...more,
  };
}

function keyOf({ resource, namespace, name }: ObjectRef): string {
  return [resource.kind, namespace, name].filter((part) => part !== undefined).join('/');
}

function merge(now: Readonly<Record<string, string>>, patch: JsonObject): Record<string, string> {
  const merged = Object.entries({ ...now, ...patch }).filter(([, value]) => value !== null);
  return Object.fromEntries(merged.map(([key, value]) => [key, String(value)]));
}
