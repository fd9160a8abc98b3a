import type { ConditionClaim } from '../api/condition.ts';
import { parseDuration } from '../api/duration.ts';
import { KEEP_AWAKE, type Session, type SessionOverride, type SessionPhase } from '../api/session.ts';
import type { SessionState } from '../api/session-spec.ts';
import { isTrackedByGitOps } from '../kube/gitops.ts';
import type { Seconds } from '../lib/next.ts';
import { idleVerdict, keptClaim } from './idle.ts';
import { type KeepAwake, keepAwake } from './keep-awake.ts';
import { operatorOverride } from './override.ts';
import type { Reading } from './signals.ts';
import { hasFailedForGood } from './status.ts';
import { wakeCommand, wakeRequest } from './wake-request.ts';

/** What ends or spares a session is judged by these. */
export interface LifeFacts {
  readonly session: Session;
  /** What it should be, its override included. */
  readonly desired: SessionState;
  /** What the signals of its template say; not looked at while it does not run. */
  readonly readings: readonly Reading[];
  readonly now: Date;
  /** How long ago its last use, the start of its run or of its rest was, on a clock that nobody sets. */
  readonly age: (clock: LifeClock, since: Date) => Seconds;
}

/** What time is measured of. */
export type LifeClock = 'use' | 'run' | 'rest';

/** What the operator decides by itself. */
export type LifeDecision =
  | { readonly kind: 'override'; readonly override: SessionOverride; readonly message: string }
  /** The override ends: its user asked for that. */
  | { readonly kind: 'wake'; readonly message: string }
  | { readonly kind: 'remove' };

/** What follows. */
export interface LifeVerdict {
  readonly decision?: LifeDecision;
  /** The conditions `Idle` and `WakeRequested`; one that is not here goes. */
  readonly claims: readonly ConditionClaim[];
  /** When time alone can change the verdict; absent: never. */
  readonly dueIn?: Seconds;
}

const ACTIVE: readonly (SessionPhase | undefined)[] = ['Starting', 'Waking', 'Running'];
const NOTHING: LifeVerdict = { claims: [] };

/** Decides what time and use demand of a session; it never touches the spec. */
export function judgeLife(facts: LifeFacts): LifeVerdict {
  const { metadata, status } = facts.session;
  if (metadata.deletionTimestamp !== undefined) return NOTHING;
  const asked = judgeWake(facts);
  if (asked.decision) return asked;
  const failed = hasFailedForGood(facts.session);
  if (status?.phase === 'Stopped' || failed) return { ...judgeRest(facts), claims: asked.claims };
  // One that has failed otherwise is being repaired.
  const isActive = ACTIVE.includes(status?.phase) || status?.phase === 'Failed';
  return facts.desired === 'Running' && isActive ? judgeActive(facts) : asked;
}

function judgeWake({ session: { metadata, status }, now }: LifeFacts): LifeVerdict {
  const override = status?.override;
  if (!override || override.generation !== metadata.generation) return NOTHING;
  const request = wakeRequest(metadata, override, now);
  if (request.kind === 'wake') return { decision: { kind: 'wake', message: `woken from ${override.reason} on request` }, claims: [] };
  if (request.kind === 'none') return NOTHING;
  const claim: ConditionClaim = {
    type: 'WakeRequested',
    status: 'False',
    reason: 'InvalidAnnotation',
    message: `not obeyed: ${request.message}`,
  };
  return { claims: [claim], ...due(request.passesIn) };
}

/** Argo CD and Flux would make anew what we delete. */
function judgeRest({ session: { spec, metadata, status }, age }: LifeFacts): LifeVerdict {
  const ttl = parseDuration(spec?.ttlAfterStopped ?? '');
  if (ttl === undefined || status?.phaseSince === undefined || isTrackedByGitOps(metadata)) return NOTHING;
  const left = ttl - age('rest', new Date(status.phaseSince));
  return left > 0 ? { claims: [], dueIn: left } : { claims: [], decision: { kind: 'remove' } };
}

function judgeActive(facts: LifeFacts): LifeVerdict {
  const { session, readings, now, age } = facts;
  const { spec, metadata, status } = session;
  const activeSince = timeOr(status?.activeSince, now);
  const keep = keepAwake(metadata, now);
  const longest = limit(spec?.maxDuration);
  const kept = keep.kind === 'kept' && keep.until ? secondsUntil(keep.until, now) : undefined;
  const runsOut = longest && keep.kind === 'no' ? longest.seconds - age('run', activeSince) : undefined;
  if (longest && runsOut !== undefined && runsOut <= 0) {
    const message = `it ran for ${longest.text} (spec.maxDuration): stopped${again(metadata)}`;
    return { claims: [], decision: overriding(session, 'Stopped', 'MaxDurationReached', message, now) };
  }
  const timeout = limit(spec?.idleTimeout);
  if (!timeout || status?.phase !== 'Running') return { claims: sparingClaims(keep, longest !== undefined), ...due(kept, runsOut) };
  // Nobody can use what has not started yet.
  const runsSince = new Date(Math.max(activeSince.getTime(), timeOr(status.phaseSince, now).getTime()));
  const verdict = idleVerdict({ readings, runsSince, keep, age: (last) => age('use', last), timeout });
  const claims = [verdict.claim];
  if (!verdict.idle) return { claims, ...due(kept, runsOut, verdict.dueIn) };
  return { claims, decision: overriding(session, 'Hibernated', 'Idle', `${verdict.claim.message}: hibernated${again(metadata)}`, now) };
}

/** Says that the annotation counts where idleness is no matter. */
function sparingClaims(keep: KeepAwake, matters: boolean): readonly ConditionClaim[] {
  if (!matters || keep.kind === 'no') return [];
  if (keep.kind === 'kept') return [keptClaim(keep)];
  return [
    { type: 'Idle', status: 'Unknown', reason: 'InvalidAnnotation', message: `${KEEP_AWAKE} spares it all the same: ${keep.message}` },
  ];
}

function overriding(session: Session, state: SessionState, reason: string, message: string, now: Date): LifeDecision {
  return { kind: 'override', override: operatorOverride(session, state, reason, now), message };
}

function again(metadata: Session['metadata']): string {
  return `; it runs again after ${wakeCommand(metadata)}`;
}

/** A length of time from the spec; an empty one, and none at all, is no limit. */
function limit(text: string | undefined): { text: string; seconds: Seconds } | undefined {
  const seconds = text === undefined ? undefined : parseDuration(text);
  return text && seconds ? { text, seconds } : undefined;
}

function timeOr(text: string | undefined, other: Date): Date {
  return text === undefined ? other : new Date(text);
}

function secondsUntil(time: Date, now: Date): Seconds {
  return Math.max(0, time.getTime() - now.getTime()) / 1000;
}

/** The soonest of them. */
function due(...times: readonly (Seconds | undefined)[]): Pick<LifeVerdict, 'dueIn'> {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? {} : { dueIn: Math.min(...known) };
}
