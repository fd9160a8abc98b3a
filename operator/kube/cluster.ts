import type { JsonObject } from '../lib/json.ts';
import type { Budget } from './budget.ts';
import type { Node } from './node.ts';
import type { KubeObject, ObjectRef, Resource } from './object.ts';
import type { Pod } from './pod.ts';

/** What an eviction or deletion must name so that only this incarnation of the pod is touched. */
export interface PodIdentity {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** A read-only view of watched objects: as fresh as the watch, never a request. */
export interface ClusterView {
  node(name: string): Node | undefined;
  nodes(): readonly Node[];
  pod(namespace: string, name: string): Pod | undefined;
  pods(): Iterable<Pod>;
  podsOn(nodeName: string): readonly Pod[];
  budgets(namespace: string): readonly Budget[];
}

/**
 * The cluster as executors see it. Every method throws ApiError for an answer that is not 2xx and ApiUnreachable where no answer came;
 * `signal` ends the request.
 */
export interface Cluster {
  readonly view: ClusterView;
  /** Reads the object fresh from the API server. */
  get(ref: ObjectRef, signal: AbortSignal): Promise<KubeObject>;
  /** Reads the node fresh from the API server. */
  getNode(name: string, signal: AbortSignal): Promise<Node>;
  /** Reads the pod fresh from the API server. */
  getPod(namespace: string, name: string, signal: AbortSignal): Promise<Pod>;
  /** Lists the pods bound to the node fresh, 500 a page with `fieldSelector=spec.nodeName` (FIELD.md K6). */
  listPodsOn(nodeName: string, podSelector: string | undefined, signal: AbortSignal): Promise<readonly Pod[]>;
  /** The names of the PersistentVolumes that are attached to the node, or on their way to or from it, listed fresh. */
  listAttachedVolumes(nodeName: string, signal: AbortSignal): Promise<readonly string[]>;
  /** Applies a JSON merge patch; put `metadata.uid` or `metadata.resourceVersion` into it to fence it (then 409 or 422 when replaced). */
  mergePatch(ref: ObjectRef, patch: JsonObject, signal: AbortSignal): Promise<KubeObject>;
  /** Applies a strategic merge patch, which merges containers by name where a JSON merge patch replaces them all; fenced in the same way. */
  strategicPatch(ref: ObjectRef, patch: JsonObject, signal: AbortSignal): Promise<KubeObject>;
  /** Merge-patches the scale subresource and answers with the Scale, which carries UID and resource version of the workload: fenced in the same way. */
  patchScale(ref: ObjectRef, patch: JsonObject, signal: AbortSignal): Promise<KubeObject>;
  /** Lists the objects of one namespace fresh, 500 a page (FIELD.md K6); `labelSelector` absent means all. */
  list(resource: Resource, namespace: string, labelSelector: string | undefined, signal: AbortSignal): Promise<readonly KubeObject[]>;
  /** Posts a policy/v1 Eviction with the UID as precondition; `gracePeriodSeconds` absent means the pod's own. */
  evict(pod: PodIdentity, gracePeriodSeconds: number | undefined, signal: AbortSignal): Promise<void>;
  /** Deletes the pod with the UID as precondition; `gracePeriodSeconds` absent means the pod's own. */
  deletePod(pod: PodIdentity, gracePeriodSeconds: number | undefined, signal: AbortSignal): Promise<void>;
}
