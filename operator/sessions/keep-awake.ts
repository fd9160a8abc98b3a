import { KEEP_AWAKE } from '../api/session.ts';
import type { ObjectMeta } from '../kube/object.ts';
import { anyTime } from './told-time.ts';

/** Whether its user keeps a session awake. */
export type KeepAwake =
  | { readonly kind: 'no' }
  /** `until` absent: for as long as it is set. */
  | { readonly kind: 'kept'; readonly until?: Date }
  /** It cannot be read, which spares the session too: whoever set it wanted something. */
  | { readonly kind: 'invalid'; readonly message: string };

/** Reads the annotation by which its user spares a session from idle hibernation and from its maximum duration. */
export function keepAwake({ annotations }: Pick<ObjectMeta, 'annotations'>, now: Date): KeepAwake {
  const value = annotations?.[KEEP_AWAKE];
  if (value === undefined || value === 'false') return { kind: 'no' };
  if (value === 'true') return { kind: 'kept' };
  const told = anyTime(value);
  if ('problem' in told) return { kind: 'invalid', message: `the annotation ${KEEP_AWAKE} ${told.problem}, or "true", or "false"` };
  return told.at.getTime() > now.getTime() ? { kind: 'kept', until: told.at } : { kind: 'no' };
}
