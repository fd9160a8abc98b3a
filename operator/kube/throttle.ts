import type { Seconds } from '../lib/next.ts';
import { orAborted } from '../lib/wait.ts';
import { ApiError, isStatus } from './error.ts';

/** At the same time while the API server is well: as many as there are connections. */
const WIDEST = 24;
/** At the same time at least, so that one slow answer does not hold up all others. */
const NARROWEST = 4;
/** Refusals of requests that were under way together count once. */
const HALVE_EVERY: Seconds = 1;

interface Held {
  readonly until: Seconds;
  readonly error: ApiError;
}

/**
 * Heeds an API server that protects itself with 429 (FIELD.md E4): requests of the refused kind are not sent before its Retry-After is over, and
 * all others go fewer at a time, half as many after each refusal and one more after each answer. Counts by a clock that no adjustment moves.
 */
export class Throttle {
  readonly #clock: () => Seconds;
  readonly #held = new Map<string, Held>();
  readonly #waiting = new Set<() => void>();
  #width = WIDEST;
  #halvedAt: Seconds = Number.NEGATIVE_INFINITY;
  #underWay = 0;

  constructor(clock: () => Seconds = () => performance.now() / 1000) {
    this.#clock = clock;
  }

  /** How many requests may be under way now. */
  get width(): number {
    return Math.floor(this.#width);
  }

  /** Sends when it is its turn, and heeds the answer. Throws the refusal of before, with the rest of its wait, while the kind is held back. */
  async run<T>(kind: string, send: () => Promise<T>, signal: AbortSignal): Promise<T> {
    this.#refuseHeld(kind);
    await this.#turn(signal);
    try {
      const answer = await send();
      this.#width = Math.min(WIDEST, this.#width + 1);
      return answer;
    } catch (error) {
      this.#heed(kind, error);
      throw error;
    } finally {
      this.#underWay--;
      this.#wake();
    }
  }

  #refuseHeld(kind: string): void {
    const held = this.#held.get(kind);
    if (!held) return;
    const retryAfter = held.until - this.#clock();
    if (retryAfter <= 0) return void this.#held.delete(kind);
    const { status, reason, message } = held.error;
    throw new ApiError({ status, reason, message, retryAfter });
  }

  /** A refusal with causes is about one object, such as a budget that says no (FIELD.md E2, E3). */
  #heed(kind: string, error: unknown): void {
    if (!isStatus(error, 429) || error.causes.length > 0) return;
    const now = this.#clock();
    if (error.retryAfter) this.#held.set(kind, { until: now + error.retryAfter, error });
    if (now - this.#halvedAt < HALVE_EVERY) return;
    this.#halvedAt = now;
    this.#width = Math.max(NARROWEST, this.#width / 2);
  }

  async #turn(signal: AbortSignal): Promise<void> {
    while (this.#underWay >= this.width) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.add(resolve);
      await orAborted(promise, signal).finally(() => this.#waiting.delete(resolve));
    }
    this.#underWay++;
  }

  #wake(): void {
    let free = this.width - this.#underWay;
    for (const go of this.#waiting) {
      if (free-- <= 0) break;
      this.#waiting.delete(go);
      go();
    }
  }
}
