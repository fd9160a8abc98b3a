/**
 * When data last went through the tunnel of each session. The tunnel calls `note` when it is open for a session, so that a desktop nobody ever looks at counts
 * as idle from then, and with every piece of data; a session without a note has no tunnel that could tell.
 */
export class ActivityLog {
  readonly #last = new Map<string, Date>();
  readonly #onFirst: (session: string) => void;

  /** `onFirst` hears of the first note about a session, which a missing signal waits for. */
  constructor(onFirst: (session: string) => void) {
    this.#onFirst = onFirst;
  }

  /** Data for the session of this name was seen, or its tunnel was opened. */
  note(session: string, at: Date): void {
    const known = this.#last.has(session);
    this.#last.set(session, at);
    if (!known) this.#onFirst(session);
  }

  /** The last time; undefined where there is no tunnel. */
  last(session: string): Date | undefined {
    return this.#last.get(session);
  }

  /** The session does not run any more: what was seen was seen in a pod that is gone. */
  forget(session: string): void {
    this.#last.delete(session);
  }
}
