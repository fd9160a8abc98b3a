import { randomBytes } from 'node:crypto';
import { objectName } from '../../operator/sync/task-object.ts';
import type { HeardResult } from '../backends/cloudoptim/journal.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { createDeployment, type Pod } from '../cluster/workloads.ts';
import { isHeld } from '../scenarios/held.ts';
import { condition, type Stored } from '../scenarios/objects.ts';
import type { Lane } from './lane.ts';

/**
 * What needs longer than this hangs. An API server whose eviction was cut off between the budget and the pod counts that pod as disrupted for two
 * minutes, and lets nobody evict it meanwhile.
 */
const WITHIN = { within: 180_000, every: 30 } as const;

/** What one try of a case plays with: a clean node, pods of its own, one request, and those who watch it. */
export class Stage {
  readonly lane: Lane;
  readonly #arm: () => void;
  readonly #fromStart: boolean;
  /** Unique in the lane. */
  readonly id = randomBytes(4).toString('hex');
  /** The name of the object that the request has, or would have. */
  name = '';
  taskID: string | undefined;
  /** The object as it was last seen. */
  last: Stored | undefined;
  #written = 0;

  /** `arm` is called when calls begin to count: with the request, or where `fromStart`, with the process. */
  constructor(lane: Lane, arm: () => void, fromStart = false) {
    this.lane = lane;
    this.#arm = arm;
    this.#fromStart = fromStart;
  }

  get node(): string {
    return this.lane.node;
  }

  /** Makes a pod on the node, held by a budget of its own where `held`, and resolves with its name when it runs. */
  async pod(name: string, { held = false } = {}): Promise<string> {
    const { cp, namespace } = this.lane;
    const full = `${name}-${this.id}`;
    const pods = `/api/v1/namespaces/${namespace}/pods`;
    await cp.api.create(pods, {
      metadata: { name: full, labels: { app: full } },
      spec: { nodeName: this.node, containers: [{ name: 'main', image: 'example.invalid/none' }], terminationGracePeriodSeconds: 1 },
    });
    if (held) {
      const spec = { selector: { matchLabels: { app: full } }, minAvailable: 1 };
      await cp.api.create(this.#budgets, { metadata: { name: full }, spec });
    }
    await waitFor(async () => isReady(await cp.api.get<Pod>(`${pods}/${full}`)), { ...WITHIN, what: `pod ${full} is ready` });
    if (held) await waitFor(async () => (await this.#healthy(full)) === 1, { ...WITHIN, what: `budget ${full} counts its pod` });
    return full;
  }

  /** Makes a Deployment with one pod on the node and resolves when that runs. */
  async deployment(name: string): Promise<void> {
    const { cp, namespace } = this.lane;
    await createDeployment(cp, { namespace, name: `${name}-${this.id}`, nodeSelector: { 'kubernetes.io/hostname': this.node } });
  }

  /** Makes a Session, as its user or as a GitOps tool, and resolves when it is in this state. */
  async session(name: string, state: string, manager = 'kubectl'): Promise<void> {
    const { api } = this.lane.cp;
    const path = `${sessionsPath(this.lane.namespace)}/${name}`;
    const spec = { user: 'ada', template: { image: 'example.invalid/desk' } };
    const object = { apiVersion: 'cloudoptim.io/v1alpha1', kind: 'Session', metadata: { name }, spec: { ...spec, state: 'Running' } };
    await api.call('PATCH', `${path}?fieldManager=${manager}`, object, { type: 'application/apply-patch+yaml' });
    const reaches = (phase: string) =>
      waitFor(async () => (await api.get<Stored>(path)).status?.phase === phase, { ...WITHIN, what: `session ${name} is ${phase}` });
    await reaches('Running');
    if (state === 'Running') return;
    await api.patch(path, { spec: { state } });
    await reaches(state);
  }

  /** Lets a held pod go. */
  async letGo(pod: string): Promise<void> {
    await this.lane.cp.api.patch(`${this.#budgets}/${pod}`, { spec: { minAvailable: 0 } });
  }

  /** Offers a task by the polls, and by a socket as well where it is to be pushed. */
  async task(type: string, parameters: Record<string, unknown>, { pushed = false } = {}): Promise<void> {
    const { backend } = this.lane;
    this.taskID = `task-${this.id}`;
    this.name = objectName('central', backend.clusterID, this.taskID);
    const task = { task_id: this.taskID, task_type: type, parameters };
    if (pushed) await backend.socketOpen(60_000);
    await this.#begin();
    if (pushed) backend.pushTask(task, { alsoPoll: true });
    else backend.addTask(task);
  }

  /** Creates the object as kubectl would. */
  async object(spec: Record<string, unknown>): Promise<void> {
    this.name = `object-${this.id}`;
    await this.#begin();
    await this.lane.actions.create(this.name, spec);
  }

  /** Kills the operator; the calls of the one that is started in its place count from its first one. */
  async startAnew(): Promise<void> {
    await this.lane.kill();
    this.#arm();
    await this.lane.start();
  }

  /** Merge-patches the spec of the object. */
  async patch(spec: Record<string, unknown>): Promise<void> {
    this.last = await this.lane.actions.patch(this.name, spec);
  }

  /** Waits until the object is as asked for. */
  async until(look: (object: Stored) => unknown, what: string): Promise<Stored> {
    return waitFor(
      async () => {
        this.last = await this.lane.actions.get(this.name);
        return look(this.last) ? this.last : undefined;
      },
      { ...WITHIN, what: `${this.name} ${what}` },
    );
  }

  /** Waits until the object has ended and, where it is mirrored, its result was taken and that is recorded. */
  async ended(): Promise<Stored> {
    const isOver = (object: Stored) =>
      object.status?.finishedAt !== undefined && (!this.taskID || condition(object, 'Reported').status === 'True');
    return this.until(isOver, 'has ended and is reported');
  }

  /** Waits until the drain is held by a budget. */
  async held(): Promise<Stored> {
    return this.until(isHeld, 'is held by a budget');
  }

  /** Waits until there is no object. */
  async gone(): Promise<void> {
    const { cp, actions } = this.lane;
    const look = async () => {
      const { status, body } = await cp.api.call<Stored>('GET', `${actions.path}/${this.name}`);
      if (status === 200) this.last = body;
      return status === 404;
    };
    await waitFor(look, { ...WITHIN, what: `${this.name} is gone` });
  }

  /** Waits until the backend has a result of the task. */
  async resultTaken(): Promise<void> {
    await waitFor(() => this.results.length > 0, { ...WITHIN, what: `the result of ${this.taskID}` });
  }

  /** What the backend was told of the task. */
  get results(): readonly HeardResult['body'][] {
    return this.lane.backend.heard.results.filter(({ taskID }) => taskID === this.taskID).map(({ body }) => body);
  }

  /** What the operator has changed since the begin. */
  async writes(): Promise<readonly string[]> {
    return (await this.lane.writes()).slice(this.#written);
  }

  /** Makes the node as it was, and takes away pods and budgets. */
  async clear(): Promise<void> {
    const { api } = this.lane.cp;
    const nulls = Object.fromEntries(['cordoned-by', 'cordon-reason', 'before-cordon'].map((name) => [`cloudoptim.io/${name}`, null]));
    await this.#clearSessions();
    await api.remove(`/apis/apps/v1/namespaces/${this.lane.namespace}/deployments`, { propagationPolicy: 'Foreground' });
    await Promise.all([
      api.remove(`/api/v1/namespaces/${this.lane.namespace}/pods`, { gracePeriodSeconds: 0 }),
      api.remove(this.#budgets),
      api.patch(`/api/v1/nodes/${this.node}`, {
        metadata: { annotations: nulls, labels: { 'example.com/pool': null } },
        spec: { unschedulable: null },
      }),
    ]);
  }

  async #clearSessions(): Promise<void> {
    const { api } = this.lane.cp;
    const path = sessionsPath(this.lane.namespace);
    await api.remove(path);
    await waitFor(async () => (await api.get<{ items: unknown[] }>(path)).items.length === 0, { ...WITHIN, what: 'all sessions are gone' });
  }

  async #begin(): Promise<void> {
    this.#written = (await this.lane.writes()).length;
    if (!this.#fromStart) this.#arm();
  }

  get #budgets(): string {
    return `/apis/policy/v1/namespaces/${this.lane.namespace}/poddisruptionbudgets`;
  }

  async #healthy(budget: string): Promise<number | undefined> {
    return (await this.lane.cp.api.get<{ status?: { currentHealthy?: number } }>(`${this.#budgets}/${budget}`)).status?.currentHealthy;
  }
}

/** The path of the Sessions of a namespace. */
export function sessionsPath(namespace: string): string {
  return `/apis/cloudoptim.io/v1alpha1/namespaces/${namespace}/sessions`;
}

function isReady({ status }: Pod): boolean {
  return status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false;
}
