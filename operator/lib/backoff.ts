import { ExponentialBackoff, type IBackoff, noJitterGenerator } from 'cockatiel';
import type { Seconds } from './next.ts';

/** Where a backoff starts and ends; `random` answers [0, 1). */
export interface BackoffSettings {
  /** Default 1 s. */
  readonly first?: Seconds;
  /** Default 60 s. */
  readonly most?: Seconds;
  /** How much longer each wait is than the one before. Default 2. */
  readonly factor?: number;
  /** Default Math.random. */
  readonly random?: () => number;
}

/** Waits that double up to a bound, with full jitter; by default from 1 s to 60 s (optimizer.md 1). */
export class Backoff {
  readonly #start: ExponentialBackoff<number>;
  #current: IBackoff<unknown> | undefined;

  constructor(settings: BackoffSettings = {}) {
    const { first = 1, most = 60, factor = 2, random = Math.random } = settings;
    this.#start = new ExponentialBackoff<number>({
      initialDelay: first * 1000,
      maxDelay: most * 1000,
      exponent: factor,
      // The library's own full jitter cannot be given a random source.
      generator: (state, options) => {
        const [delay, next] = noJitterGenerator(state, options);
        return [random() * delay, next];
      },
    });
  }

  /** The next wait. */
  next(): Seconds {
    this.#current = this.#current === undefined ? this.#start.next() : this.#current.next(undefined);
    return this.#current.duration / 1000;
  }

  /** Starts over after a success. */
  reset(): void {
    this.#current = undefined;
  }
}

/** Between attempts to reach the API server: quick, because a restart takes seconds. */
export function reconnectBackoff(): Backoff {
  return new Backoff({ first: 0.2, most: 5 });
}
