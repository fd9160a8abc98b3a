import { INTENT, type Session, type SessionOverride, WAKE_REQUESTED } from '../api/session.ts';
import type { SessionState } from '../api/session-spec.ts';

/** What the session should be: the override while it stands, else what the spec says. */
export function desiredOf(session: Session): SessionState {
  return standingOverride(session)?.state ?? session.spec?.state ?? 'Running';
}

/** The override, unless the spec was edited, a wake was requested, or an action asked for something after it. */
export function standingOverride({ metadata, status }: Session): SessionOverride | undefined {
  const override = status?.override;
  if (!override || override.generation !== metadata.generation) return undefined;
  const since = Date.parse(override.at);
  const { [WAKE_REQUESTED]: wake, [INTENT]: intent } = metadata.annotations ?? {};
  return timeOf(wake) > since || timeOf(intent) > since ? undefined : override;
}

/** Whether somebody asked for something anew after that time, without an edit of the spec. */
export function askedAnewSince({ metadata, status }: Session, time: string | undefined): boolean {
  const since = time === undefined ? 0 : Date.parse(time);
  const { [WAKE_REQUESTED]: wake, [INTENT]: intent } = metadata.annotations ?? {};
  const override = status?.override;
  const overridden = override?.generation === metadata.generation ? timeOf(override?.at) : Number.NEGATIVE_INFINITY;
  return [timeOf(wake), timeOf(intent), overridden].some((each) => each > since);
}

/** An intent begins with its time; a text that is no time asks for nothing. */
function timeOf(text: string | undefined): number {
  const time = Date.parse((text ?? '').split(' ')[0] ?? '');
  return Number.isNaN(time) ? Number.NEGATIVE_INFINITY : time;
}
