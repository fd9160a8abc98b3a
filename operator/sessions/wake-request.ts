import { type SessionOverride, WAKE_REQUESTED } from '../api/session.ts';
import type { ObjectMeta } from '../kube/object.ts';
import type { Seconds } from '../lib/next.ts';
import { pastTime, type ToldTime } from './told-time.ts';

/** What is asked by the annotation that wakes a session which something else than its spec put to sleep. */
export type WakeRequest =
  | { readonly kind: 'none' }
  /** The override ends. */
  | { readonly kind: 'wake' }
  /** It cannot be read, and is not obeyed. */
  | { readonly kind: 'invalid'; readonly message: string; readonly passesIn?: Seconds };

/** When a wake was requested, as its annotation says; undefined where there is none. */
export function wakeRequestedAt({ annotations }: Pick<ObjectMeta, 'annotations'>, now: Date): ToldTime | undefined {
  const value = annotations?.[WAKE_REQUESTED];
  // Not even a moment ahead: until it comes it would wake the session from every sleep that is decided meanwhile.
  return value === undefined ? undefined : pastTime(value, now);
}

/** Reads the wake request of a session under this override; one that is older than the override was for an earlier sleep. */
export function wakeRequest(metadata: Pick<ObjectMeta, 'annotations'>, override: SessionOverride, now: Date): WakeRequest {
  const told = wakeRequestedAt(metadata, now);
  // An override that runs the session has nothing to be woken from.
  if (told === undefined || override.state === 'Running') return { kind: 'none' };
  if ('at' in told) return { kind: told.at.getTime() > Date.parse(override.at) ? 'wake' : 'none' };
  const { problem, ...more } = told;
  return { kind: 'invalid', message: `the annotation ${WAKE_REQUESTED} ${problem}`, ...more };
}

/** The command that wakes a session under an override. */
export function wakeCommand({ namespace, name }: Pick<ObjectMeta, 'namespace' | 'name'>): string {
  const where = namespace ? ` -n ${namespace}` : '';
  return `kubectl annotate sessions.cloudoptim.io ${name}${where} --overwrite ${WAKE_REQUESTED}=$(date -u +%Y-%m-%dT%H:%M:%SZ)`;
}
