import { ExponentialBackoff, fullJitterGenerator, type IBackoff } from 'cockatiel';
import type { Seconds } from './next.ts';

/** Growing delays with full jitter; `reset` after a success. */
export class Backoff {
  readonly #first: ExponentialBackoff<number>;
  #current: IBackoff<unknown> | undefined;

  /** The bound starts at `initial` and doubles up to `max` seconds. */
  constructor(initial: Seconds, max: Seconds) {
    this.#first = new ExponentialBackoff({ initialDelay: initial * 1000, maxDelay: max * 1000, generator: fullJitterGenerator });
  }

  /** The delay before the next try: a random part of the growing bound. */
  next(): Seconds {
    this.#current = (this.#current ?? this.#first).next(undefined);
    return this.#current.duration / 1000;
  }

  /** The next bound is the initial one again. */
  reset(): void {
    this.#current = undefined;
  }
}

/** Between attempts to reach the API server: quick, because a restart takes seconds. */
export function reconnectBackoff(): Backoff {
  return new Backoff(0.2, 5);
}
