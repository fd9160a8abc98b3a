import { INTENT, type Session, type SessionOverride } from '../api/session.ts';
import type { SessionState } from '../api/session-spec.ts';
import type { ObjectMeta } from '../kube/object.ts';
import { wakeRequest, wakeRequestedAt } from './wake-request.ts';

/** What the session should be: the override while it stands, else what the spec says. */
export function desiredOf(session: Session): SessionState {
  return standingOverride(session)?.state ?? session.spec?.state ?? 'Running';
}

/** The override, unless the spec was edited, a wake was requested, or an action asked for something after it. */
export function standingOverride({ metadata, status }: Session, now = new Date()): SessionOverride | undefined {
  const override = status?.override;
  if (!override || override.generation !== metadata.generation) return undefined;
  return intendedAt(metadata) > Date.parse(override.at) || wakeRequest(metadata, override, now).kind === 'wake' ? undefined : override;
}

/** Whether somebody asked for something anew after that time, without an edit of the spec. */
export function askedAnewSince({ metadata, status }: Session, time: string | undefined, now = new Date()): boolean {
  const since = time === undefined ? 0 : Date.parse(time);
  const override = status?.override;
  const overridden = override?.generation === metadata.generation ? timeOf(override?.at) : Number.NEGATIVE_INFINITY;
  const wake = wakeRequestedAt(metadata, now);
  const woken = wake && 'at' in wake ? wake.at.getTime() : Number.NEGATIVE_INFINITY;
  return [woken, intendedAt(metadata), overridden].some((each) => each > since);
}

/** When an action last said what the session should be, in milliseconds since 1970; long before all time where none did. */
export function intendedAt({ annotations }: Pick<ObjectMeta, 'annotations'>): number {
  return timeOf(annotations?.[INTENT]);
}

/** An intent begins with its time; a text that is no time asks for nothing. */
function timeOf(text: string | undefined): number {
  const time = Date.parse((text ?? '').split(' ')[0] ?? '');
  return Number.isNaN(time) ? Number.NEGATIVE_INFINITY : time;
}
