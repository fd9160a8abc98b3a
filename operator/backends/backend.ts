import type { JsonObject } from '../lib/json.ts';
import type { Seconds } from '../lib/next.ts';
import type { ClusterEvent, ClusterSnapshot } from './snapshot.ts';

/** What a backend wants done; its wire form ends at the adapter. */
export type Task =
  | {
      readonly kind: 'action';
      readonly id: string;
      /** The name of one of our actions (`Drain`). */
      readonly action: string;
      /** Parameters in the action's own names; unchecked here, parsed by `sync/pull.ts` with the action's schema. */
      readonly params: unknown;
      readonly deadline?: Date;
      /** 1 first … 10 last. */
      readonly priority?: number;
      readonly requestedBy?: string;
      /** The id of the session it is about, where it is about one: its state is told before the result. */
      readonly sessionID?: string;
    }
  /** An item that has an id but cannot be carried out: reported as failed with the reason, while the rest of the batch runs. */
  | {
      readonly kind: 'invalid';
      readonly id: string;
      readonly reason: string;
      readonly message: string;
      /** The name of the action it asks for, where that could be read. */
      readonly action?: string;
      readonly sessionID?: string;
    };

/** The end of one task, as a backend is told. */
export interface Report {
  readonly taskID: string;
  /** The name of the action (`Drain`); absent when the task never became one. */
  readonly action?: string;
  readonly outcome: 'Succeeded' | 'Failed' | 'Cancelled' | 'Expired' | 'TimedOut';
  /** CamelCase cause. */
  readonly reason: string;
  readonly message: string;
  readonly startedAt: Date;
  readonly finishedAt: Date;
  readonly result: JsonObject;
  /** What would have been done, where nothing was: the task was a dry run. */
  readonly plan?: JsonObject;
}

/** How the upstream took a report: for good, or refused for good with its words. Anything else is thrown and tried again. */
export type ReportOutcome = { readonly taken: true } | { readonly taken: false; readonly reason: string };

/** A session as its backend hears of it; plain data. */
export interface SessionFacts {
  /** The id by which the backend knows it. */
  readonly sessionID: string;
  /** Absent while it is on its way from one settled state to another. */
  readonly state?: 'Running' | 'Hibernated' | 'Stopped' | 'Failed';
  /** Whether it takes up capacity: it runs, starts or wakes. */
  readonly active: boolean;
  readonly podName?: string;
  /** The port of its Service on which its desktop is served. */
  readonly port?: number;
  /** The cause of its state, for people. */
  readonly message: string;
}

/** Why an upstream that answers does not let this operator in yet, as the reason of a condition. */
export type RefusalReason = 'PendingApproval' | 'Rejected' | 'NotRegistered' | 'ShutdownRequested';

/** What an adapter tells about its connection; becomes conditions, Events and metrics of the OptimizationBackend. */
export type ContactEvent =
  | { readonly kind: 'contact' }
  /** The push channel opened or closed; `message` says why it is closed. Told on a change only. */
  | { readonly kind: 'streaming'; readonly open: boolean; readonly message?: string }
  | { readonly kind: 'unauthenticated'; readonly message: string }
  /** The upstream answers, and wants a person to do something first. */
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly message: string }
  | { readonly kind: 'unreachable'; readonly message: string }
  /** A message of the upstream that could not be used at all (no id, not JSON): counted and logged. */
  | { readonly kind: 'malformed'; readonly message: string };

/** The words a heartbeat can carry. */
export type HeartbeatStatus = 'starting' | 'healthy' | 'degraded' | 'stopping';

/** One upstream. It knows its protocol and nothing of Kubernetes (rule 7). */
export interface Backend {
  /** Yields tasks until the signal ends it; may repeat a task, never invents one; reconnects by itself and never throws. */
  tasks(signal: AbortSignal): AsyncIterable<Task>;
  /** Delivers one result; safe to repeat; throws BackendError when the upstream did not answer for good. */
  report(report: Report, signal: AbortSignal): Promise<ReportOutcome>;
  /** Sends the cluster's state, once per `every`; absent where the upstream takes none. */
  readonly snapshots?: { readonly every: Seconds; push(snapshot: ClusterSnapshot, signal: AbortSignal): Promise<void> };
  /** Sends cluster events, batched for at most `within`; absent where the upstream takes none. */
  readonly events?: { readonly within: Seconds; push(events: readonly ClusterEvent[], signal: AbortSignal): Promise<void> };
  /** Says that the operator lives. The first accepted one registers, `stopping` deregisters where the protocol has nothing else. */
  readonly heartbeat: { readonly every: Seconds; beat(status: HeartbeatStatus, signal: AbortSignal): Promise<void> };
  /** Uses this key from the next request on; reconnects the socket, or shows it at once where the protocol lets the socket stay. */
  useKey(key: string): void;
  /** Says that a task is recorded, or about to be answered, where the protocol has a word for that; never throws. */
  accepted?(taskID: string): void;
  /** Ends, within so many seconds, what stays open between calls, and resolves when that is gone; absent where nothing does once tasks() has ended. */
  close?(within: Seconds): Promise<void>;
  /** Tells what became of a session; resolves when the upstream has it, throws BackendError where no connection is open or it ends before. */
  reportSession?(session: SessionFacts, signal: AbortSignal): Promise<void>;
}

interface BackendErrorFacts {
  /** HTTP status; 0 where no answer came. */
  readonly status: number;
  readonly retryAfter?: Seconds;
  /** True where the upstream refused this very body: repeating it is useless. Default false. */
  readonly final?: boolean;
  readonly cause?: unknown;
}

/** A call that the upstream did not answer for good: network, timeout, 401, 403, 429, 5xx. Try again, after `retryAfter` if given, unless `final`. */
export class BackendError extends Error {
  override readonly name = 'BackendError';
  readonly status: number;
  readonly retryAfter: Seconds | undefined;
  readonly final: boolean;

  constructor(message: string, facts: BackendErrorFacts) {
    super(message, { cause: facts.cause });
    this.status = facts.status;
    this.retryAfter = facts.retryAfter;
    this.final = facts.final ?? false;
  }
}
