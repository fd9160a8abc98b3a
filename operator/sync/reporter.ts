import { findCondition, setCondition } from '../api/condition.ts';
import { OPTIMIZATION_ACTIONS, type OptimizationAction } from '../api/optimization-action.ts';
import type { Backend, Report, ReportOutcome } from '../backends/backend.ts';
import { BackendError } from '../backends/backend.ts';
import type { KubeClient } from '../kube/client.ts';
import { keyOf } from '../kube/controller.ts';
import { isStatus } from '../kube/error.ts';
import { applyStatus } from '../kube/status.ts';
import type { Store } from '../kube/store.ts';
import { WorkQueue } from '../kube/work-queue.ts';
import { Backoff } from '../lib/backoff.ts';
import type { Seconds } from '../lib/next.ts';
import { reportOf } from './report-text.ts';

/** The field manager of the Reported condition, so that it does not collide with the rest of the status. */
export const REPORT_MANAGER = 'cloudoptim-report';
/** Reports on their way at the same time. */
const WIDTH = 8;

/** How a task about a session ended. */
export interface SessionEnding {
  readonly sessionID: string;
  readonly report: Report;
  /** When the task was recorded, in milliseconds; undefined where it never was. */
  readonly recordedAt: number | undefined;
}

/** What the reports of one upstream work with. */
export interface ReporterOptions {
  readonly name: string;
  readonly backend: Backend;
  readonly client: KubeClient;
  readonly store: Store<OptimizationAction>;
  /** Tells how the session of a task stands, before its result; absent where the backend runs no sessions. */
  readonly settleSession?: (ending: SessionEnding) => Promise<void>;
  readonly onTaken: () => void;
  readonly onFailure: (taskID: string, error: unknown, retryIn: Seconds) => void;
}

/**
 * Delivers results until they are taken or refused for good. The objects are the outbox: what is finished and not Reported is delivered, also
 * after a restart; only answers to tasks without an object live in memory (the backend offers such a task again).
 */
export class Reporter {
  readonly #options: ReporterOptions;
  readonly #queue: WorkQueue;
  readonly #answers = new Map<string, { readonly report: Report; readonly sessionID: string | undefined }>();
  readonly #repeats = new Set<string>();
  readonly #backoffs = new Map<string, Backoff>();
  /** Keys whose last attempt failed for the connection or the key, so that an answer to anything is a reason to try again. */
  readonly #cutOff = new Set<string>();
  readonly #stop = new AbortController();

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.#queue = new WorkQueue({ width: WIDTH, handle: (key) => this.#deliver(key) });
    this.#queue.open();
  }

  /** Looks at an object that is new or has changed: what is finished and not reported goes out. */
  notice(object: OptimizationAction): void {
    if (isUnreported(object, this.#options.name)) this.#queue.add(keyOf(object));
  }

  /** Sends the stored result of a task that the backend offered again. */
  repeat(object: OptimizationAction): void {
    if (!reportOf(object)) return;
    this.#repeats.add(keyOf(object));
    this.#queue.add(keyOf(object));
  }

  /** Reports a task that has no object: it was refused on arrival, or its object is gone. */
  answer(report: Report, sessionID?: string): void {
    const key = `without object:${report.taskID}`;
    this.#answers.set(key, { report, sessionID });
    this.#queue.add(key);
  }

  /** Tries at once what found nobody or was not let in: the upstream answers again. What it asked to wait for, or cannot take, keeps its pause. */
  hurry(): void {
    for (const key of this.#cutOff) {
      this.#backoffs.delete(key);
      this.#queue.add(key);
    }
    this.#cutOff.clear();
  }

  /** Results that wait to be taken. */
  get lag(): number {
    let lag = this.#answers.size;
    for (const object of this.#options.store.values()) if (isUnreported(object, this.#options.name)) lag++;
    return lag;
  }

  /** Lets deliveries under way end, for at most this long, and starts no more. */
  async close(within: Seconds): Promise<void> {
    const timer = setTimeout(() => this.#stop.abort(new Error('the operator is stopping')), within * 1000);
    await this.#queue.close();
    clearTimeout(timer);
  }

  async #deliver(key: string): Promise<void> {
    const answer = this.#answers.get(key);
    // Taken now, so that a repeat that arrives meanwhile is not answered by this delivery.
    const repeated = this.#repeats.delete(key);
    const object = this.#options.store.get(key);
    const report = answer?.report ?? (object && this.#reportDue(object, repeated));
    if (!report) return;
    try {
      await this.#settleSession(report, answer?.sessionID, object);
      const outcome = await this.#options.backend.report(report, this.#stop.signal);
      if (object) await this.#settle(object, outcome);
      this.#answers.delete(key);
      this.#backoffs.delete(key);
      this.#cutOff.delete(key);
      this.#options.onTaken();
    } catch (error) {
      if (repeated) this.#repeats.add(key);
      this.#retry(key, report, error);
    }
  }

  async #settleSession(report: Report, answered: string | undefined, object: OptimizationAction | undefined): Promise<void> {
    const sessionID = answered ?? object?.spec?.source?.sessionID;
    if (sessionID === undefined) return;
    const created = object?.metadata.creationTimestamp;
    await this.#options.settleSession?.({ sessionID, report, recordedAt: created === undefined ? undefined : Date.parse(created) });
  }

  #reportDue(object: OptimizationAction, repeated: boolean): Report | undefined {
    const due = repeated || isUnreported(object, this.#options.name);
    const report = due ? reportOf(object) : undefined;
    // A backend of sessions knows no plans: what was not done must not pass for done.
    return report?.plan && this.#options.settleSession ? { ...report, outcome: 'Failed' } : report;
  }

  async #settle(object: OptimizationAction, outcome: ReportOutcome): Promise<void> {
    if (!isUnreported(object, this.#options.name)) return;
    const claim = outcome.taken
      ? { type: 'Reported', status: 'True' as const, reason: 'Taken', message: 'the backend has taken the result' }
      : {
          type: 'Reported',
          status: 'False' as const,
          reason: 'Refused',
          message: `the backend refused the result for good: ${outcome.reason}`,
        };
    const { name, namespace, generation } = object.metadata;
    const conditions = setCondition([], claim, { now: new Date(), generation });
    const ref = { resource: OPTIMIZATION_ACTIONS, name, ...(namespace ? { namespace } : {}) };
    try {
      const answer = await applyStatus(this.#options.client, ref, object, { conditions }, AbortSignal.timeout(30_000), REPORT_MANAGER);
      this.#options.store.put(answer as unknown as OptimizationAction);
    } catch (error) {
      // Deleted or replaced meanwhile: the result was taken, there is nothing left to note it on.
      if (!isStatus(error, 404) && !isStatus(error, 409)) throw error;
    }
  }

  #retry(key: string, report: Report, error: unknown): void {
    if (this.#stop.signal.aborted) return;
    // optimizer.md section 1: 1 s doubled to 60 s, without a limit on attempts.
    const backoff = this.#backoffs.get(key) ?? new Backoff();
    this.#backoffs.set(key, backoff);
    const asked = error instanceof BackendError ? error.retryAfter : undefined;
    const retryIn = Math.max(backoff.next(), asked ?? 0);
    if (asked === undefined && error instanceof BackendError && [0, 401, 403].includes(error.status)) this.#cutOff.add(key);
    else this.#cutOff.delete(key);
    this.#options.onFailure(report.taskID, error, retryIn);
    this.#queue.addAfter(key, retryIn);
  }
}

/** Whether the object is a finished task of this backend whose result nobody has taken or refused yet. */
function isUnreported(object: OptimizationAction, backend: string): boolean {
  if (object.spec?.source?.backend !== backend || object.status?.finishedAt === undefined) return false;
  const reported = findCondition(object.status.conditions, 'Reported');
  return reported === undefined || reported.status === 'Unknown';
}
