import { SESSIONS, type Session, type SessionOverride } from '../api/session.ts';
import type { SessionState } from '../api/session-spec.ts';
import type { KubeClient } from '../kube/client.ts';
import type { KubeObject } from '../kube/object.ts';
import { applyStatus } from '../kube/status.ts';
import { intendedAt } from './desired.ts';

/** The field manager of `status.override` alone, so that passes over the session neither write nor lose it. */
export const OVERRIDE_MANAGER = 'cloudoptim-override';

/** Writes the decision that stands instead of `spec.state`, or takes it away; throws 409 when the Session was replaced by a namesake. */
export async function writeOverride(
  client: KubeClient,
  session: Session,
  override: SessionOverride | undefined,
  signal: AbortSignal,
): Promise<KubeObject> {
  const { name, namespace } = session.metadata;
  const ref = { resource: SESSIONS, name, ...(namespace === undefined ? {} : { namespace }) };
  return applyStatus(client, ref, session, override ? { override } : {}, signal, OVERRIDE_MANAGER);
}

/** What the operator decides by itself: later than what was asked for before, whatever clock that was asked by, or it would be decided again and again. */
export function operatorOverride({ metadata }: Session, state: SessionState, reason: string, now: Date): SessionOverride {
  const at = new Date(Math.max(now.getTime(), intendedAt(metadata))).toISOString();
  return { state, reason, by: 'operator', at, generation: metadata.generation ?? 0 };
}
