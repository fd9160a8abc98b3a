import { findCondition, isTrue } from '../api/condition.ts';
import type { OptimizationAction } from '../api/optimization-action.ts';
import { gitOpsOwner } from '../kube/gitops.ts';
import type { Seconds } from '../lib/next.ts';

/** Whether the object waits for nobody any more: not mirrored, its result taken or refused for good, or its backend gone. */
export function isSettled(object: OptimizationAction, backendExists: (name: string) => boolean): boolean {
  const source = object.spec?.source;
  if (!source) return true;
  const { conditions } = object.status ?? {};
  if (isTrue(conditions, 'Reported') || findCondition(conditions, 'Reported')?.status === 'False') return true;
  return !backendExists(source.backend);
}

/** When a finished object may go: now, after some seconds, or never by us. */
export function expiresIn(object: OptimizationAction, now: Date): Seconds | undefined {
  const finishedAt = object.status?.finishedAt;
  const ttl = object.spec?.ttlSecondsAfterFinished;
  // What a GitOps tool tracks is its own to delete: it would only make it anew (FIELD.md A43).
  if (finishedAt === undefined || ttl === undefined || gitOpsOwner(object.metadata)) return undefined;
  return Math.max(0, (Date.parse(finishedAt) + ttl * 1000 - now.getTime()) / 1000);
}
