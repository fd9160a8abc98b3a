import type { OptimizationAction } from '../api/optimization-action.ts';
import type { Next } from '../lib/next.ts';
import { isFinished } from './action-status.ts';

/** A deadline is a time of day: it is compared with the wall clock this often, should somebody set that. */
const CLOCK_SECONDS = 20;

/** The next pass, in time for the deadline of the object. */
export function beforeDeadline(next: Next, object: OptimizationAction, now: Date): Next {
  const deadline = object.spec?.deadline;
  if (deadline === undefined || isFinished(object)) return next;
  const left = Math.min(CLOCK_SECONDS, Math.max(0, (Date.parse(deadline) - now.getTime()) / 1000));
  if (next.kind === 'settled') return { kind: 'again', after: left };
  if (next.kind === 'again') return { kind: 'again', after: Math.min(next.after, left) };
  return { ...next, orAfter: Math.min(next.orAfter, left) };
}
