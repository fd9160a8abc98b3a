import { type Session, type SessionOverride, WAKE_REQUESTED } from '../api/session.ts';
import type { SessionState } from '../api/session-spec.ts';

/** The override that stands instead of `spec.state`: until the spec is edited, or the session is asked to wake. */
export function activeOverride({ metadata, status }: Session): SessionOverride | undefined {
  const override = status?.override;
  if (!override || override.generation !== metadata.generation) return undefined;
  const wake = Date.parse(metadata.annotations?.[WAKE_REQUESTED] ?? '');
  return override.state !== 'Running' && wake > Date.parse(override.at) ? undefined : override;
}

/** What the session should be: its spec, or the override that stands instead. */
export function desiredState(session: Session): SessionState {
  return activeOverride(session)?.state ?? session.spec?.state ?? 'Running';
}
