import type { JsonObject, JsonValue } from '../lib/json.ts';
import type { KubeClient } from './client.ts';
import type { KubeObject, ObjectRef } from './object.ts';
import { apiVersion } from './resources.ts';

/** The field manager of everything but the Reported condition. */
export const FIELD_MANAGER = 'cloudoptim-operator';

/**
 * Applies the whole status by server-side apply, fenced by the object's UID; fields that are no longer in it go. Conditions of other field
 * managers stay, because `conditions` is a list-map. Throws 409 when the object was replaced by a namesake.
 */
export async function applyStatus(
  client: KubeClient,
  ref: ObjectRef,
  object: { readonly metadata: { readonly uid: string } },
  status: unknown,
  signal: AbortSignal,
  fieldManager: string = FIELD_MANAGER,
): Promise<KubeObject> {
  const metadata: JsonObject = { name: ref.name, namespace: ref.namespace, uid: object.metadata.uid };
  const body: JsonObject = { apiVersion: apiVersion(ref.resource), kind: ref.resource.kind, metadata, status: status as JsonValue };
  return client.patch(ref, 'apply', body, signal, { subresource: 'status', query: { fieldManager, force: true } });
}
