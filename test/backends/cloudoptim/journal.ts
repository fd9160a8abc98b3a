import { Waiting } from '../waiting.ts';

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

/** Records what the backend heard, and wakes whoever waits for it; nothing polls. */
export class Journal extends Waiting {
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

  /** Notes a breach of the protocol. */
  violate(sentence: string): void {
    this.violations.push(sentence);
    this.changed();
  }

  /** One line of counts. */
  override summary(): string {
    const { polls, results, metrics, events, heartbeats, sockets, violations } = this;
    const counts = { polls, results, metrics, events, heartbeats, sockets, violations };
    return Object.entries(counts)
      .map(([name, entries]) => `${entries.length} ${name}`)
      .join(', ');
  }
}
