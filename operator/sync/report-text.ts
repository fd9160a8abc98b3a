import { findCondition } from '../api/condition.ts';
import type { OptimizationAction } from '../api/optimization-action.ts';
import type { Report } from '../backends/backend.ts';
import type { JsonObject } from '../lib/json.ts';

const OUTCOMES: Readonly<Record<string, Report['outcome']>> = {
  Succeeded: 'Succeeded',
  Planned: 'Succeeded',
  Failed: 'Failed',
  Cancelled: 'Cancelled',
  Expired: 'Expired',
};

/** What a backend is told of a finished object; undefined while it is not finished or not mirrored. */
export function reportOf(object: OptimizationAction): Report | undefined {
  const { spec, status } = object;
  const outcome = OUTCOMES[status?.phase ?? ''];
  if (!spec?.source || !status?.finishedAt || !outcome) return undefined;
  const ready = findCondition(status.conditions, 'Ready');
  const reason = ready?.reason ?? 'Done';
  return {
    taskID: spec.source.taskID,
    action: spec.action,
    outcome: outcome === 'Failed' && reason === 'Timeout' ? 'TimedOut' : outcome,
    reason,
    message: ready?.message ?? '',
    startedAt: new Date(status.startedAt ?? status.finishedAt),
    finishedAt: new Date(status.finishedAt),
    result: status.result ?? {},
    ...(status.phase === 'Planned' ? { plan: (status.plan ?? {}) as JsonObject } : {}),
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
