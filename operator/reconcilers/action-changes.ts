import { findCondition } from '../api/condition.ts';
import type { OptimizationAction, OptimizationActionStatus } from '../api/optimization-action.ts';
import type { EventNote } from '../kube/events.ts';

/** Whether a change of the object asks for a pass: another spec, a deletion, or a result that was taken. */
export function isRelevantAction(before: OptimizationAction | undefined, after: OptimizationAction): boolean {
  if (before?.metadata.uid !== after.metadata.uid) return true;
  if (before.metadata.generation !== after.metadata.generation) return true;
  if (before.metadata.deletionTimestamp !== after.metadata.deletionTimestamp) return true;
  return reported(before.status) !== reported(after.status);
}

/** Whether watchers want to see the difference at once: another phase or cause, a start, an end, or the first blocker. */
export function isUrgentAction(before: OptimizationActionStatus | undefined, after: OptimizationActionStatus): boolean {
  if (before?.phase !== after.phase || before?.startedAt !== after.startedAt || before?.finishedAt !== after.finishedAt) return true;
  if (reason(before) !== reason(after)) return true;
  return (before?.blockers ?? []).length === 0 && (after.blockers ?? []).length > 0;
}

/** The part of the status that the controller writes: Reported belongs to the report loop. */
export function ownedActionStatus(status: OptimizationActionStatus): OptimizationActionStatus {
  return { ...status, conditions: (status.conditions ?? []).filter((each) => each.type !== 'Reported') };
}

/**
 * The Event that a written status is worth, if any: the end, or the first pod that cannot go. An action that succeeded at once, without a start
 * of its own, has none: the object says the same, and two hundred cordons are no news.
 */
export function noteOf(before: OptimizationActionStatus | undefined, after: OptimizationActionStatus): EventNote | undefined {
  const ready = findCondition(after.conditions, 'Ready');
  if (!ready) return undefined;
  const note = { reason: ready.reason, message: ready.message };
  if (after.finishedAt !== undefined && before?.finishedAt === undefined) {
    if (after.phase === 'Succeeded' && before?.startedAt === undefined) return undefined;
    const good = after.phase === 'Succeeded' || after.phase === 'Planned' || after.phase === 'Cancelled';
    return { type: good ? 'Normal' : 'Warning', ...note, reason: after.phase === 'Succeeded' ? 'Succeeded' : note.reason };
  }
  const firstBlocker = (before?.blockers ?? []).length === 0 && (after.blockers ?? []).length > 0;
  return firstBlocker ? { type: 'Warning', ...note } : undefined;
}

function reason(status: OptimizationActionStatus | undefined): string | undefined {
  return findCondition(status?.conditions, 'Ready')?.reason;
}

function reported(status: OptimizationActionStatus | undefined): string | undefined {
  return findCondition(status?.conditions, 'Reported')?.status;
}
