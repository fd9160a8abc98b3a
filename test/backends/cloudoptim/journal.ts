/** A number from `performance.now()`, milliseconds: comparable within one process, untouched by clock changes. */
export type At = number;

/** Every HTTP request or handshake, with how it was answered (`dropped`, `silent` for the faults that answer nothing). */
export interface HeardRequest {
  readonly at: At;
  readonly method: string;
  /** Path and query as they came. */
  readonly target: string;
  readonly call: Call;
  answer: number | 'dropped' | 'silent' | 'open';
}

/** The calls of optimizer.md 2.1; `stream` is the WebSocket handshake. */
export type Call = 'tasks' | 'result' | 'metrics' | 'events' | 'heartbeat' | 'stream' | 'other';

/** An accepted body. */
export interface HeardBody {
  readonly at: At;
  readonly body: Record<string, unknown>;
}

/** A poll, and the ids that its answer carried. */
export interface HeardPoll {
  readonly at: At;
  readonly handed: readonly string[];
}

/** An accepted TaskResult (optimizer.md 2.1). */
export interface HeardResult {
  readonly at: At;
  readonly taskID: string;
  readonly body: {
    readonly task_id: string;
    readonly status: 'success' | 'failed' | 'timeout' | 'cancelled';
    readonly logs: string;
    readonly executed_at: string;
    readonly duration_seconds: number;
    readonly error: string | null;
    readonly metadata: Record<string, unknown>;
  };
}

/** One WebSocket that was open once. */
export interface HeardSocket {
  readonly openedAt: At;
  closedAt?: At;
  closeCode?: number;
  /** Text frames of the operator. */
  readonly frames: string[];
  /** Protocol pings of the operator. */
  pings: number;
}

/** One hand-out of a task: when it left, and how. */
export interface HandedTask {
  readonly at: At;
  readonly taskID: string;
  readonly via: 'poll' | 'stream';
}

interface Waiter {
  readonly look: () => boolean;
  readonly done: () => void;
}

/** Records what the backend heard, and wakes whoever waits for it; nothing polls. */
export class Journal {
  readonly requests: HeardRequest[] = [];
  readonly polls: HeardPoll[] = [];
  readonly results: HeardResult[] = [];
  readonly metrics: HeardBody[] = [];
  /** One entry per accepted batch. */
  readonly events: { readonly at: At; readonly body: readonly Record<string, unknown>[] }[] = [];
  readonly heartbeats: HeardBody[] = [];
  readonly sockets: HeardSocket[] = [];
  readonly handed: HandedTask[] = [];
  /** Breaches of the protocol page, one sentence each; a test asserts that it is empty. */
  readonly violations: string[] = [];
  readonly #waiters = new Set<Waiter>();

  /** Calls `look` after each entry, until the returned function is called. */
  observe(look: () => void): () => void {
    const watched = () => {
      look();
      return false;
    };
    const waiter = { look: watched, done: () => {} };
    this.#waiters.add(waiter);
    return () => void this.#waiters.delete(waiter);
  }

  /** Looks at every waiting predicate again; called after each entry. */
  changed(): void {
    for (const waiter of [...this.#waiters]) if (waiter.look()) waiter.done();
  }

  /** Notes a breach of the protocol. */
  violate(sentence: string): void {
    this.violations.push(sentence);
    this.changed();
  }

  /** Resolves with the first answer of `look` that is not undefined, null or false; rejects after `timeout` milliseconds (10 000). */
  waitFor<T>(look: () => T | undefined | null | false, what = 'the expected entry', timeout = 10_000): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let found: T | undefined | null | false;
      const waiter: Waiter = {
        look: () => {
          found = look();
          return found !== undefined && found !== null && found !== false;
        },
        done: () => {
          clearTimeout(timer);
          this.#waiters.delete(waiter);
          resolve(found as T);
        },
      };
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        reject(new Error(`The reference backend waited ${timeout} ms in vain for ${what}; it heard ${this.summary()}`));
      }, timeout);
      this.#waiters.add(waiter);
      if (waiter.look()) waiter.done();
    });
  }

  /** One line of counts. */
  summary(): string {
    const { polls, results, metrics, events, heartbeats, sockets, violations } = this;
    const counts = { polls, results, metrics, events, heartbeats, sockets, violations };
    return Object.entries(counts)
      .map(([name, entries]) => `${entries.length} ${name}`)
      .join(', ');
  }
}
