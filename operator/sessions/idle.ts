import type { ConditionClaim } from '../api/condition.ts';
import type { Seconds } from '../lib/next.ts';
import type { KeepAwake } from './keep-awake.ts';
import type { Reading, UnknownReading } from './signals.ts';

/** What is known of the use of a running session. */
export interface UseFacts {
  /** What each signal that its template names says. */
  readonly readings: readonly Reading[];
  /** Since when it can be used. */
  readonly runsSince: Date;
  readonly keep: KeepAwake;
  /** How long ago that was, on a clock that nobody sets. */
  readonly age: (since: Date) => Seconds;
  /** As `spec.idleTimeout` has it, for the message. */
  readonly timeout: { readonly text: string; readonly seconds: Seconds };
}

/** Whether a running session is idle. */
export interface IdleVerdict {
  readonly idle: boolean;
  readonly claim: ConditionClaim;
  /** It can be idle after this; absent while only a change can make it so. */
  readonly dueIn?: Seconds;
}

/** Decides it: idle is only what every named signal can tell of, and what nobody keeps awake. */
export function idleVerdict({ readings, runsSince, keep, age, timeout }: UseFacts): IdleVerdict {
  if (keep.kind === 'invalid') return unknown('InvalidAnnotation', keep.message);
  if (keep.kind === 'kept') return { idle: false, claim: keptClaim(keep) };
  const mute = readings.filter((reading) => reading.kind === 'unknown');
  if (readings.length === 0) return unknown('SignalMissing', 'no template says by which signals its use is seen');
  if (mute.length > 0) {
    const reason = mute.some((each) => each.reason === 'InvalidAnnotation') ? 'InvalidAnnotation' : 'SignalMissing';
    const message = mute.map((each) => `${each.signal}: ${each.message}`).join('; ');
    return { ...unknown(reason, message), ...askAgain(mute) };
  }
  const left = timeout.seconds - age(idleFrom(readings, runsSince));
  const by = `${timeout.text} (spec.idleTimeout), by ${readings.map(({ signal }) => signal).join(', ')}`;
  if (left <= 0) return { idle: true, claim: { type: 'Idle', status: 'True', reason: 'Idle', message: `nobody used it for ${by}` } };
  return { idle: false, claim: { type: 'Idle', status: 'False', reason: 'Active', message: `not yet unused for ${by}` }, dueIn: left };
}

/** What spares a session that its user keeps awake. */
export function keptClaim({ until }: Extract<KeepAwake, { kind: 'kept' }>): ConditionClaim {
  const message = `the annotation cloudoptim.io/keep-awake spares it${until ? ` until ${until.toISOString()}` : ''}`;
  return { type: 'Idle', status: 'False', reason: 'KeptAwake', message };
}

/** When it was last seen to be used. */
export function lastActivity(readings: readonly Reading[]): Date | undefined {
  const times = readings.flatMap((reading) => (reading.kind === 'used' ? [reading.at.getTime()] : []));
  return times.length === 0 ? undefined : new Date(Math.max(...times));
}

/** From when idleness counts: the newest that any signal can tell of, and never before it could be used. */
function idleFrom(readings: readonly Reading[], runsSince: Date): Date {
  const times = readings.flatMap((reading) => {
    if (reading.kind === 'unknown') return [];
    return [(reading.kind === 'used' ? reading.at : reading.since).getTime()];
  });
  return new Date(Math.max(runsSince.getTime(), ...times));
}

function askAgain(mute: readonly UnknownReading[]): Pick<IdleVerdict, 'dueIn'> {
  const times = mute.flatMap(({ askAgainAfter }) => askAgainAfter ?? []);
  return times.length === 0 ? {} : { dueIn: Math.min(...times) };
}

function unknown(reason: string, message: string): IdleVerdict {
  return { idle: false, claim: { type: 'Idle', status: 'Unknown', reason, message: `counts as used: ${message}` } };
}
