import type { KubeClient } from './client.ts';
import type { KubeObject, ObjectRef } from './object.ts';

/**
 * Adds or removes one finalizer, fenced by the resource version so that nobody else's is lost; no write when it is as wanted already.
 * Throws 409 when the object changed meanwhile.
 */
export async function setFinalizer(
  client: KubeClient,
  ref: ObjectRef,
  object: KubeObject,
  finalizer: string,
  present: boolean,
  signal: AbortSignal,
): Promise<KubeObject> {
  const finalizers = object.metadata.finalizers ?? [];
  if (finalizers.includes(finalizer) === present) return object;
  // A finalizer cannot be added to an object that is being deleted.
  if (present && object.metadata.deletionTimestamp) return object;
  const wanted = present ? [...finalizers, finalizer] : finalizers.filter((name) => name !== finalizer);
  const { uid, resourceVersion } = object.metadata;
  return client.patch(ref, 'merge', { metadata: { uid, resourceVersion, finalizers: wanted } }, signal);
}
