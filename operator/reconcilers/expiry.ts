import { findCondition, isTrue } from '../api/condition.ts';
import type { OptimizationAction } from '../api/optimization-action.ts';
import type { Seconds } from '../lib/next.ts';

/** Objects that these tools track are theirs to delete: they would only make them anew (FIELD.md A43). */
const GITOPS_MARKS = ['argocd.argoproj.io/tracking-id', 'kustomize.toolkit.fluxcd.io/name', 'helm.toolkit.fluxcd.io/name'];

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
  if (finishedAt === undefined || ttl === undefined || isTrackedByGitOps(object)) return undefined;
  return Math.max(0, (Date.parse(finishedAt) + ttl * 1000 - now.getTime()) / 1000);
}

function isTrackedByGitOps(object: OptimizationAction): boolean {
  const { labels = {}, annotations = {} } = object.metadata;
  return GITOPS_MARKS.some((mark) => mark in labels || mark in annotations);
}
