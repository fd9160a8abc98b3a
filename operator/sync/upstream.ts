import type { ActionDefinition } from '../actions/action.ts';
import type { OptimizationAction } from '../api/optimization-action.ts';
import type { Session } from '../api/session.ts';
import type { Tombstone } from '../api/tombstone.ts';
import type { Backend, ContactEvent, HeartbeatStatus, Task } from '../backends/backend.ts';
import type { ClusterSnapshot } from '../backends/snapshot.ts';
import type { KubeClient } from '../kube/client.ts';
import type { ClusterView } from '../kube/cluster.ts';
import type { Store } from '../kube/store.ts';
import type { Seconds } from '../lib/next.ts';
import { ClusterEventFeed } from '../snapshot/events.ts';
import { newFacts, noteContact, type UpstreamFacts } from './facts.ts';
import { pull } from './pull.ts';
import { type PushOptions, push, pushLast } from './push.ts';
import { Reporter } from './reporter.ts';
import { UpstreamSessions } from './upstream-sessions.ts';

/** What an upstream tells while it runs, for logs, metrics and its OptimizationBackend. */
export type UpstreamNews =
  | { readonly kind: 'facts' }
  | { readonly kind: 'task'; readonly taskID: string; readonly what: 'created' | 'repeated' | 'rejected'; readonly message: string }
  | { readonly kind: 'reported' }
  | { readonly kind: 'malformed'; readonly message: string }
  | { readonly kind: 'failure'; readonly what: string; readonly taskID?: string; readonly error: unknown; readonly retryIn?: Seconds };

/** What all upstreams share. */
export interface UpstreamWorld {
  readonly client: KubeClient;
  readonly view: ClusterView;
  readonly store: Store<OptimizationAction>;
  /** How the last OptimizationAction of this name ended that is gone. */
  readonly buried: (name: string) => Tombstone | undefined;
  readonly actions: readonly ActionDefinition[];
  readonly namespace: string;
  /** True: every task becomes a plan. */
  readonly dryRun: boolean;
  /** The Sessions of all backends. */
  readonly sessions: Store<Session>;
  /** Resolves when all Sessions are known and every workload of a session has one. */
  readonly sessionsKnown: () => Promise<void>;
  /** Adds to a task about a session what has to be looked up for it. */
  readonly complete: (task: Task, signal: AbortSignal) => Promise<Task>;
  readonly collect: (signal: AbortSignal) => Promise<ClusterSnapshot | undefined>;
  readonly health: () => Extract<HeartbeatStatus, 'healthy' | 'degraded'>;
}

/** What one upstream is. */
export interface UpstreamOptions {
  readonly name: string;
  readonly clusterID: string;
  readonly allowed: readonly string[] | undefined;
  /** Whether there is a key from the start. */
  readonly keyed: boolean;
  /** What earlier processes counted. */
  readonly counted: Pick<UpstreamFacts, 'received' | 'reported' | 'rejected'>;
  /** Makes the adapter; it tells its connection to `observe`. */
  readonly makeBackend: (observe: (event: ContactEvent) => void) => Backend;
  readonly onNews: (news: UpstreamNews) => void;
}

/** One running upstream: tasks in, reports out, and the separate loop of snapshots, events and heartbeats. */
export class Upstream {
  readonly name: string;
  readonly facts: UpstreamFacts;
  readonly feed = new ClusterEventFeed({ now: () => new Date() });
  readonly reporter: Reporter;
  /** Undefined where the backend runs none. */
  readonly sessions: UpstreamSessions | undefined;
  /** Whether the backend takes events of the cluster. */
  readonly takesEvents: boolean;
  readonly #world: UpstreamWorld;
  readonly #options: UpstreamOptions;
  readonly #backend: Backend;
  readonly #push: PushOptions;
  readonly #pushing = new AbortController();
  #pulling: AbortController | undefined;
  #loops: Promise<void>[] = [];
  #pullLoop: Promise<void> = Promise.resolve();

  constructor(world: UpstreamWorld, options: UpstreamOptions) {
    const { client, store, collect, health } = world;
    const { name, onNews } = options;
    this.name = name;
    this.facts = { ...newFacts(), ...options.counted, keyed: options.keyed };
    this.#world = world;
    this.#options = options;
    this.#backend = options.makeBackend((event) => this.#contact(event));
    const { reportSession, events } = this.#backend;
    const onSession = (sessionID: string, error: unknown, retryIn: Seconds) =>
      onNews({ kind: 'failure', what: `session ${sessionID}`, error, retryIn });
    const shared = { name, client, store: world.sessions, actions: store, backend: this.#backend, onFailure: onSession };
    this.sessions = reportSession && new UpstreamSessions(shared, (session, signal) => reportSession.call(this.#backend, session, signal));
    this.takesEvents = events !== undefined;
    const { sessions } = this;
    this.reporter = new Reporter({
      name,
      ...(sessions ? { settleSession: (ending) => sessions.settle(ending) } : {}),
      backend: this.#backend,
      client,
      store,
      onTaken: () => {
        this.facts.reported++;
        onNews({ kind: 'reported' });
      },
      onFailure: (taskID, error, retryIn) => onNews({ kind: 'failure', what: 'report', taskID, error, retryIn }),
    });
    const onFailure = (what: string, error: unknown) => onNews({ kind: 'failure', what, error });
    this.#push = { backend: this.#backend, feed: this.feed, facts: this.facts, collect, health, onFailure };
  }

  /** Starts everything but the intake, and delivers what earlier processes left unreported. */
  start(): void {
    this.#loops = [push(this.#push, this.#pushing.signal)];
    for (const object of this.#world.store.values()) this.reporter.notice(object);
  }

  /** Takes new tasks from now on, or stops taking them; reports, snapshots and heartbeats go on. */
  async takeTasks(wanted: boolean): Promise<void> {
    if (wanted === (this.#pulling !== undefined)) return;
    if (!wanted) {
      this.#pulling?.abort(new Error('the intake of tasks is stopped'));
      this.#pulling = undefined;
      return this.#pullLoop;
    }
    this.#pulling = new AbortController();
    const { name, clusterID, allowed, onNews } = this.#options;
    const options = {
      ...this.#world,
      backend: name,
      clusterID,
      allowed,
      source: this.#backend,
      reporter: this.reporter,
      facts: this.facts,
      onRetry: (taskID: string, error: unknown) => onNews({ kind: 'failure', what: 'intake', taskID, error }),
      onFirstTask: () => onNews({ kind: 'facts' }),
      onSessionTask: (taskID: string) => this.sessions?.arrived(taskID),
      onTask: (taskID: string, what: 'created' | 'repeated' | 'rejected', message: string) =>
        onNews({ kind: 'task', taskID, what, message }),
    };
    this.#pullLoop = pull(options, this.#pulling.signal);
  }

  /** Uses another key from now on; what was refused for the old one is tried again at once. */
  useKey(key: string): void {
    this.facts.keyed = true;
    this.#backend.useKey(key);
    this.reporter.hurry();
  }

  /** Ends the loops; `goodbye` says what a stopping operator says, all within this many seconds. */
  async stop(within: Seconds, goodbye: boolean): Promise<void> {
    const startedAt = performance.now();
    await this.takeTasks(false);
    // Time must be left for the last words.
    await this.reporter.close(goodbye ? within / 2 : within);
    await this.sessions?.reporter.close(goodbye ? within / 4 : 0);
    this.#pushing.abort(new Error('the upstream is stopped'));
    await Promise.all(this.#loops);
    const left = () => Math.max(0, within - (performance.now() - startedAt) / 1000);
    if (goodbye) await pushLast(this.#push, left());
    await this.#backend.close?.(left());
  }

  #contact(event: ContactEvent): void {
    const wasAway = this.facts.connected === false || this.facts.authenticated === false;
    if (noteContact(this.facts, event, new Date())) this.#options.onNews({ kind: 'facts' });
    if (event.kind === 'malformed') this.#options.onNews({ kind: 'malformed', message: event.message });
    const opened = event.kind === 'streaming' && event.open;
    if (opened) this.sessions?.reporter.connected();
    if (opened || (wasAway && event.kind === 'contact')) this.reporter.hurry();
  }
}
