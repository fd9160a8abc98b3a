import { setTimeout as sleep } from 'node:timers/promises';
import type { Seconds } from './next.ts';

/** Waits, or ends early without an error when the signal aborts. */
export async function abortable(seconds: Seconds, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await sleep(seconds * 1000, undefined, { signal }).catch(() => undefined);
}
