import { LAST_ACTIVITY } from '../api/session.ts';
import type { IdleSignal } from '../api/session-template.ts';
import type { Seconds } from '../lib/next.ts';
import type { Traffic } from './activity-log.ts';
import { AHEAD, pastTime } from './told-time.ts';

/** What one signal says of a session. */
export type Reading =
  /** It was last used then. */
  | { readonly kind: 'used'; readonly signal: IdleSignal; readonly at: Date }
  /** It has been looked at since then, and was not used. */
  | { readonly kind: 'quiet'; readonly signal: IdleSignal; readonly since: Date }
  /** It says nothing that can be relied on, so the session counts as used. */
  | UnknownReading;

/** A signal that says nothing. */
export interface UnknownReading {
  readonly kind: 'unknown';
  readonly signal: IdleSignal;
  readonly reason: 'SignalMissing' | 'InvalidAnnotation';
  /** What is missing or wrong, and what would help. */
  readonly message: string;
  /** Nobody has looked yet: what was known before still stands. */
  readonly pending?: true;
  /** Where nothing tells when it comes. */
  readonly askAgainAfter?: Seconds;
}

/** One that is not there. */
export function missing(signal: IdleSignal, message: string): UnknownReading {
  return { kind: 'unknown', signal, reason: 'SignalMissing', message };
}

/** Reads the annotation of the session and that of its pod; the later one counts, and one that cannot be read spoils both. */
export function readAnnotations(onSession: string | undefined, onPod: string | undefined, now: Date): Reading {
  const signal = 'Annotation';
  const times: Date[] = [];
  for (const [where, value] of [
    ['Session', onSession],
    ['pod', onPod],
  ] as const) {
    if (value === undefined) continue;
    const told = pastTime(value, now, AHEAD);
    if ('problem' in told) {
      const message = `the annotation ${LAST_ACTIVITY} of the ${where} ${told.problem}`;
      const askAgain = told.passesIn === undefined ? {} : { askAgainAfter: told.passesIn };
      return { kind: 'unknown', signal, reason: 'InvalidAnnotation', message, ...askAgain };
    }
    times.push(told.at);
  }
  const [first] = times.toSorted((a, b) => b.getTime() - a.getTime());
  if (first) return { kind: 'used', signal, at: first };
  return missing(signal, `neither the Session nor its pod has the annotation ${LAST_ACTIVITY}: let whoever sees its users write it`);
}

/** Reads when data last went through its tunnel. */
export function readTunnel(traffic: Traffic | undefined): Reading {
  if (!traffic)
    return missing('VNC', 'no tunnel is open to it: switch the tunnel on in its OptimizationBackend, or take VNC out of idle.signals');
  const { openedAt, lastData } = traffic;
  return lastData ? { kind: 'used', signal: 'VNC', at: lastData } : { kind: 'quiet', signal: 'VNC', since: openedAt };
}
