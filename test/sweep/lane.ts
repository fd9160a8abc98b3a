import { type CloudOptimBackend, startCloudOptimBackend } from '../backends/cloudoptim/server.ts';
import type { ControlPlaneAccess } from '../cluster/access.ts';
import { type ApiProxy, type Fault, startApiProxy } from '../cluster/api-proxy.ts';
import type { Tenant } from '../cluster/tenant.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { actionsOf, backendsOf, type Objects } from '../scenarios/objects.ts';
import { type OperatorProcess, startOperator } from '../scenarios/operator-process.ts';
import { grantRights } from '../scenarios/rights.ts';
import type { AuditTail } from './audit-tail.ts';
import { type Call, CallCounter, kindOf, type Point } from './call.ts';

/** The name of the OptimizationBackend of a lane, and with it the start of the names of mirrored objects. */
const BACKEND = 'central';

/** Longer than the pauses within a start or an action. */
const QUIET_MILLISECONDS = 1500;

/** What a lane is made of and shared with others. */
export interface LaneOptions {
  readonly cp: ControlPlaneAccess;
  readonly tenant: Tenant;
  readonly audit: AuditTail;
  /** The file of the operator to run; default the source. */
  readonly main?: string;
}

/**
 * One operator under its own rights in a namespace of its own, which talks to the API server through a proxy and to a reference backend; every call of
 * it is seen here, and it can be killed at any one of them. One point after the other is tried in it: the operator that survived the last goes on.
 */
export class Lane {
  readonly cp: ControlPlaneAccess;
  readonly namespace: string;
  readonly node: string;
  readonly actions: Objects;
  readonly backend: CloudOptimBackend;
  readonly #options: LaneOptions;
  readonly #proxy: ApiProxy;
  readonly #rights: Awaited<ReturnType<typeof grantRights>>;
  readonly #kubeconfig: string;
  readonly #unobserve: () => void;
  #starting: Promise<OperatorProcess> | undefined;
  #operator: OperatorProcess | undefined;
  #earlier = '';
  #counter: CallCounter | undefined;
  #point: Point | undefined;
  #killed: Promise<void> | undefined;
  #heard = 0;
  #calledAt = 0;
  /** Which call of the backend kills the operator as soon as it was handled. */
  #dying: number | undefined;

  private constructor(options: LaneOptions, node: string, parts: Parts) {
    this.#options = options;
    this.cp = options.cp;
    this.namespace = options.tenant.namespace;
    this.node = node;
    this.actions = actionsOf(this.cp, this.namespace);
    this.backend = parts.backend;
    this.#proxy = parts.proxy;
    this.#rights = parts.rights;
    this.#kubeconfig = parts.kubeconfig;
    this.#proxy.fault((request) => this.#onRequest(kindOf(request)));
    this.#unobserve = this.backend.heard.observe(() => this.#onBackend());
  }

  /** Makes a lane with one node and a connected operator. */
  static async open(options: LaneOptions): Promise<Lane> {
    const { cp, tenant } = options;
    const [[node = ''], rights, proxy, backend] = await Promise.all([
      tenant.createNodes(1),
      grantRights(cp, tenant.namespace),
      startApiProxy(cp),
      startCloudOptimBackend(),
    ]);
    const lane = new Lane(options, node, { rights, proxy, backend, kubeconfig: await proxy.kubeconfig(rights.kubeconfig) });
    await lane.#connect();
    return lane;
  }

  /** Everything the operators of this lane have said since `forget`. */
  get log(): string {
    return this.#earlier + (this.#operator?.output() ?? '');
  }

  /** Forgets what was said so far. */
  forget(): void {
    this.#earlier = '';
  }

  /** What the operator has changed in the cluster so far. */
  writes(): Promise<readonly string[]> {
    return this.#options.audit.writesOf(this.#rights.user);
  }

  /** Starts an operator and resolves when it runs. */
  async start(): Promise<void> {
    const { main } = this.#options;
    // Its name outlives it, as that of a pod outlives its container.
    const env = { POD_NAME: 'cloudoptim-operator' };
    this.#starting = startOperator({ kubeconfig: this.#kubeconfig, namespace: this.namespace, env, ...(main ? { main } : {}) });
    this.#operator = await this.#starting;
  }

  /** Resolves when an operator takes part, and starts one where there is none. */
  async ready(): Promise<void> {
    if (!this.#operator) await this.start();
    await this.#operator?.ready();
  }

  /** Resolves when the operator has done with everything but its polls. */
  async quiet(): Promise<void> {
    this.#calledAt = performance.now();
    await waitFor(() => performance.now() - this.#calledAt > QUIET_MILLISECONDS, { what: 'the operator rests' });
  }

  /** Kills the operator and resolves when it is gone. */
  async kill(): Promise<void> {
    const operator = await this.#starting;
    if (!operator) return;
    await operator.stop('SIGKILL');
    this.#earlier += `${operator.output()}\n--- killed ---\n`;
    this.#starting = undefined;
    this.#operator = undefined;
  }

  /** Counts calls from now on, and kills the operator at the point, once; another one takes its place at once. */
  arm(point: Point | undefined): void {
    this.#counter = new CallCounter();
    this.#point = point;
    this.#killed = undefined;
    this.#heard = this.backend.heard.requests.length;
    this.#dying = undefined;
  }

  /** Counts no more. Resolves with the calls there were, and whether the operator was killed; rejects when it could not be started again. */
  async disarm(): Promise<{ readonly calls: readonly Call[]; readonly killed: boolean }> {
    const calls = this.#counter?.calls ?? [];
    this.#counter = undefined;
    this.#point = undefined;
    this.#dying = undefined;
    await this.#killed;
    return { calls, killed: this.#killed !== undefined };
  }

  /** Ends all but the tenant. */
  async close(): Promise<void> {
    this.#unobserve();
    await this.kill();
    await Promise.all([this.#proxy.close(), this.backend.close(), this.#rights.remove()]);
  }

  async #connect(): Promise<void> {
    const { url, clusterID, key } = this.backend;
    const secrets = `/api/v1/namespaces/${this.namespace}/secrets`;
    await this.cp.api.create(secrets, { metadata: { name: BACKEND }, stringData: { 'api-key': key } });
    const intervals = { poll: '1s', metrics: '1h', heartbeat: '1h' };
    const spec = { protocol: 'CloudOptim', url, clusterID, credentialsSecretRef: { name: BACKEND }, intervals };
    await backendsOf(this.cp, this.namespace).create(BACKEND, spec);
  }

  /** The moment of this call at which the operator is to be killed, if it is. */
  #momentOf(kind: string | undefined): Point['moment'] | undefined {
    if (kind === undefined) return undefined;
    if (kind !== 'backend GET tasks') this.#calledAt = performance.now();
    if (this.#killed) return undefined;
    const call = this.#counter?.count(kind);
    const { kind: wanted, nth, moment } = this.#point ?? {};
    return call?.kind === wanted && call?.nth === nth ? moment : undefined;
  }

  #onRequest(kind: string | undefined): Fault | undefined {
    const moment = this.#momentOf(kind);
    const counter = this.#counter;
    // The answer may come when the try is over.
    if (moment === 'after') return { kind: 'after', run: () => void (counter === this.#counter && this.#strike()) };
    if (moment !== 'before') return undefined;
    this.#strike();
    return { kind: 'drop', when: 'before' };
  }

  #onBackend(): void {
    const { requests } = this.backend.heard;
    if (this.#dying !== undefined && requests[this.#dying]?.answer !== 'silent') {
      this.#dying = undefined;
      this.#strike();
    }
    for (; this.#heard < requests.length; this.#heard++) {
      const { method, call } = requests[this.#heard] ?? { method: '', call: 'other' as const };
      const moment = this.#momentOf(`backend ${method} ${call}`);
      if (moment === 'after') {
        this.#dying = this.#heard;
        this.backend.fail(call, { kind: 'drop', handled: true });
      }
      if (moment !== 'before') continue;
      this.backend.fail(call, { kind: 'drop' });
      this.#strike();
    }
  }

  /** The kill is done when this returns; the rest is the work of whoever restarts pods. */
  #strike(): void {
    if (this.#killed) return;
    // One that has only just begun to talk is killed as soon as its number is known.
    if (this.#operator) process.kill(this.#operator.pid, 'SIGKILL');
    this.#killed = this.kill().then(() => {
      // A fault that was meant for a call that died with its body half sent.
      this.backend.heal();
      return this.start();
    });
    // Told by `disarm`.
    this.#killed.catch(() => undefined);
  }
}

interface Parts {
  readonly backend: CloudOptimBackend;
  readonly proxy: ApiProxy;
  readonly rights: Awaited<ReturnType<typeof grantRights>>;
  readonly kubeconfig: string;
}
