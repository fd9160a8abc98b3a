import type { OptimizationAction } from '../api/optimization-action.ts';
import { type Ending, endingOf } from '../api/tombstone.ts';
import type { Report } from '../backends/backend.ts';

const OUTCOMES: Readonly<Record<Ending['phase'], Report['outcome']>> = {
  Succeeded: 'Succeeded',
  Planned: 'Succeeded',
  Failed: 'Failed',
  Cancelled: 'Cancelled',
  Expired: 'Expired',
};

/** What a backend is told of a finished object; undefined while it is not finished or not mirrored. */
export function reportOf(object: OptimizationAction): Report | undefined {
  const ending = endingOf(object);
  return ending && reportOfEnding(ending);
}

/** What a backend is told of such an end; undefined for one that no backend asked for. */
export function reportOfEnding({
  source,
  action,
  phase,
  reason,
  message,
  startedAt,
  finishedAt,
  result,
  plan,
}: Ending): Report | undefined {
  if (!source) return undefined;
  const outcome = OUTCOMES[phase];
  return {
    taskID: source.taskID,
    action,
    outcome: outcome === 'Failed' && reason === 'Timeout' ? 'TimedOut' : outcome,
    reason,
    message,
    startedAt: new Date(startedAt ?? finishedAt),
    finishedAt: new Date(finishedAt),
    result,
    ...(plan === undefined ? {} : { plan }),
  };
}

/** What a backend is told of a task that never became an object. */
export function rejectionOf(
  taskID: string,
  rejection: { readonly action?: string; readonly reason: string; readonly message: string },
  now: Date,
): Report {
  const { action, reason, message } = rejection;
  return { taskID, ...(action ? { action } : {}), outcome: 'Failed', reason, message, startedAt: now, finishedAt: now, result: {} };
}
