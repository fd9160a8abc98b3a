import type { JsonObject } from '../lib/json.ts';
import type { Caches } from './caches.ts';
import type { KubeClient } from './client.ts';
import type { Cluster, PodIdentity } from './cluster.ts';
import { listAll } from './list.ts';
import { type Node, projectNode } from './node.ts';
import type { KubeObject, ObjectRef, Resource } from './object.ts';
import { type Pod, projectPod } from './pod.ts';
import { NODES, PODS, VOLUME_ATTACHMENTS } from './resources.ts';
import { FIELD_MANAGER } from './status.ts';

/** The cluster port on a real API server. */
export class LiveCluster implements Cluster {
  readonly view: Caches;
  readonly #client: KubeClient;

  constructor(client: KubeClient, view: Caches) {
    this.#client = client;
    this.view = view;
  }

  async get(ref: ObjectRef, signal: AbortSignal): Promise<KubeObject> {
    return this.#client.get(ref, signal);
  }

  async getNode(name: string, signal: AbortSignal): Promise<Node> {
    return projectNode(await this.#client.get({ resource: NODES, name }, signal));
  }

  async getPod(namespace: string, name: string, signal: AbortSignal): Promise<Pod> {
    return projectPod(await this.#client.get({ resource: PODS, namespace, name }, signal));
  }

  async listPodsOn(nodeName: string, podSelector: string | undefined, signal: AbortSignal): Promise<readonly Pod[]> {
    const query = { fieldSelector: `spec.nodeName=${nodeName}`, labelSelector: podSelector };
    return (await listAll(this.#client, PODS, { query, project: projectPod }, signal)).items;
  }

  async listAttachedVolumes(nodeName: string, signal: AbortSignal): Promise<readonly string[]> {
    // The API server knows no field selector for the node of an attachment.
    const project = (raw: JsonObject) => attachedVolume(raw, nodeName);
    return (await listAll(this.#client, VOLUME_ATTACHMENTS, { project }, signal)).items;
  }

  async mergePatch(ref: ObjectRef, patch: JsonObject, signal: AbortSignal): Promise<KubeObject> {
    return this.#client.patch(ref, 'merge', patch, notBegun(signal), { query: { fieldManager: FIELD_MANAGER } });
  }

  async strategicPatch(ref: ObjectRef, patch: JsonObject, signal: AbortSignal): Promise<KubeObject> {
    return this.#client.patch(ref, 'strategic', patch, notBegun(signal), { query: { fieldManager: FIELD_MANAGER } });
  }

  async patchScale(ref: ObjectRef, patch: JsonObject, signal: AbortSignal): Promise<KubeObject> {
    return this.#client.patch(ref, 'merge', patch, notBegun(signal), { subresource: 'scale', query: { fieldManager: FIELD_MANAGER } });
  }

  async list(
    resource: Resource,
    namespace: string,
    labelSelector: string | undefined,
    signal: AbortSignal,
  ): Promise<readonly KubeObject[]> {
    const project = (raw: JsonObject) => raw as unknown as KubeObject;
    return (await listAll(this.#client, resource, { namespace, query: { labelSelector }, project }, signal)).items;
  }

  async evict(pod: PodIdentity, gracePeriodSeconds: number | undefined, signal: AbortSignal): Promise<void> {
    const { namespace, name } = pod;
    const body: JsonObject = {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { namespace, name },
      deleteOptions: deleteOptions(pod, gracePeriodSeconds),
    };
    await this.#client.post({ resource: PODS, namespace, name }, 'eviction', body, notBegun(signal));
  }

  async deletePod(pod: PodIdentity, gracePeriodSeconds: number | undefined, signal: AbortSignal): Promise<void> {
    const { namespace, name } = pod;
    await this.#client.delete({ resource: PODS, namespace, name }, deleteOptions(pod, gracePeriodSeconds), notBegun(signal));
  }
}

/**
 * A write that is on its way when the operator stops is waited for, bounded by the client's own time-out: cut off, nobody would know whether it
 * was done. One that has not begun is not made. Throws the signal's reason then.
 */
function notBegun(signal: AbortSignal): AbortSignal {
  signal.throwIfAborted();
  return new AbortController().signal;
}

/** Only this incarnation of the pod (FIELD.md K25, A13). */
function deleteOptions(pod: PodIdentity, gracePeriodSeconds: number | undefined): JsonObject {
  return { preconditions: { uid: pod.uid }, ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }) };
}

/** An attachment without a name of a volume belongs to no PersistentVolume: it is written into the pod and goes with it. */
function attachedVolume({ spec }: JsonObject, nodeName: string): string | undefined {
  const attachment = spec as { readonly nodeName?: string; readonly source?: { readonly persistentVolumeName?: string } } | undefined;
  return attachment?.nodeName === nodeName ? attachment.source?.persistentVolumeName : undefined;
}
