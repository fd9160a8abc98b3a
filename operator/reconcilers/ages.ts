interface Seen {
  readonly startedAt: string;
  /** When it was started, on the steady clock; negative for what a process before this one started. */
  readonly startedOn: number;
}

/**
 * How long ago actions were started. The wall clock is asked once, when this process first sees the recorded start; from then on a clock counts
 * that no adjustment moves, so that neither NTP nor a person who sets the clock ends a timeout early or makes it last.
 */
export class Ages {
  readonly #steady: () => number;
  readonly #seen = new Map<string, Seen>();

  /** `steady` counts milliseconds; default: those of this process. */
  constructor(steady: () => number = () => performance.now()) {
    this.#steady = steady;
  }

  /** The time as it is for an action that was started then: its recorded start and the time that passed since. */
  now(key: string, startedAt: string, wall: Date): Date {
    const start = Date.parse(startedAt);
    const steady = this.#steady();
    let seen = this.#seen.get(key);
    if (seen?.startedAt !== startedAt) {
      // A start in the future was written by a clock that was ahead of this one.
      seen = { startedAt, startedOn: steady - Math.max(0, wall.getTime() - start) };
      this.#seen.set(key, seen);
    }
    return new Date(start + steady - seen.startedOn);
  }

  /** The action came to its end, or is gone. */
  forget(key: string): void {
    this.#seen.delete(key);
  }
}
