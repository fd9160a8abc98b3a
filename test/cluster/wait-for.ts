import { setTimeout as sleep } from 'node:timers/promises';

/** How long and how often to look: `within` and `every` in milliseconds, `what` names the condition in the error. */
export interface WaitOptions {
  within?: number;
  every?: number;
  what?: string;
  signal?: AbortSignal;
}

/**
 * Calls `look` until it gives something other than `undefined`, `null` or `false`, and returns that.
 * A throw counts as "not yet". Looks every 50 ms for at most 20 s, then throws an error that names the condition and the last throw.
 */
export async function waitFor<T>(look: () => Promise<T> | T, options: WaitOptions = {}): Promise<Exclude<T, undefined | null | false>> {
  const { within = 20_000, every = 50, what = look.toString(), signal } = options;
  const deadline = performance.now() + within;
  for (;;) {
    let failure: unknown;
    try {
      const seen = await look();
      if (seen !== undefined && seen !== null && seen !== false) return seen as Exclude<T, undefined | null | false>;
    } catch (error) {
      failure = error;
    }
    signal?.throwIfAborted();
    if (performance.now() + every > deadline) {
      const because = failure instanceof Error ? `; the last look failed: ${failure.message}` : '';
      throw new Error(`not within ${within} ms: ${what}${because}`, { cause: failure });
    }
    await sleep(every, undefined, signal ? { signal } : {});
  }
}
