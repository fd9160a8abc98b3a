import { SESSIONS, type Session } from '../api/session.ts';
import type { KubeClient } from '../kube/client.ts';
import { keyOf } from '../kube/controller.ts';
import { isStatus } from '../kube/error.ts';
import type { KubeObject, Resource } from '../kube/object.ts';
import { apiVersion, DEPLOYMENTS, SERVICES } from '../kube/resources.ts';
import type { Store } from '../kube/store.ts';
import type { Seconds } from '../lib/next.ts';
import { adopt, originOf } from '../sessions/adoption.ts';

/** After a failure everything is looked at again, this much later. */
const AGAIN_AFTER: Seconds = 10;

/** What became of an object of a session that has no Session. */
export type Found =
  | { readonly kind: 'adopted'; readonly session: Session }
  | { readonly kind: 'removed'; readonly object: KubeObject }
  | { readonly kind: 'left'; readonly object: KubeObject; readonly flaw: string };

/** What the care for objects without a Session works with. */
export interface LeftBehindOptions {
  readonly client: KubeClient;
  readonly sessions: Store<Session>;
  readonly deployments: Store<KubeObject>;
  readonly services: Store<KubeObject>;
  readonly claims: Store<KubeObject>;
  /** The backend whose agent may have made sessions before; undefined where there is none, or more than one. */
  readonly backend: () => string | undefined;
  readonly onFound: (found: Found) => void;
  readonly onError: (error: unknown) => void;
}

/**
 * Cares for Deployments and Services of sessions that have no Session: those of the agent before this operator get one, and go on without a restart;
 * those of a Session that is gone go too. What belongs to anybody else, and every home, stays.
 */
export class LeftBehind {
  readonly #options: LeftBehindOptions;
  readonly #told = new Set<string>();
  readonly #stop = new AbortController();
  #tail: Promise<void> = Promise.resolve();
  #unlisten: readonly (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LeftBehindOptions) {
    this.#options = options;
  }

  /** Looks at all there is, and from now on at what appears; the stores are filled. */
  open(): void {
    const { deployments, services, sessions } = this.#options;
    const look = (resource: Resource) => (_: unknown, after: KubeObject | undefined) => after && this.#notice(resource, after);
    this.#unlisten = [
      deployments.onChange(look(DEPLOYMENTS)),
      services.onChange(look(SERVICES)),
      sessions.onChange((before, after) => before && !after && this.#sessionGone(keyOf(before))),
    ];
    this.lookAtAll();
  }

  /** Looks at everything again: there may be a backend now. */
  lookAtAll(): void {
    if (this.#stop.signal.aborted || this.#unlisten.length === 0) return;
    for (const object of this.#options.deployments.values()) this.#notice(DEPLOYMENTS, object);
    for (const object of this.#options.services.values()) this.#notice(SERVICES, object);
  }

  /** Resolves when everything that was seen before has been cared for. */
  async settled(): Promise<void> {
    await this.#tail;
  }

  /** Looks at nothing more, and resolves when what was begun is over. */
  async close(): Promise<void> {
    this.#stop.abort(new Error('nobody cares for sessions any more'));
    clearTimeout(this.#timer);
    for (const end of this.#unlisten) end();
    await this.#tail;
  }

  #sessionGone(key: string): void {
    const { deployments, services } = this.#options;
    const deployment = deployments.get(key);
    const service = services.get(key);
    if (deployment) this.#notice(DEPLOYMENTS, deployment);
    if (service) this.#notice(SERVICES, service);
  }

  #notice(resource: Resource, object: KubeObject): void {
    if (originOf(object) === undefined || this.#options.sessions.get(keyOf(object))) return;
    // One after another: they are few, and there is no hurry that is worth a burst.
    this.#tail = this.#tail.then(() => this.#care(resource, object)).catch((error: unknown) => this.#failed(error));
  }

  async #care(resource: Resource, { metadata }: KubeObject): Promise<void> {
    const { deployments, services, sessions, client, onFound } = this.#options;
    const { signal } = this.#stop;
    const key = keyOf({ metadata } as KubeObject);
    const stored = (resource === DEPLOYMENTS ? deployments : services).get(key);
    // What a list has shown does not say what it is.
    const object = stored && { ...stored, apiVersion: apiVersion(resource), kind: resource.kind };
    if (signal.aborted || !object || sessions.get(key)) return;
    const origin = originOf(object);
    if (origin === 'reference') return resource === DEPLOYMENTS ? this.#adopt(object) : undefined;
    if (origin === undefined || (await this.#hasSession(object))) return;
    const { name, namespace, uid } = object.metadata;
    const ref = { resource, name, ...(namespace ? { namespace } : {}) };
    try {
      await client.delete(ref, { preconditions: { uid }, propagationPolicy: 'Background' }, signal);
    } catch (error) {
      // Gone, or another one by now.
      if (isStatus(error, 404) || isStatus(error, 409)) return;
      throw error;
    }
    onFound({ kind: 'removed', object });
  }

  async #adopt(deployment: KubeObject): Promise<void> {
    const { client, sessions, claims, onFound } = this.#options;
    const backend = this.#options.backend();
    if (backend === undefined) return;
    const { uid, namespace = '', name } = deployment.metadata;
    const adoption = adopt(deployment, claims.get(`${namespace}/${name}-home`), backend);
    if ('flaw' in adoption) return this.#leave(uid, { kind: 'left', object: deployment, flaw: adoption.flaw });
    try {
      const made = (await client.create(SESSIONS, namespace, adoption.session, this.#stop.signal)) as unknown as Session;
      sessions.put(made);
      onFound({ kind: 'adopted', session: made });
    } catch (error) {
      // Somebody was faster.
      if (isStatus(error, 409)) return;
      if (!isStatus(error, 422) && !isStatus(error, 400)) throw error;
      this.#leave(uid, { kind: 'left', object: deployment, flaw: (error as Error).message });
    }
  }

  /** Told once: nothing about it changes by itself. */
  #leave(uid: string, found: Found): void {
    if (this.#told.has(uid)) return;
    this.#told.add(uid);
    this.#options.onFound(found);
  }

  /** Asked anew, because the watch of the Sessions may be behind that of the Deployments. */
  async #hasSession({ metadata: { name, namespace = '' } }: KubeObject): Promise<boolean> {
    const query = { fieldSelector: `metadata.name=${name}` };
    const page = await this.#options.client.list(SESSIONS, namespace, query, this.#stop.signal);
    return page.items.length > 0;
  }

  #failed(error: unknown): void {
    if (this.#stop.signal.aborted) return;
    this.#options.onError(error);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.lookAtAll(), AGAIN_AFTER * 1000);
  }
}
