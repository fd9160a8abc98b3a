import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import type { CloudOptimBackend } from '../backends/cloudoptim/server.ts';
import { type ApiProxy, type ApiRequest, type Fault, startApiProxy } from '../cluster/api-proxy.ts';
import { controlPlane, tenant } from '../cluster/shared.ts';
import { type HeldNode, heldNode, isHeld } from '../scenarios/held.ts';
import { type OperatorProcess, startOperator } from '../scenarios/operator-process.ts';
import { Scene, seedVariables } from '../scenarios/scene.ts';

/** The ServiceAccount that a scene gives the operator's rights to. */
export const SERVICE_ACCOUNT = 'cloudoptim-operator';

/** How the operator of a file is started. */
export interface FaultyOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly nodeFlags?: readonly string[];
  /** The kubeconfig to use in place of one with a token through the proxy. */
  readonly kubeconfig?: (scene: Scene) => Promise<string>;
  /** What the proxy does while no test has it fail otherwise; the first watches are seen too. */
  readonly always?: (request: ApiRequest) => Fault | undefined;
}

/** A drain that its budget holds in the middle, asked for by a task. */
export interface HeldDrain extends HeldNode {
  /** Waits for the result; asserts that it is a success, came once, and that each pod was evicted once. */
  finished(): Promise<void>;
}

/** One operator process that works for a backend and speaks to the API server through a proxy that can fail. */
export class FaultyServer {
  readonly scene = new Scene();
  proxy!: ApiProxy;
  backend!: CloudOptimBackend;
  operator!: OperatorProcess;
  readonly #always: FaultyOptions['always'];

  constructor(always: FaultyOptions['always']) {
    this.#always = always;
  }

  /** A drain of a node with so many pods, all of which its budget holds. */
  async heldDrain(name: string, pods = 3): Promise<HeldDrain> {
    const { scene, backend } = this;
    const held = await heldNode(scene, name, pods);
    this.task(name, 'drain_node', held.name);
    await scene.actions.untilTask(name, isHeld);
    return {
      ...held,
      finished: async () => {
        const { body } = await backend.result(name, 45_000);
        expect(body).toMatchObject({ status: 'success', metadata: { verified: true, remaining: 0 } });
        const evicted = held.pods.map((pod) => `create pods/eviction ${pod}`);
        const writes = await scene.writes();
        expect(writes.filter((line) => held.pods.some((pod) => line.endsWith(pod))).sort()).toEqual(evicted);
        expect(writes.filter((line) => line === `patch nodes/${held.name}`)).toHaveLength(1);
        expect(backend.heard.results.filter(({ taskID }) => taskID === name)).toHaveLength(1);
      },
    };
  }

  /** Gives the backend a task about a node. */
  task(task_id: string, task_type: string, node_name: string): void {
    this.backend.addTask({ task_id, task_type, parameters: { node_name } });
  }

  /** The sum of a metric over all series with these labels, from the operator's `/metrics`; 0 where there is none. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const { body } = await this.operator.fetch('/metrics');
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    const lines = body.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
    const matching = lines.filter((line) => wanted.every((each) => line.includes(each)));
    return matching.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }

  /** Fails every request that matches from now on, with this answer; returns when each was refused, by `performance.now()`. */
  refuse(
    matches: (request: ApiRequest) => boolean,
    answer: { status: number; headers?: Record<string, string>; body?: unknown },
  ): number[] {
    const refusedAt: number[] = [];
    this.proxy.fault((request) => {
      if (!matches(request)) return undefined;
      refusedAt.push(performance.now());
      return { kind: 'answer', ...answer };
    });
    return refusedAt;
  }

  /** The proxy fails no more than always. */
  heal(): void {
    this.proxy.fault(this.#always);
  }
}

/** One for all tests of a file, on the shared control plane. It is healed after each test; at the end the operator must stop in good order. */
export function useFaultyServer(name: string, options: FaultyOptions = {}): FaultyServer {
  const rig = new FaultyServer(options.always);
  beforeAll(async () => {
    const { scene } = rig;
    await scene.set(controlPlane, await tenant(name));
    rig.proxy = await startApiProxy(controlPlane);
    rig.heal();
    rig.backend = await scene.backend();
    const plain = () => controlPlane.serviceAccountKubeconfig(scene.namespace, SERVICE_ACCOUNT);
    const kubeconfig = options.kubeconfig ? await options.kubeconfig(scene) : await rig.proxy.kubeconfig(await plain());
    rig.operator = await startOperator({
      kubeconfig,
      namespace: scene.namespace,
      env: { ...seedVariables(rig.backend), ...options.env },
      ...(options.nodeFlags ? { nodeFlags: options.nodeFlags } : {}),
    });
    await rig.operator.ready();
  });
  afterEach(() => rig.heal());
  afterAll(async () => {
    expect(await rig.operator.stop()).toBe(0);
    expect(rig.backend.violations).toEqual([]);
    await rig.scene.clear();
    await rig.proxy.close();
  });
  return rig;
}

/** Whether it asks a pod to go. */
export function isEviction({ method, path }: ApiRequest): boolean {
  return method === 'POST' && path.includes('/eviction');
}

/** Whether it changes a node. */
export function isNodePatch({ method, path }: ApiRequest): boolean {
  return method === 'PATCH' && path.startsWith('/api/v1/nodes/');
}

/** Whether it writes the status of an OptimizationAction. */
export function isStatusWrite({ method, path }: ApiRequest): boolean {
  return method === 'PATCH' && /\/optimizationactions\/[^/]+\/status/.test(path);
}

/** Whether it is the list of the pods of one node that a drain concludes from. */
export function isPodList({ method, path, watch }: ApiRequest): boolean {
  return method === 'GET' && !watch && path.startsWith('/api/v1/pods?') && path.includes('spec.nodeName');
}

/** The body of a Status of the API server. */
export function statusBody(code: number, reason: string, message: string): unknown {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', code, reason, message };
}
