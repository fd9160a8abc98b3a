import { isDeepStrictEqual } from 'node:util';
import { findCondition, isTrue } from '../api/condition.ts';
import type { Session, SessionStatus } from '../api/session.ts';
import type { EventNote } from '../kube/events.ts';

/** Whether a change of the object asks for a pass: all but what the operator writes itself. */
export function isRelevantSession(before: Session | undefined, after: Session): boolean {
  if (before?.metadata.uid !== after.metadata.uid) return true;
  if (before.metadata.generation !== after.metadata.generation) return true;
  if (before.metadata.deletionTimestamp !== after.metadata.deletionTimestamp) return true;
  if (!isDeepStrictEqual(before.metadata.annotations, after.metadata.annotations)) return true;
  return !isDeepStrictEqual(before.status?.override, after.status?.override);
}

/** Whether watchers want to see the difference at once: another phase, or ready where it was not; how far a start has come can wait. */
export function isUrgentSession(before: SessionStatus | undefined, after: SessionStatus): boolean {
  if (before?.phase !== after.phase || before?.desired !== after.desired) return true;
  const was = findCondition(before?.conditions, 'Ready')?.status;
  return was !== findCondition(after.conditions, 'Ready')?.status;
}

/** The part of the status that the controller writes: the override and what was reported have writers of their own. */
export function ownedSessionStatus({ override: _, reported: __, ...status }: SessionStatus): SessionStatus {
  return { ...status, conditions: (status.conditions ?? []).filter((each) => each.type !== 'Reported') };
}

/** The Event that a written status is worth, if any: a settled state, or a failure with its cause. */
export function sessionNoteOf(before: SessionStatus | undefined, after: SessionStatus): EventNote | undefined {
  const ready = findCondition(after.conditions, 'Ready');
  if (!ready) return undefined;
  if (ready.reason === 'WakeFailed' && findCondition(before?.conditions, 'Ready')?.reason !== 'WakeFailed') {
    return { type: 'Warning', reason: 'WakeFailed', message: ready.message };
  }
  if (before?.phase === after.phase) return undefined;
  if (after.phase === 'Failed')
    return {
      type: 'Warning',
      reason: isTrue(after.conditions, 'Stalled') ? 'Failed' : 'PodLost',
      message: `${ready.reason}: ${ready.message}`,
    };
  if (after.phase === 'Running') {
    if (before?.phase === 'Starting') return { type: 'Normal', reason: 'Started', message: `ready after ${after.startSeconds ?? 0} s` };
    if (before?.phase === 'Waking') return { type: 'Normal', reason: 'Woken', message: `ready after ${after.wakeSeconds ?? 0} s` };
    return { type: 'Normal', reason: 'Recovered', message: `its pod ${after.podName ?? ''} is ready again` };
  }
  if (after.phase === 'Hibernated' && before?.phase === 'Hibernating' && ready.reason === 'Hibernated')
    return { type: 'Normal', reason: 'Hibernated', message: ready.message };
  if (after.phase === 'Stopped' && before?.phase === 'Stopping') return { type: 'Normal', reason: 'Stopped', message: ready.message };
  return undefined;
}
