import { afterAll, beforeAll, expect } from 'vitest';
import { type CloudOptimBackend, type CloudOptimBackendOptions, startCloudOptimBackend } from '../backends/cloudoptim/server.ts';
import type { ControlPlaneAccess } from '../cluster/access.ts';
import { controlPlane, tenant } from '../cluster/shared.ts';
import type { Tenant } from '../cluster/tenant.ts';
import { actionsOf, backendsOf, type Objects } from './objects.ts';
import { type OperatorProcess, startOperator } from './operator-process.ts';
import { grantRights, type Rights } from './rights.ts';

/** One request, as the audit log has it. */
export type Request = Awaited<ReturnType<ControlPlaneAccess['auditEvents']>>[number];

/** What a scenario plays in: a namespace, nodes and rights of its own on a control plane. Filled before the file's first test. */
export class Scene {
  cp!: ControlPlaneAccess;
  tenant!: Tenant;
  actions!: Objects;
  backends!: Objects;
  #rights!: Rights;
  readonly #started: (() => Promise<unknown>)[] = [];

  /** Makes it. */
  async set(cp: ControlPlaneAccess, made: Tenant): Promise<void> {
    this.cp = cp;
    this.tenant = made;
    this.actions = actionsOf(cp, this.namespace);
    this.backends = backendsOf(cp, this.namespace);
    this.#rights = await grantRights(cp, this.namespace);
  }

  get namespace(): string {
    return this.tenant.namespace;
  }

  /** Starts an operator for the namespace, under its rights and nothing more; it is killed at the end of the file. `server`: its API server. */
  async operator(env: Readonly<Record<string, string>> = {}, server?: string): Promise<OperatorProcess> {
    const { namespace } = this;
    const kubeconfig = server ? await this.#rights.through(server) : this.#rights.kubeconfig;
    const operator = await startOperator({ kubeconfig, namespace, env });
    this.#started.push(async () => operator[Symbol.asyncDispose]());
    return operator;
  }

  /** Starts a reference backend; it is closed at the end of the file. */
  async backend(options: CloudOptimBackendOptions = {}): Promise<CloudOptimBackend> {
    const backend = await startCloudOptimBackend(options);
    this.#started.push(() => backend.close());
    return backend;
  }

  /** Makes an OptimizationBackend for a reference backend, and the Secret with its key. */
  async connect(name: string, backend: CloudOptimBackend, spec: Readonly<Record<string, unknown>> = {}): Promise<void> {
    const { url, clusterID, key } = backend;
    await this.secret(name, key);
    const intervals = { poll: '1s', metrics: '5s', heartbeat: '5s' };
    await this.backends.create(name, { protocol: 'CloudOptim', url, clusterID, credentialsSecretRef: { name }, intervals, ...spec });
  }

  /** Makes a Secret with this `api-key`, or changes it. */
  async secret(name: string, key: string): Promise<void> {
    const path = `/api/v1/namespaces/${this.namespace}/secrets`;
    const { status } = await this.cp.api.call('POST', path, { metadata: { name }, stringData: { 'api-key': key } });
    if (status === 409) await this.cp.api.patch(`${path}/${name}`, { stringData: { 'api-key': key } });
  }

  /** Takes the right to this resource from the operators of the scene, for good, and waits until the API server knows. */
  forbid(resource: string): Promise<void> {
    return this.#rights.forbid(resource);
  }

  /** Every request of the operator so far that has an answer, oldest first, from the audit log. */
  async requests(): Promise<Request[]> {
    const own = ({ stage, user }: Request) => stage === 'ResponseComplete' && user.username === this.#rights.user;
    return (await this.cp.auditEvents()).filter(own);
  }

  /** What the operator has written into the cluster so far, its own kinds, its tombstones, Events and its Lease left out. */
  async writes(): Promise<string[]> {
    return writesOf(await this.requests());
  }

  /** Ends what was started and removes what the namespace does not take with it. */
  async clear(): Promise<void> {
    await Promise.all(this.#started.map((end) => end()));
    await this.#rights.remove();
  }
}

/** A scene for all tests of a file. */
export function useScene(name: string): Scene {
  const scene = new Scene();
  beforeAll(async () => scene.set(controlPlane, await tenant(name)));
  afterAll(() => scene.clear());
  return scene;
}

/** `expect` of what is not so yet, within 15 s. */
export function eventually<T>(look: () => T) {
  return expect.poll(look, { timeout: 15_000 });
}

/** The variables of seed 003 that name this backend, with intervals that are short. */
export function seedVariables({ url, key, clusterID }: CloudOptimBackend): Record<string, string> {
  return {
    CENTRAL_SERVER_URL: url,
    CENTRAL_API_KEY: key,
    CLUSTER_ID: clusterID,
    TASK_POLL_INTERVAL_SECONDS: '1',
    METRICS_POLL_INTERVAL_SECONDS: '5',
    HEARTBEAT_INTERVAL_SECONDS: '5',
  };
}

const WRITES = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

/** The successful ones of these requests that write, as `patch nodes/n1` or `create pods/eviction shop/cart-0`. */
function writesOf(requests: readonly Request[]): string[] {
  return requests.flatMap(({ verb, objectRef = {}, responseStatus }) => {
    const { apiGroup, resource = '', subresource, namespace, name = '' } = objectRef;
    const counts = WRITES.has(verb) && (responseStatus?.code ?? 500) < 300;
    const own = ['cloudoptim.io', 'coordination.k8s.io'].includes(apiGroup ?? '') || resource === 'events' || resource === 'configmaps';
    if (!counts || own) return [];
    const what = subresource ? `${resource}/${subresource} ` : `${resource}${namespace ? ' ' : '/'}`;
    return [`${verb} ${what}${namespace ? `${namespace}/` : ''}${name}`];
  });
}
