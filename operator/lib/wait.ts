import { setTimeout as sleep } from 'node:timers/promises';
import type { Seconds } from './next.ts';

/** Waits, or ends early without an error when the signal aborts. */
export async function abortable(seconds: Seconds, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await sleep(seconds * 1000, undefined, { signal }).catch(() => undefined);
}

/** Waits for the promise, or rejects at once with the signal's reason when that aborts first. */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  return Promise.race([aborted.promise, promise]).finally(() => signal.removeEventListener('abort', abort));
}
