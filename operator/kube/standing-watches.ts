import type { JsonObject } from '../lib/json.ts';
import { projectBudget } from './budget.ts';
import type { Caches } from './caches.ts';
import type { KubeClient } from './client.ts';
import { type CoreEvent, projectCoreEvent } from './cluster-event.ts';
import { keyOf } from './controller.ts';
import { listAll } from './list.ts';
import { projectNode } from './node.ts';
import type { KubeObject, Resource } from './object.ts';
import { projectPod } from './pod.ts';
import { BUDGETS, EVENTS, NODES, PODS } from './resources.ts';
import { Store } from './store.ts';
import type { Watches } from './watches.ts';

/** Reasons of Events that are worth keeping; the feed of each upstream decides what it sends. */
const KEPT_REASONS = new Set([
  'FailedScheduling',
  'Evicted',
  'Preempted',
  'NodeControllerEviction',
  'TaintManagerEviction',
  'DeviceTaintManagerEviction',
  'NodeNotReady',
]);

/** The stores of the operator's own kinds and of the Events. */
export interface ObjectWatches<Action, Backend> {
  readonly actions: Store<Action>;
  readonly backends: Store<Backend>;
  readonly events: Store<CoreEvent>;
  /** Starts the watches that fill them; each promise resolves when its store is filled. */
  start(watches: Watches, namespace: string): readonly Promise<void>[];
  /** Brings the operator's own kinds up to what the API server holds now, which watches may still be about to tell. */
  refresh(client: KubeClient, namespace: string, signal: AbortSignal): Promise<void>;
}

/** Makes them. */
export function startObjectWatches<Action extends KubeObject<unknown, unknown>, Backend extends KubeObject<unknown, unknown>>(
  actionResource: Resource,
  backendResource: Resource,
): ObjectWatches<Action, Backend> {
  const actions = objectStore<Action>();
  const backends = objectStore<Backend>();
  const events = new Store<CoreEvent>(({ namespace, name, uid, resourceVersion }) => ({
    key: `${namespace}/${name}`,
    uid,
    resourceVersion,
  }));
  return {
    actions,
    backends,
    events,
    start: (watches, namespace) => [
      watches.start({ resource: actionResource, namespace, project: (raw) => withoutManagedFields<Action>(raw), store: actions }),
      watches.start({ resource: backendResource, namespace, project: (raw) => withoutManagedFields<Backend>(raw), store: backends }),
      watches.start({ resource: EVENTS, project: projectKept, store: events }),
    ],
    refresh: async (client, namespace, signal) => {
      await Promise.all([
        relist(client, actionResource, namespace, actions, signal),
        relist(client, backendResource, namespace, backends, signal),
      ]);
    },
  };
}

async function relist<T>(client: KubeClient, resource: Resource, namespace: string, store: Store<T>, signal: AbortSignal): Promise<void> {
  const project = (raw: JsonObject) => withoutManagedFields<T>(raw);
  const { items, resourceVersion } = await listAll(client, resource, { namespace, query: {}, project }, signal);
  store.replace(items, resourceVersion);
}

/** Starts the watches of the cluster caches. */
export function startClusterWatches(watches: Watches, caches: Caches): readonly Promise<void>[] {
  return [
    watches.start({ resource: NODES, project: projectNode, store: caches.nodeStore }),
    watches.start({ resource: PODS, project: projectPod, store: caches.podStore }),
    watches.start({ resource: BUDGETS, project: projectBudget, store: caches.budgetStore }),
  ];
}

/** A store of objects that are kept as the API server has them. */
export function objectStore<T extends KubeObject<unknown, unknown>>(): Store<T> {
  return new Store<T>((object) => {
    const { uid, resourceVersion } = object.metadata;
    return { key: keyOf(object), uid, resourceVersion };
  });
}

/** Kept whole but for the bookkeeping of field managers, which is often longer than the rest. */
export function withoutManagedFields<T>(raw: JsonObject): T {
  const { managedFields: _, ...metadata } = raw.metadata as JsonObject;
  return { ...raw, metadata } as T;
}

function projectKept(raw: JsonObject): CoreEvent | undefined {
  return KEPT_REASONS.has(String(raw.reason)) ? projectCoreEvent(raw) : undefined;
}
