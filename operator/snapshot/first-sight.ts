/**
 * Tells the first sight of a happening from every later one, in bounded memory. Whatever is at or before the horizon counts as seen: the
 * horizon starts where an earlier process has reported, and rises to the time of each key that has to be forgotten, so that a watch that
 * lists everything again sends nothing twice.
 */
export class FirstSight {
  readonly #limit: number;
  readonly #seen = new Map<string, number>();
  #horizon: number;

  constructor(limit: number, horizon: Date) {
    this.#limit = limit;
    this.#horizon = horizon.getTime();
  }

  /** Whether this happening is new, and remembers it. */
  isFirst(key: string, at: Date, now: Date): boolean {
    if (this.#seen.has(key) || at.getTime() <= this.#horizon) return false;
    // A clock that runs ahead must not lift the horizon over what is still to come.
    this.#seen.set(key, Math.min(at.getTime(), now.getTime()));
    if (this.#seen.size > this.#limit) this.#forgetOldest();
    return true;
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.#seen.size;
  }

  #forgetOldest(): void {
    const oldest = this.#seen.entries().next().value;
    if (oldest === undefined) return;
    this.#seen.delete(oldest[0]);
    this.#horizon = Math.max(this.#horizon, oldest[1]);
  }
}
