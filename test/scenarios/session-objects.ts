import { randomBytes } from 'node:crypto';
import { waitFor } from '../cluster/wait-for.ts';
import type { Scene } from './scene.ts';

/** A Session, as far as tests ask for it. */
export interface StoredSession {
  metadata: {
    name: string;
    uid: string;
    generation: number;
    resourceVersion: string;
    finalizers?: string[];
    annotations?: Record<string, string>;
  };
  spec: Record<string, unknown>;
  status?: Record<string, unknown> & {
    phase?: string;
    phaseSince?: string;
    desired?: string;
    podName?: string;
    override?: { state: string; reason: string };
    conditions?: {
      type: string;
      status: string;
      reason: string;
      message: string;
      lastTransitionTime: string;
      observedGeneration?: number;
    }[];
  };
}

/** A Deployment of a session, as far as tests ask for it. */
export interface StoredDeployment {
  metadata: {
    uid: string;
    generation: number;
    labels: Record<string, string>;
    annotations?: Record<string, string>;
    resourceVersion: string;
  };
  spec: {
    replicas: number;
    template: {
      metadata: { labels: Record<string, string> };
      spec: { containers: { image: string; env: { name: string; value?: string }[] }[] };
    };
  };
}

/** A pod of a session, as far as tests ask for it. */
export interface StoredPod {
  metadata: { name: string; creationTimestamp: string; deletionTimestamp?: string };
  spec: { nodeName?: string };
}

/** What tests of sessions do in a scene. */
export class SessionRig {
  readonly #scene: Scene;
  readonly #nodes: string[] = [];
  readonly #volumes: string[] = [];
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  /** Removes the nodes and volumes, which are of the whole cluster. */
  async clear(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all(this.#nodes.map((name) => this.#api.remove(`/api/v1/nodes/${name}`)));
    await Promise.all(this.#volumes.map((name) => this.#api.remove(`/api/v1/persistentvolumes/${name}`)));
  }

  get #api() {
    return this.#scene.cp.api;
  }

  /** The path of a collection of ours, or of one object in it. */
  path(plural: string, name = ''): string {
    return `/apis/cloudoptim.io/v1alpha1/namespaces/${this.#scene.namespace}/${plural}${name && `/${name}`}`;
  }

  /** The path of a Deployment, Service, claim or pod. */
  at(plural: 'deployments' | 'services' | 'persistentvolumeclaims' | 'pods', name = ''): string {
    const root = plural === 'deployments' ? '/apis/apps/v1' : '/api/v1';
    return `${root}/namespaces/${this.#scene.namespace}/${plural}${name && `/${name}`}`;
  }

  /** Makes a SessionTemplate whose pods kwok runs. */
  async template(name: string, spec: Record<string, unknown> = {}): Promise<void> {
    await this.#api.create(this.path('sessiontemplates'), {
      apiVersion: 'cloudoptim.io/v1alpha1',
      kind: 'SessionTemplate',
      metadata: { name },
      spec: { image: 'lscr.io/linuxserver/firefox:latest', resources: { cpu: '100m', memory: '128Mi' }, ...spec },
    });
  }

  /** Makes a Session of that template. */
  create(name: string, spec: Record<string, unknown> = {}, metadata: Record<string, unknown> = {}): Promise<StoredSession> {
    return this.#api.create<StoredSession>(this.path('sessions'), {
      apiVersion: 'cloudoptim.io/v1alpha1',
      kind: 'Session',
      metadata: { name, ...metadata },
      spec: { user: 'ada', templateRef: { name: 'firefox' }, ...spec },
    });
  }

  get(name: string): Promise<StoredSession> {
    return this.#api.get(this.path('sessions', name));
  }

  /** Merge-patches the spec. */
  edit(name: string, spec: Record<string, unknown>): Promise<StoredSession> {
    return this.#api.patch(this.path('sessions', name), { spec });
  }

  deployment(name: string): Promise<StoredDeployment> {
    return this.#api.get(this.at('deployments', name));
  }

  /** Whether there is such an object. */
  async exists(plural: Parameters<SessionRig['at']>[0], name: string): Promise<boolean> {
    return (await this.#api.call('GET', this.at(plural, name))).status === 200;
  }

  /** Waits until the session is as asked for, and returns it. */
  async until(name: string, look: (session: StoredSession) => unknown, within = 20_000): Promise<StoredSession> {
    let last: StoredSession | undefined;
    const seen = async () => {
      last = await this.get(name);
      return look(last) ? last : undefined;
    };
    return waitFor(seen, { what: `${name}: ${look}`, within }).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${JSON.stringify(last?.status, undefined, 1)}`);
    });
  }

  /** Waits until there is no Session of this name. */
  async gone(name: string): Promise<void> {
    const look = async () => (await this.#api.call('GET', this.path('sessions', name))).status === 404;
    await waitFor(look, { what: `${name} is gone` });
  }

  /** A node without a kubelet: what its pods do is for the test to say, by `podStatus`. */
  async bareNode(): Promise<string> {
    const name = `bare-${randomBytes(4).toString('hex')}`;
    const size = { cpu: '8', memory: '32Gi', pods: '250' };
    const labels = { 'kubernetes.io/hostname': name, ...this.#scene.tenant.nodeSelector };
    const conditions = [
      { type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime: new Date(), lastTransitionTime: new Date() },
    ];
    await this.#api.create('/api/v1/nodes', { metadata: { name, labels }, status: { allocatable: size, capacity: size, conditions } });
    this.#nodes.push(name);
    const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';
    await this.#api.create(leases, {
      metadata: { name },
      spec: { holderIdentity: name, leaseDurationSeconds: 40, renewTime: microTime() },
    });
    // Without a sign of life it would be given up after 50 s.
    const renew = () => void this.#api.patch(`${leases}/${name}`, { spec: { renewTime: microTime() } }).catch(() => undefined);
    this.#timers.push(setInterval(renew, 10_000));
    await waitFor(async () => !(await this.#api.get<{ spec: { taints?: unknown[] } }>(`/api/v1/nodes/${name}`)).spec.taints, {
      what: `${name} is open`,
    });
    return name;
  }

  /** The pods of a session, oldest first. */
  async pods(session: string): Promise<StoredPod[]> {
    const { items } = await this.#api.get<{ items: StoredPod[] }>(`${this.at('pods')}?labelSelector=session%3D${session}`);
    return items.toSorted((a, b) => (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? -1 : 1));
  }

  /** Waits until the session has a pod with a node, and says in its status what a kubelet would. */
  async podStatus(session: string, status: Record<string, unknown>): Promise<string> {
    const look = async () => (await this.pods(session)).findLast(({ metadata, spec }) => !metadata.deletionTimestamp && spec.nodeName);
    const { metadata } = await waitFor(look, { what: `${session} has a pod` });
    await this.#api.patch(`${this.at('pods', metadata.name)}/status`, { status });
    return metadata.name;
  }

  /** Lets the pods of the session that are on their way out go, as a kubelet would, until none is left. */
  async letPodsGo(session: string): Promise<void> {
    const left = async () => {
      const pods = await this.pods(session);
      const going = pods.filter(({ metadata }) => metadata.deletionTimestamp);
      for (const { metadata } of going) await this.#api.remove(this.at('pods', metadata.name), { gracePeriodSeconds: 0 });
      return pods.length;
    };
    await waitFor(async () => (await left()) === 0, { what: `the pods of ${session} are gone` });
  }

  /** As if it had been in this state for so many seconds: shifts the recorded times of the status. */
  async age(name: string, seconds: number): Promise<void> {
    const earlier = (time: string) => new Date(Date.parse(time) - seconds * 1000).toISOString();
    const { status } = await this.get(name);
    const conditions = status?.conditions?.map((each) => ({
      ...each,
      lastTransitionTime: `${earlier(each.lastTransitionTime).slice(0, 19)}Z`,
    }));
    const phaseSince = earlier(status?.phaseSince ?? '');
    await this.#api.patch(`${this.path('sessions', name)}/status`, { status: { phaseSince, conditions } });
  }

  /** A volume that a claim of 10Gi without a class can have. */
  async volume(claim: string): Promise<void> {
    const name = `pv-${randomBytes(4).toString('hex')}`;
    await this.#api.create('/api/v1/persistentvolumes', {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name },
      spec: {
        capacity: { storage: '10Gi' },
        accessModes: ['ReadWriteOnce'],
        hostPath: { path: '/nowhere' },
        claimRef: { namespace: this.#scene.namespace, name: claim },
        persistentVolumeReclaimPolicy: 'Retain',
      },
    });
    this.#volumes.push(name);
  }
}

/** As Leases have it. */
function microTime(): string {
  return new Date().toISOString().replace('Z', '000Z');
}

/** What a kubelet says of a pod that is ready. */
export const RUNS = {
  phase: 'Running',
  podIP: '10.1.2.3',
  podIPs: [{ ip: '10.1.2.3' }],
  conditions: [{ type: 'Ready', status: 'True' }],
  containerStatuses: [
    {
      name: 'session',
      image: 'lscr.io/linuxserver/firefox:latest',
      imageID: 'sha256:1',
      ready: true,
      restartCount: 0,
      state: { running: {} },
    },
  ],
};

/** Whether the session is in one of these phases. */
export function inSessionPhase(...phases: readonly string[]) {
  return ({ status }: StoredSession) => phases.includes(status?.phase ?? '');
}

/** The condition of this type. */
export function claimOf(session: StoredSession, type: string) {
  return session.status?.conditions?.find((each) => each.type === type);
}
