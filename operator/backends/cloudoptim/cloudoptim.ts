import type { BackoffSettings } from '../../lib/backoff.ts';
import type { Seconds } from '../../lib/next.ts';
import { formatSeconds } from '../../lib/time.ts';
import type { Backend, ContactEvent, HeartbeatStatus, Report, ReportOutcome } from '../backend.ts';
import { baseURL, socketURL } from '../base-url.ts';
import type { BackendSettings } from '../settings.ts';
import type { ClusterSnapshot } from '../snapshot.ts';
import { Credential } from '../transport/credential.ts';
import { JSONClient } from '../transport/http.ts';
import type { SocketSettings } from '../transport/websocket.ts';
import { EventSender } from './events.ts';
import { Intake } from './intake.ts';
import { isTaken, Line, reasonOf, refusal } from './line.ts';
import { writeMetrics } from './metrics.ts';
import { shorten, writeResult } from './result.ts';

/** What tests change; the defaults are the protocol's. */
export interface CloudOptimTuning {
  /** For one HTTP call. Default 30 s. */
  readonly timeout?: Seconds;
  /** Of an answer, in bytes. Default 8 MiB. */
  readonly maxBody?: number;
  /** The wait after 401 and 403. Default 60 s. */
  readonly refusedRetry?: Seconds;
  /** Default 1 s doubled to 60 s, full jitter. */
  readonly backoff?: BackoffSettings;
  readonly socket?: Pick<SocketSettings, 'ping' | 'pongTimeout' | 'handshakeTimeout' | 'maxPayload' | 'stableAfter'>;
  /** Stamps heartbeats. Default the system clock. */
  readonly now?: () => Date;
}

const root = '/api/v1/client';

/** The adapter of protocol CloudOptim (optimizer.md 2, seed 003): polls and listens for tasks, posts results, metrics, events, heartbeats. */
export function cloudOptim(
  settings: BackendSettings,
  observe: (event: ContactEvent) => void,
  tuning: CloudOptimTuning = {},
): Backend & Feeds {
  return new CloudOptim(settings, observe, tuning);
}

type Feeds = Required<Pick<Backend, 'snapshots' | 'events'>>;

class CloudOptim implements Backend {
  readonly snapshots: Feeds['snapshots'];
  readonly events: Feeds['events'];
  readonly heartbeat: Backend['heartbeat'];
  readonly #clusterID: string;
  readonly #credential: Credential;
  readonly #line: Line;
  readonly #now: () => Date;
  readonly #intake: () => Intake;
  /** True once the upstream took documented metrics only (422 before). */
  #documentedOnly = false;

  constructor(settings: BackendSettings, observe: (event: ContactEvent) => void, tuning: CloudOptimTuning) {
    const { clusterID, intervals, tls } = settings;
    const { timeout, maxBody, refusedRetry = 60, backoff = {}, now = () => new Date() } = tuning;
    const credential = new Credential(settings.key);
    const shared = tls === undefined ? { credential } : { credential, tls };
    const limits = { ...(timeout === undefined ? {} : { timeout }), ...(maxBody === undefined ? {} : { maxBody }) };
    this.#clusterID = clusterID;
    this.#credential = credential;
    this.#now = now;
    const line = new Line(new JSONClient({ baseURL: baseURL(settings.url), now, ...shared, ...limits }), observe);
    this.#line = line;
    const query = `?cluster_id=${encodeURIComponent(clusterID)}`;
    const url = socketURL(settings.webSocketURL ?? settings.url, `${root}/stream`) + query;
    const socket = { url, refusedRetry, backoff, ...shared, ...tuning.socket };
    const pollPath = `${root}/tasks${query}`;
    this.#intake = () => new Intake({ clusterID, credential, poll: intervals.poll, pollPath, refusedRetry, backoff, socket }, line);
    const sender = new EventSender(
      clusterID,
      (items, signal) => this.#postEvents(items, signal),
      (event) =>
        observe({ kind: 'malformed', message: `The event ${event.key} was dropped: it is too large for the upstream even alone (413)` }),
    );
    this.snapshots = { every: intervals.metrics, push: (snapshot, signal) => this.#pushMetrics(snapshot, signal) };
    this.events = { within: 5, push: (events, signal) => sender.push(events, signal) };
    this.heartbeat = { every: intervals.heartbeat, beat: (status, signal) => this.#beat(status, signal) };
  }

  tasks(signal: AbortSignal): ReturnType<Intake['tasks']> {
    return this.#intake().tasks(signal);
  }

  /** 409 = recorded before; a 413 is answered by the shortened result once; every other 4xx is final (optimizer.md 1, Answers). */
  async report(report: Report, signal: AbortSignal): Promise<ReportOutcome> {
    const path = `${root}/tasks/${encodeURIComponent(report.taskID)}/result`;
    const body = writeResult(report);
    let answer = await this.#line.request({ method: 'POST', path, body, signal });
    if (answer.status === 413) answer = await this.#line.request({ method: 'POST', path, body: shorten(body), signal });
    return isTaken(answer) || answer.status === 409 ? { taken: true } : { taken: false, reason: reasonOf(answer) };
  }

  useKey(key: string): void {
    this.#credential.replace(key);
  }

  /** 422: once more with documented fields only, and from then on if that was taken. */
  async #pushMetrics(snapshot: ClusterSnapshot, signal: AbortSignal): Promise<void> {
    const path = `${root}/metrics`;
    const { documented, inferred } = writeMetrics(snapshot, this.#clusterID);
    if (this.#documentedOnly) return this.#line.post(path, documented, signal);
    const answer = await this.#line.request({ method: 'POST', path, body: { ...documented, ...inferred }, signal });
    if (isTaken(answer)) return;
    if (answer.status !== 422) throw refusal(path, answer);
    await this.#line.post(path, documented, signal);
    this.#documentedOnly = true;
  }

  async #postEvents(items: readonly unknown[], signal: AbortSignal): Promise<'taken' | 'too large'> {
    const path = `${root}/events`;
    const answer = await this.#line.request({ method: 'POST', path, body: items, signal });
    if (answer.status === 413) return 'too large';
    if (!isTaken(answer)) throw refusal(path, answer);
    return 'taken';
  }

  /** The first accepted one registers the cluster, `stopping` deregisters it (optimizer.md 2.4). */
  #beat(status: HeartbeatStatus, signal: AbortSignal): Promise<void> {
    const body = { cluster_id: this.#clusterID, status, timestamp: formatSeconds(this.#now()) };
    return this.#line.post(`${root}/heartbeat`, body, signal);
  }
}
