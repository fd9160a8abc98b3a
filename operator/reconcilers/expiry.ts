import { findCondition, isTrue } from '../api/condition.ts';
import type { OptimizationAction } from '../api/optimization-action.ts';
import { isTrackedByGitOps } from '../kube/gitops.ts';
import type { Seconds } from '../lib/next.ts';
import { isFinished } from './action-status.ts';

const DAY: Seconds = 86_400;

/** How long a finished object stays that does not say so itself: what failed is looked at later than what went well (FIELD.md N9). */
const KEPT_AFTER: Readonly<Record<string, Seconds>> = {
  Succeeded: DAY,
  Planned: DAY,
  Failed: 7 * DAY,
  Cancelled: 7 * DAY,
  Expired: 7 * DAY,
};

/** Whether the object waits for nobody any more: not mirrored, its result taken or refused for good, or its backend gone. */
export function isSettled(object: OptimizationAction, backendExists: (name: string) => boolean): boolean {
  const source = object.spec?.source;
  if (!source) return true;
  const { conditions } = object.status ?? {};
  if (isTrue(conditions, 'Reported') || findCondition(conditions, 'Reported')?.status === 'False') return true;
  return !backendExists(source.backend);
}

/** When the time of a finished object is over, in milliseconds since 1970; undefined for one that is not finished, or not ours to delete. */
export function expiresAt(object: OptimizationAction): number | undefined {
  const { finishedAt, phase = '' } = object.status ?? {};
  // A GitOps tool would only make it anew.
  if (finishedAt === undefined || !isFinished(object) || isTrackedByGitOps(object.metadata)) return undefined;
  const ttl = object.spec?.ttlSecondsAfterFinished ?? KEPT_AFTER[phase] ?? 7 * DAY;
  return Date.parse(finishedAt) + ttl * 1000;
}
