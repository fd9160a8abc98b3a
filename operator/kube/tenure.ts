import type { Seconds } from '../lib/next.ts';
import { type Fence, NotLeading } from './fence.ts';

const NOT_RENEWED = 'the lease was not renewed in time';

/**
 * The time from taking the lead to losing it or giving it back. It ends by itself unless it is extended in time, judged by the monotonic clock at
 * every check: a process that was stopped for a while finds out before its next write, whatever its timers say.
 */
export class Tenure implements Fence {
  readonly #ended = new AbortController();
  readonly #clock: () => Seconds;
  #until: Seconds;
  #timer: NodeJS.Timeout | undefined;

  /** `until`: when it ends, on the clock; the clock is for tests. */
  constructor(until: Seconds, clock: () => Seconds = () => performance.now() / 1000) {
    this.#until = until;
    this.#clock = clock;
    this.#arm();
  }

  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** Whether it goes on, looked at anew. */
  get held(): boolean {
    if (this.#clock() >= this.#until) this.end(NOT_RENEWED);
    return !this.signal.aborted;
  }

  check(): void {
    if (!this.held) throw this.signal.reason;
  }

  /** Lets it last longer; one that is over stays over. */
  extend(until: Seconds): void {
    if (!this.held) return;
    this.#until = Math.max(this.#until, until);
    this.#arm();
  }

  /** Ends it at once; nothing is written any more. */
  end(reason: string): void {
    clearTimeout(this.#timer);
    if (!this.signal.aborted) this.#ended.abort(new NotLeading(reason));
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const left = this.#until - this.#clock();
    if (left > 0) this.#timer = setTimeout(() => this.#arm(), left * 1000);
    else this.end(NOT_RENEWED);
  }
}
