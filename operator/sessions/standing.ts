import { findCondition, isTrue } from '../api/condition.ts';
import type { Session, SessionPhase } from '../api/session.ts';
import type { SessionState } from '../api/session-spec.ts';

/** The reasons of a session that waits for room or for its turn; both are also what it is known by after a restart. */
export const WAITING_REASONS = ['CapacityReached', 'StartQueued'] as const;

/** Phases that take a place of MAX_SESSIONS (streamspace.md 3.4). */
const ACTIVE: ReadonlySet<SessionPhase | undefined> = new Set<SessionPhase>(['Starting', 'Running', 'Waking']);
/** Phases in which the pod may still use what it was given. */
const LEAVING: ReadonlySet<SessionPhase | undefined> = new Set<SessionPhase>(['Hibernating', 'Stopping']);

/** Whether it takes a place of MAX_SESSIONS; one that has lost its pod but has not failed for good is still being repaired. */
export function isActive({ status }: Session): boolean {
  return ACTIVE.has(status?.phase) || (status?.phase === 'Failed' && !isTrue(status.conditions, 'Stalled'));
}

/** Whether it is not active any more but its pod is still there: it takes no place, but its CPU and memory are not free yet. */
export function isLeaving({ status }: Session): boolean {
  return LEAVING.has(status?.phase);
}

/**
 * Whether it starts or wakes, and what is under way is work: one that waits for a node or an image for minutes would otherwise keep everybody
 * else from starting.
 */
export function isStarting({ status }: Session): boolean {
  if (status?.phase !== 'Starting' && status?.phase !== 'Waking') return false;
  return !['PodScheduled', 'ImagePulled'].some((type) => findCondition(status.conditions, type)?.status === 'False');
}

/**
 * Whether it wants to become active, as far as its object shows: one that the reconciler has judged and found something else wrong with does
 * not wait for room, until it is edited or the reconciler asks for it.
 */
export function isWanting(session: Session, desired: SessionState): boolean {
  if (desired !== 'Running' || session.metadata.deletionTimestamp || isActive(session)) return false;
  const ready = readiness(session);
  const judged = ready && ready.status !== 'True' && ready.observedGeneration === session.metadata.generation;
  return !judged || isWaiting(ready.reason);
}

/** Since when it waits: as the object says, so that a restart changes nobody's place. */
export function waitingSince(session: Session): string | undefined {
  const ready = readiness(session);
  if (ready && isWaiting(ready.reason)) return ready.lastTransitionTime;
  return session.status?.phase === undefined ? session.metadata.creationTimestamp : undefined;
}

function readiness({ status }: Session) {
  return findCondition(status?.conditions, 'Ready');
}

function isWaiting(reason: string): boolean {
  return (WAITING_REASONS as readonly string[]).includes(reason);
}
