import type { Seconds } from '../../lib/next.ts';
import type { Credential } from './credential.ts';

/** Waits; ends early, without an error, when the signal aborts or, if a credential is given, when its key is replaced. */
export function pause(seconds: Seconds, signal: AbortSignal, credential?: Credential): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      forget?.();
      resolve();
    };
    // A longer delay than 2^31 - 1 ms would fire at once.
    const timer = setTimeout(end, Math.min(Math.max(0, seconds) * 1000, 2 ** 31 - 1));
    signal.addEventListener('abort', end, { once: true });
    const forget = credential?.onReplace(end);
  });
}
