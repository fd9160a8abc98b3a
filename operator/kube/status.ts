import type { JsonObject, JsonValue } from '../lib/json.ts';
import type { KubeClient } from './client.ts';
import { isStatus } from './error.ts';
import type { KubeObject, ObjectRef } from './object.ts';
import { apiVersion } from './resources.ts';

/** The field manager of everything but the Reported condition. */
export const FIELD_MANAGER = 'cloudoptim-operator';
/** An object that others write between any two of our calls is not going to hold still. */
const MAX_TRIES = 5;

/**
 * Applies the whole status by server-side apply, fenced by the object's UID; fields that are no longer in it go. Conditions of other field
 * managers stay, because `conditions` is a list-map. Throws 409 when the object was replaced by a namesake, or has changed and is `isFinal` now.
 */
export async function applyStatus(
  client: KubeClient,
  ref: ObjectRef,
  object: { readonly metadata: { readonly uid: string; readonly resourceVersion: string } },
  status: unknown,
  signal: AbortSignal,
  fieldManager: string = FIELD_MANAGER,
  isFinal: (stored: KubeObject) => boolean = () => false,
): Promise<KubeObject> {
  const { uid } = object.metadata;
  let { resourceVersion } = object.metadata;
  for (let tries = 1; ; tries++) {
    // In the status of a custom resource the API server overlooks a wrong UID, but not a wrong resource version.
    const metadata: JsonObject = { name: ref.name, namespace: ref.namespace, uid, resourceVersion };
    const body: JsonObject = { apiVersion: apiVersion(ref.resource), kind: ref.resource.kind, metadata, status: status as JsonValue };
    try {
      return await client.patch(ref, 'apply', body, signal, { subresource: 'status', query: { fieldManager, force: true } });
    } catch (error) {
      if (!isStatus(error, 409) || tries === MAX_TRIES) throw error;
      const now = await currentOf(client, ref, signal);
      if (now?.metadata.uid !== uid || isFinal(now)) throw error;
      resourceVersion = now.metadata.resourceVersion;
    }
  }
}

/** By a list of one, because a watcher has the right to list anyway, and no other need to get. */
async function currentOf(client: KubeClient, ref: ObjectRef, signal: AbortSignal): Promise<KubeObject | undefined> {
  const page = await client.list(ref.resource, ref.namespace, { fieldSelector: `metadata.name=${ref.name}` }, signal);
  return page.items[0] as unknown as KubeObject | undefined;
}
