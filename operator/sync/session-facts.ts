import { findCondition } from '../api/condition.ts';
import { type Session, type SessionPhase, sessionIDOf } from '../api/session.ts';
import type { SessionFacts } from '../backends/backend.ts';
import { desiredOf } from '../sessions/desired.ts';

const ACTIVE: ReadonlySet<SessionPhase | undefined> = new Set<SessionPhase>(['Starting', 'Running', 'Waking']);
const SETTLED: ReadonlySet<SessionPhase | undefined> = new Set<SessionPhase>(['Running', 'Hibernated', 'Stopped', 'Failed']);

/** A session as its backend hears of it, as its object says now. */
export function sessionFacts(session: Session): SessionFacts {
  const { phase, podName, port, conditions } = session.status ?? {};
  const state = SETTLED.has(phase) && !(endsSoon(session) && phase !== 'Stopped') ? (phase as SessionFacts['state']) : undefined;
  return {
    sessionID: sessionIDOf(session),
    ...(state ? { state } : {}),
    active: ACTIVE.has(phase),
    ...(podName ? { podName } : {}),
    ...(port ? { port } : {}),
    message: findCondition(conditions, 'Ready')?.message ?? '',
  };
}

/** Whether the session is to be stopped: what it still is says nothing, and would bring a session that its backend has ended back to life. */
function endsSoon(session: Session): boolean {
  return session.metadata.deletionTimestamp !== undefined || desiredOf(session) === 'Stopped';
}
