import type { Seconds } from '../lib/next.ts';

/** The rank of keys whose importance nobody told: between 1 (first) and 10 (last). */
const DEFAULT_RANK = 5;
/** setTimeout cannot count further; a longer delay is simply asked for again. */
const MAX_DELAY_SECONDS = 2_147_483;

/** How a queue treats its keys. */
export interface WorkQueueOptions {
  /** How many keys are handled at the same time. */
  readonly width: number;
  /** Handles one key; must not throw. The signal is the one given to `run`. */
  readonly handle: (key: string) => Promise<void>;
  /** 1 first … 10 last; default 5 for all. */
  readonly rank?: (key: string) => number;
}

/**
 * Keys waiting for work: each key is handled by one pass at a time, a key added while its pass runs gets another pass afterwards, added twice
 * while waiting is handled once. Of the waiting keys the lowest rank goes first, then the oldest.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  /** Waiting keys by rank; a Set keeps the order of arrival. */
  readonly #waiting = new Map<number, Set<string>>();
  readonly #running = new Map<string, Promise<void>>();
  readonly #again = new Set<string>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #open = false;
  #closed = false;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
  }

  /** How many keys wait for a pass now. */
  get depth(): number {
    let depth = 0;
    for (const keys of this.#waiting.values()) depth += keys.size;
    return depth;
  }

  /** Asks for a pass now; it replaces a later one that was asked for. */
  add(key: string): void {
    if (this.#closed) return;
    this.#cancelTimer(key);
    if (this.#running.has(key)) {
      this.#again.add(key);
      return;
    }
    if (this.#isWaiting(key)) return;
    const rank = this.#options.rank?.(key) ?? DEFAULT_RANK;
    const keys = this.#waiting.get(rank) ?? new Set();
    this.#waiting.set(rank, keys.add(key));
    this.#start();
  }

  /** Asks for a pass after a delay; the newest delay counts. */
  addAfter(key: string, after: Seconds): void {
    if (this.#closed) return;
    this.#cancelTimer(key);
    const wait = Math.min(Math.max(after, 0), MAX_DELAY_SECONDS);
    this.#timers.set(
      key,
      setTimeout(() => this.add(key), wait * 1000),
    );
  }

  /** Starts handling keys; those added before wait until now. */
  open(): void {
    this.#open = true;
    this.#start();
  }

  /** Starts no more passes and resolves when those under way have ended. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    this.#waiting.clear();
    await Promise.all(this.#running.values());
  }

  #start(): void {
    while (this.#open && !this.#closed && this.#running.size < this.#options.width) {
      const key = this.#first();
      if (key === undefined) return;
      const run = () => this.#pass(key);
      this.#running.set(key, Promise.resolve().then(run));
    }
  }

  async #pass(key: string): Promise<void> {
    try {
      await this.#options.handle(key);
    } finally {
      this.#running.delete(key);
      if (this.#again.delete(key)) this.add(key);
      this.#start();
    }
  }

  #first(): string | undefined {
    for (const rank of [...this.#waiting.keys()].sort((a, b) => a - b)) {
      const keys = this.#waiting.get(rank);
      const [key] = keys ?? [];
      if (key === undefined) continue;
      keys?.delete(key);
      return key;
    }
    return undefined;
  }

  #isWaiting(key: string): boolean {
    for (const keys of this.#waiting.values()) if (keys.has(key)) return true;
    return false;
  }

  #cancelTimer(key: string): void {
    clearTimeout(this.#timers.get(key));
    this.#timers.delete(key);
  }
}
