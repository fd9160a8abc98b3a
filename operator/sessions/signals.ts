import { LAST_ACTIVITY } from '../api/session.ts';
import type { IdleSignal } from '../api/session-template.ts';
import { pastTime } from './told-time.ts';

/** What one signal says of a session. */
export type Reading =
  /** It was last used then. */
  | { readonly kind: 'used'; readonly signal: IdleSignal; readonly at: Date }
  /** It says nothing that can be relied on, so the session counts as used. */
  | {
      readonly kind: 'unknown';
      readonly signal: IdleSignal;
      readonly reason: 'SignalMissing' | 'InvalidAnnotation';
      readonly message: string;
    };

/** A signal that says nothing. */
export function missing(signal: IdleSignal, message: string): Reading {
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
    const told = pastTime(value, now);
    if ('problem' in told) {
      const message = `the annotation ${LAST_ACTIVITY} of the ${where} ${told.problem}`;
      return { kind: 'unknown', signal, reason: 'InvalidAnnotation', message };
    }
    times.push(told.at);
  }
  const [first] = times.toSorted((a, b) => b.getTime() - a.getTime());
  if (first) return { kind: 'used', signal, at: first };
  return missing(signal, `neither the Session nor its pod has the annotation ${LAST_ACTIVITY}: let whoever sees its users write it`);
}
