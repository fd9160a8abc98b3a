import { type SessionOverride, WAKE_REQUESTED } from '../api/session.ts';
import type { ObjectMeta } from '../kube/object.ts';
import { pastTime } from './told-time.ts';

/** What is asked by the annotation that wakes a session which something else than its spec put to sleep. */
export type WakeRequest =
  | { readonly kind: 'none' }
  /** The override ends. */
  | { readonly kind: 'wake' }
  /** It cannot be read, and is not obeyed. */
  | { readonly kind: 'invalid'; readonly message: string };

/** Reads the wake request of a session under this override; one that is older than the override was for an earlier sleep. */
export function wakeRequest({ annotations }: Pick<ObjectMeta, 'annotations'>, override: SessionOverride, now: Date): WakeRequest {
  const value = annotations?.[WAKE_REQUESTED];
  // An override that runs the session has nothing to be woken from.
  if (value === undefined || override.state === 'Running') return { kind: 'none' };
  const told = pastTime(value, now);
  if ('problem' in told) return { kind: 'invalid', message: `the annotation ${WAKE_REQUESTED} ${told.problem}` };
  return told.at.getTime() > Date.parse(override.at) ? { kind: 'wake' } : { kind: 'none' };
}

/** The command that wakes a session under an override. */
export function wakeCommand({ namespace, name }: Pick<ObjectMeta, 'namespace' | 'name'>): string {
  const where = namespace ? ` -n ${namespace}` : '';
  return `kubectl annotate sessions.cloudoptim.io ${name}${where} --overwrite ${WAKE_REQUESTED}=$(date -u +%Y-%m-%dT%H:%M:%SZ)`;
}
