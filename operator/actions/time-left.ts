import type { Seconds } from '../lib/next.ts';
import type { ActionContext } from './action.ts';

/** What is left of a timeout that counts from the recorded start, so that no restart extends it (FIELD.md K26, A21); negative when it is over. */
export function timeLeft(context: ActionContext, timeoutSeconds: Seconds): Seconds {
  return timeoutSeconds - timeSince(context);
}

/** What has passed since the recorded start. */
export function timeSince({ startedAt, now }: ActionContext): Seconds {
  return (now.getTime() - startedAt.getTime()) / 1000;
}
