import type { Session, SessionStatus } from '../../operator/api/session.ts';
import type { SessionSpec } from '../../operator/api/session-spec.ts';
import { judgeLife, type LifeFacts, type LifeVerdict } from '../../operator/sessions/life.ts';
import type { Reading } from '../../operator/sessions/signals.ts';

/** Noon, which is now in tables. */
export const NOON = new Date('2026-12-01T12:00:00Z');

/** So many minutes before noon. */
export function before(minutes: number): Date {
  return new Date(NOON.getTime() - minutes * 60_000);
}

/** What a table says of a session that runs since 10 o'clock otherwise. */
export interface LifeCase {
  readonly spec?: Partial<SessionSpec>;
  readonly status?: Partial<SessionStatus>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly metadata?: Partial<Session['metadata']>;
}

/** A Session as the API server has it. */
export function sessionOf({ spec, status, annotations = {}, metadata }: LifeCase = {}): Session {
  return {
    apiVersion: 'cloudoptim.io/v1alpha1',
    kind: 'Session',
    metadata: { name: 'anna', namespace: 'desks', uid: 'u', resourceVersion: '1', generation: 3, annotations, ...metadata },
    spec: { state: 'Running', user: 'anna', ...spec } as SessionSpec,
    status: { phase: 'Running', phaseSince: before(120).toISOString(), activeSince: before(120).toISOString(), ...status },
  };
}

/** Judges it at noon, by the wall clock. */
export function judged(session: Session, readings: readonly Reading[] = [], more: Partial<LifeFacts> = {}): LifeVerdict {
  const age = (_: unknown, since: Date) => (NOON.getTime() - since.getTime()) / 1000;
  return judgeLife({ session, desired: session.spec?.state ?? 'Running', readings, now: NOON, age, ...more });
}
