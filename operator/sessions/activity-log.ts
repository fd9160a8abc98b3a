/** What went through the tunnel of a session. */
export interface Traffic {
  readonly openedAt: Date;
  /** Absent: nothing yet. */
  readonly lastData?: Date;
}

/**
 * What the tunnels tell of the use of sessions. A tunnel calls `opened` when it could carry data, so that a desktop nobody ever looks at is idle from then
 * on, and `note` with every piece of data; a session that it says nothing of has no tunnel, and so no such signal.
 */
export class ActivityLog {
  readonly #traffic = new Map<string, Traffic>();
  readonly #onFirst: (session: string) => void;

  /** `onFirst` hears of the first word about a session, which a missing signal waits for. */
  constructor(onFirst: (session: string) => void) {
    this.#onFirst = onFirst;
  }

  /** A tunnel to the session of this name could carry data from now on. */
  opened(session: string, at: Date): void {
    this.#set(session, { openedAt: at, ...this.#traffic.get(session) });
  }

  /** Data for the session of this name went through its tunnel. */
  note(session: string, at: Date): void {
    this.#set(session, { openedAt: this.#traffic.get(session)?.openedAt ?? at, lastData: at });
  }

  /** What is known; undefined where there is no tunnel. */
  traffic(session: string): Traffic | undefined {
    return this.#traffic.get(session);
  }

  /** The session does not run any more: what was seen was seen of a pod that is gone. */
  forget(session: string): void {
    this.#traffic.delete(session);
  }

  #set(session: string, traffic: Traffic): void {
    const known = this.#traffic.has(session);
    this.#traffic.set(session, traffic);
    if (!known) this.#onFirst(session);
  }
}
