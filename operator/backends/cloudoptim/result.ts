import type { JsonObject } from '../../lib/json.ts';
import { formatSeconds } from '../../lib/time.ts';
import type { Report } from '../backend.ts';

/** TaskResult (optimizer.md 2.1). */
export interface TaskResult {
  readonly task_id: string;
  readonly status: 'success' | 'failed' | 'timeout' | 'cancelled';
  readonly logs: string;
  /** The start, UTC, seconds. */
  readonly executed_at: string;
  readonly duration_seconds: number;
  readonly error: string | null;
  /** The report's result plus `action` and `reason`, and of a dry run `dry_run` and `plan`. */
  readonly metadata: JsonObject;
}

const statuses: Readonly<Record<Report['outcome'], TaskResult['status']>> = {
  Succeeded: 'success',
  Failed: 'failed',
  TimedOut: 'timeout',
  Expired: 'timeout',
  Cancelled: 'cancelled',
};

/** Report → TaskResult; logs are cut at 16 384 characters, error at 1024. */
export function writeResult(report: Report): TaskResult {
  const { logs, error } = texts(report);
  const duration = Math.max(0, report.finishedAt.getTime() - report.startedAt.getTime()) / 1000;
  return {
    task_id: report.taskID,
    status: statuses[report.outcome],
    logs: cut(logs, 16_384),
    executed_at: formatSeconds(report.startedAt),
    duration_seconds: duration,
    error: error === null ? null : cut(error, 1024),
    metadata: {
      ...report.result,
      ...planned(report),
      ...(report.action === undefined ? {} : { action: report.action }),
      reason: report.reason,
    },
  };
}

/** The same result in its smallest form, for an upstream that answers 413. */
export function shorten(result: TaskResult): TaskResult {
  const { reason, dry_run } = result.metadata;
  const dryRun = dry_run === undefined ? {} : { dry_run };
  return { ...result, logs: cut(result.logs, 512), metadata: { ...dryRun, reason, truncated: true } };
}

/** The exact drain texts of optimizer.md 2.1 where they are true; everything else says what the report says. */
function texts(report: Report): { logs: string; error: string | null } {
  const { action, outcome, message, result, plan } = report;
  const drain = action === 'Drain';
  if (outcome === 'Succeeded') {
    // A plan drained nothing.
    const real = plan === undefined && typeof result.evicted === 'number';
    return { logs: drain && real ? `Successfully drained ${result.evicted} pods` : message, error: null };
  }
  const remaining = result.remaining;
  if (!drain || typeof remaining !== 'number' || remaining <= 0) return { logs: message, error: message };
  const logs = `Node still has ${remaining} pods: ${message}`;
  return { logs, error: outcome === 'Failed' || outcome === 'TimedOut' ? 'Drain incomplete' : message };
}

/** Dry run: no write, `dry_run: true` and the plan (optimizer.md 5.1). */
function planned({ plan }: Report): JsonObject {
  return plan === undefined ? {} : { dry_run: true, plan };
}

function cut(text: string, most: number): string {
  return (text.length > most ? `${text.slice(0, most - 1)}…` : text).toWellFormed();
}
