import { SESSION_FINALIZER, type Session, type SessionStatus } from '../api/session.ts';
import type { SessionState } from '../api/session-spec.ts';
import type { SessionWorkload } from '../api/session-template.ts';
import type { Outcome } from '../kube/controller.ts';
import type { Next, Seconds, Topic } from '../lib/next.ts';
import type { Observed } from '../sessions/diagnosis.ts';
import type { Resolved } from '../sessions/workload.ts';

/** What one pass over a session knows. */
export interface Pass {
  readonly session: Session;
  readonly desired: SessionState;
  readonly observed: Observed;
  /** What it would run if it started now. */
  readonly resolved: Resolved;
  /** What its Deployment was made from. */
  readonly kept: SessionWorkload | undefined;
  /** What asks for another pass. */
  readonly topics: readonly Topic[];
  readonly now: Date;
  readonly signal: AbortSignal;
}

/** What a pass came to. */
export type SessionOutcome = Outcome<SessionStatus>;

/** The longest wait without a look: whatever was missed is found then. */
const RESYNC: Seconds = 3600;

/** Look again as soon as something of the session changes, or after this time. */
export function waitFor(pass: Pass, orAfter: Seconds = RESYNC): Next {
  return { kind: 'when', changed: pass.topics, orAfter };
}

/** The status is to be written before anything is done. */
export function recorded(status: SessionStatus): SessionOutcome {
  return { status, next: { kind: 'again', after: 0 } };
}

/** Whichever of both asks for a pass first. */
export function sooner(a: Next, b: Next): Next {
  if (a.kind === 'settled') return b;
  if (b.kind === 'settled') return a;
  const after = Math.min(a.kind === 'again' ? a.after : a.orAfter, b.kind === 'again' ? b.after : b.orAfter);
  const changed = [...(a.kind === 'when' ? a.changed : []), ...(b.kind === 'when' ? b.changed : [])];
  return changed.length > 0 ? { kind: 'when', changed, orAfter: after } : { kind: 'again', after };
}

/** Seconds since a recorded time; 0 for none. */
export function secondsSince(time: string | undefined, now: Date): Seconds {
  return time === undefined ? 0 : Math.max(0, (now.getTime() - Date.parse(time)) / 1000);
}

/** Whether the Session carries the finalizer. */
export function hasFinalizer({ metadata }: Session): boolean {
  return metadata.finalizers?.includes(SESSION_FINALIZER) ?? false;
}
