import { SESSIONS, type Session, type SessionOverride } from '../api/session.ts';
import type { KubeClient } from '../kube/client.ts';
import { apiVersion } from '../kube/resources.ts';
import type { JsonObject } from '../lib/json.ts';

/** The field manager of `status.override`, so that the rest of the status does not collide with it. */
const OVERRIDE_MANAGER = 'cloudoptim-override';

/**
 * Writes `status.override`, or takes it away, by server-side apply; throws 409 when the Session has changed since it was read, because the decision was
 * made for what was read.
 */
export async function writeOverride(
  client: KubeClient,
  { metadata }: Session,
  override: SessionOverride | undefined,
  signal: AbortSignal,
): Promise<Session> {
  const { name, namespace, uid, resourceVersion } = metadata;
  const status: JsonObject = override ? { override } : {};
  const body: JsonObject = {
    apiVersion: apiVersion(SESSIONS),
    kind: SESSIONS.kind,
    metadata: { name, namespace, uid, resourceVersion },
    status,
  };
  const query = { fieldManager: OVERRIDE_MANAGER, force: true };
  const ref = { resource: SESSIONS, name, ...(namespace === undefined ? {} : { namespace }) };
  return (await client.patch(ref, 'apply', body, signal, { subresource: 'status', query })) as unknown as Session;
}
