import { type Session, sessionIDOf } from '../../api/session.ts';
import type { SessionState } from '../../api/session-spec.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { Known } from '../outcome.ts';

/** What the Session was asked to be when the action started. */
type Before = SessionState | 'Absent';

const BEFORE: readonly unknown[] = ['Running', 'Hibernated', 'Stopped', 'Absent'] satisfies Before[];

/**
 * `status.result` of every session action, of which a backend hears too. From the start on: before. Since its intent stands in the Session: session (its
 * name), sessionID, uid, changed (whether it was to be something else before) and created (SessionStart: whether this action made it). At the end: state
 * (what it is: its phase, or Absent) and, where there are such, podName, podIP, port (of its Service, on which the desktop is served), service and claim
 * (the PersistentVolumeClaim of its home).
 */
export interface Recorded {
  readonly before: Before | undefined;
  /** Absent until the intent is known to stand in the Session. */
  readonly uid?: string;
  /** Whether this action made the Session; absent: unknown. */
  readonly created?: boolean;
}

/** What the passes before left in the result. */
export function readRecord({ before, uid, created }: JsonObject): Recorded {
  return {
    // Written below and by nobody else: only the operator writes status.
    before: BEFORE.includes(before) ? (before as Before) : undefined,
    ...(typeof uid === 'string' ? { uid } : {}),
    ...(typeof created === 'boolean' ? { created } : {}),
  };
}

/** The record of an intent that stands. */
export function recordOf(session: Session, state: SessionState, { before, created }: Recorded): JsonObject {
  const changed: Known = before === undefined ? 'Unknown' : before !== state;
  return {
    before,
    session: session.metadata.name,
    sessionID: sessionIDOf(session),
    uid: session.metadata.uid,
    changed,
    ...(created === undefined ? {} : { created }),
  };
}

/** What the session is in the end. */
export function endOf({ metadata, status = {} }: Session): JsonObject {
  const { phase, podName, podIP, port, claimName } = status;
  const isThere = phase !== 'Stopped' && port !== undefined;
  return {
    state: phase,
    ...(podName === undefined ? {} : { podName }),
    ...(podIP === undefined ? {} : { podIP }),
    ...(isThere ? { port, service: metadata.name } : {}),
    ...(claimName === undefined ? {} : { claim: claimName }),
  };
}
