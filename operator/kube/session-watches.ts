import type { JsonObject } from '../lib/json.ts';
import type { Topic } from '../lib/next.ts';
import type { Bus } from './bus.ts';
import type { Caches } from './caches.ts';
import type { KubeClient } from './client.ts';
import { listAll } from './list.ts';
import type { KubeObject, Resource } from './object.ts';
import type { Pod } from './pod.ts';
import { CLAIMS, DEPLOYMENTS, SERVICES } from './resources.ts';
import { SESSION_APP } from './session-pod.ts';
import { objectStore, withoutManagedFields } from './standing-watches.ts';
import type { Store } from './store.ts';
import { workloadTopic } from './topics.ts';
import type { Watches } from './watches.ts';

/** Which kinds hold sessions and their templates, and what changes with them. */
export interface SessionKinds {
  readonly sessions: Resource;
  readonly templates: Resource;
  readonly sessionTopic: (namespace: string, name: string) => Topic;
  readonly templateTopic: (namespace: string, name: string) => Topic;
}

/** The sessions of one namespace with their templates, their objects and their pods, as the watches show them; every change is published on the bus. */
export class SessionWatches<Session extends KubeObject<unknown, unknown>, Template extends KubeObject<unknown, unknown>> {
  readonly namespace: string;
  readonly sessions: Store<Session> = objectStore<Session>();
  readonly templates: Store<Template> = objectStore<Template>();
  readonly deployments: Store<KubeObject> = objectStore<KubeObject>();
  readonly services: Store<KubeObject> = objectStore<KubeObject>();
  readonly claims: Store<KubeObject> = objectStore<KubeObject>();
  readonly #kinds: SessionKinds;
  readonly #pods = new Map<string, Map<string, Pod>>();
  readonly #synced = Promise.withResolvers<void>();

  constructor(namespace: string, kinds: SessionKinds, caches: Caches, bus: Bus) {
    this.namespace = namespace;
    this.#kinds = kinds;
    const publish = (topic: SessionKinds['sessionTopic'], name: (object: KubeObject<unknown, unknown>) => string) => {
      return (before?: KubeObject<unknown, unknown>, after?: KubeObject<unknown, unknown>) => {
        const object = after ?? before;
        if (object) bus.publish(topic(namespace, name(object)));
      };
    };
    const ownName = (object: KubeObject<unknown, unknown>) => object.metadata.name;
    this.sessions.onChange(publish(kinds.sessionTopic, ownName));
    this.templates.onChange(publish(kinds.templateTopic, ownName));
    for (const store of [this.deployments, this.services]) store.onChange(publish(workloadTopic, ownName));
    this.claims.onChange(publish(workloadTopic, (claim) => claim.metadata.labels?.session ?? ''));
    caches.podStore.onChange((before, after) => this.#podChanged(before, after, bus));
  }

  /** Resolves when all of it is known: never, where the kinds are not installed. */
  get synced(): Promise<void> {
    return this.#synced.promise;
  }

  /** The pods that carry the name of this session, those that are going too. */
  podsOf(session: string): readonly Pod[] {
    return [...(this.#pods.get(session)?.values() ?? [])];
  }

  /** Starts the watches. */
  start(watches: Watches): void {
    const { namespace } = this;
    const { sessions, templates } = this.#kinds;
    const labelSelector = `app=${SESSION_APP}`;
    const lists = [
      watches.start({ resource: sessions, namespace, optional: true, project: withoutManagedFields<Session>, store: this.sessions }),
      watches.start({ resource: templates, namespace, optional: true, project: withoutManagedFields<Template>, store: this.templates }),
      ...this.#objects().map(([resource, store]) =>
        watches.start({ resource, namespace, optional: true, labelSelector, project: projectWorkload, store }),
      ),
    ];
    void Promise.all(lists).then(() => this.#synced.resolve());
  }

  /** Brings everything up to what the API server holds now, which watches may still be about to tell. */
  async refresh(client: KubeClient, signal: AbortSignal): Promise<void> {
    const { sessions, templates } = this.#kinds;
    const relist = async <T>(resource: Resource, store: Store<T>, project: (raw: JsonObject) => T, query = {}) => {
      const { items, resourceVersion } = await listAll(client, resource, { namespace: this.namespace, query, project }, signal);
      store.replace(items, resourceVersion);
    };
    const labelSelector = `app=${SESSION_APP}`;
    await Promise.all([
      relist(sessions, this.sessions, withoutManagedFields<Session>),
      relist(templates, this.templates, withoutManagedFields<Template>),
      ...this.#objects().map(([resource, store]) => relist(resource, store, projectWorkload, { labelSelector })),
    ]);
  }

  #objects(): readonly (readonly [Resource, Store<KubeObject>])[] {
    return [
      [DEPLOYMENTS, this.deployments],
      [SERVICES, this.services],
      [CLAIMS, this.claims],
    ];
  }

  #podChanged(before: Pod | undefined, after: Pod | undefined, bus: Bus): void {
    for (const pod of [before, after]) {
      const session = pod?.labels.session;
      if (!pod?.session || session === undefined || pod.namespace !== this.namespace) continue;
      const pods = this.#pods.get(session) ?? new Map<string, Pod>();
      if (pod === after) this.#pods.set(session, pods.set(pod.name, pod));
      else if (pods.delete(pod.name) && pods.size === 0) this.#pods.delete(session);
      bus.publish(workloadTopic(this.namespace, session));
    }
  }
}

/** A Deployment, Service or claim of a session as its watch keeps it: whole enough to see what somebody changed in it. */
export function projectWorkload(raw: JsonObject): KubeObject {
  const { status = {}, ...object } = withoutManagedFields<KubeObject>(raw);
  const { observedGeneration, replicas, updatedReplicas, phase, conditions } = status;
  const failures = Array.isArray(conditions) ? conditions.filter((each) => each?.type === 'ReplicaFailure') : [];
  const kept = { observedGeneration, replicas, updatedReplicas, phase, ...(failures.length > 0 ? { conditions: failures } : {}) };
  return { ...object, status: JSON.parse(JSON.stringify(kept)) as JsonObject };
}
