import type { ConditionClaim } from '../api/condition.ts';
import type { Seconds } from '../lib/next.ts';
import type { KeepAwake } from './keep-awake.ts';
import type { Reading } from './signals.ts';

/** What is known of the use of a running session. */
export interface UseFacts {
  /** What each signal that its template names says. */
  readonly readings: readonly Reading[];
  /** Since when it runs, starts or wakes. */
  readonly activeSince: Date;
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
export function idleVerdict({ readings, activeSince, keep, age, timeout }: UseFacts): IdleVerdict {
  if (keep.kind === 'invalid') return unknown('InvalidAnnotation', keep.message);
  const mute = readings.filter((reading) => reading.kind === 'unknown');
  if (readings.length === 0) return unknown('SignalMissing', 'the template of the session names no signal that could be read');
  const wrong = mute.find(({ reason }) => reason === 'InvalidAnnotation');
  if (keep.kind === 'kept') return { idle: false, claim: keptClaim(keep) };
  if (mute.length > 0)
    return unknown(wrong?.reason ?? 'SignalMissing', mute.map(({ signal, message }) => `${signal}: ${message}`).join('; '));
  const left = timeout.seconds - age(lastUse(readings, activeSince));
  const told = readings.map(({ signal }) => signal).join(', ');
  if (left > 0) {
    const message = `not without use for ${timeout.text} (spec.idleTimeout), by ${told}`;
    return { idle: false, claim: { type: 'Idle', status: 'False', reason: 'Active', message }, dueIn: left };
  }
  const message = `nobody has used it for ${timeout.text} (spec.idleTimeout), by ${told}`;
  return { idle: true, claim: { type: 'Idle', status: 'True', reason: 'Idle', message } };
}

/** What spares a session that its user keeps awake. */
export function keptClaim({ until }: Extract<KeepAwake, { kind: 'kept' }>): ConditionClaim {
  const message = `the annotation cloudoptim.io/keep-awake spares it${until ? ` until ${until.toISOString()}` : ''}`;
  return { type: 'Idle', status: 'False', reason: 'KeptAwake', message };
}

/** From when idleness counts: the newest signal, and never before it began to run. */
export function lastUse(readings: readonly Reading[], activeSince: Date): Date {
  const times = readings.flatMap((reading) => (reading.kind === 'used' ? [reading.at.getTime()] : []));
  return new Date(Math.max(activeSince.getTime(), ...times));
}

function unknown(reason: string, message: string): IdleVerdict {
  return { idle: false, claim: { type: 'Idle', status: 'Unknown', reason, message: `counts as used: ${message}` } };
}
