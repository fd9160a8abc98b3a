import type { Config } from './config.ts';
import type { Fence } from './kube/fence.ts';
import type { Seconds } from './lib/next.ts';
import type { Logger } from './observe/logger.ts';
import type { Metrics } from './observe/metrics.ts';
import type { EnvironmentLoop } from './sync/environment-loop.ts';
import type { Upstream } from './sync/upstream.ts';
import type { Upstreams } from './sync/upstreams.ts';

interface Stoppable {
  readonly name: string;
  readonly depth: number;
  open(): void;
  retryUnanswered(): void;
  close(): Promise<void>;
}

/** What keeps the sessions as they should be. */
export interface TermSessions {
  readonly controller: Stoppable;
  /** Resolves when all of them are known as they are now: never, where their kinds are not installed; rejects when the signal aborts. */
  known(signal: AbortSignal): Promise<void>;
  /** Resolves when what other agents and operators have left is looked after, as far as it has been seen. */
  cared(): Promise<void>;
  /** Looks after it again: there may be a backend for it now. */
  backendsChanged(): void;
  /** Looks after nothing more. */
  close(): Promise<void>;
  /** The sessions by their phase. */
  phases(): ReadonlyMap<string, readonly unknown[]>;
}

/** What acts while one process leads. */
export interface TermOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Falls when the lead is lost. */
  readonly fence: Fence;
  readonly upstreams: Upstreams;
  readonly controllers: readonly [actions: Stoppable, backends: Stoppable];
  readonly sessions: TermSessions;
  readonly environment: EnvironmentLoop;
  /** Starts to tell the upstreams of changes; each returned function ends one kind of telling. */
  readonly listen: () => readonly (() => void)[];
  /** Reads what the first pass must know beside the caches; resolves when it could, or the signal aborts. */
  readonly prepare: (signal: AbortSignal) => Promise<void>;
  /** Runs once, before the first pass. */
  readonly onOpen: () => void;
  /** Runs once, when nothing acts any more. */
  readonly onClose: () => void;
}

/**
 * One time of leading: it begins with filled caches, takes up what the objects say is under way, and ends in one of two ways. When the process stops, in
 * good order: intake, passes under way, reports, last words (optimizer.md section 2.4). When the lead is lost, at once and without a word.
 */
export class Term {
  readonly #options: TermOptions;
  #abandoned: Promise<void> | undefined;

  constructor(options: TermOptions) {
    this.#options = options;
  }

  /** The upstreams that run, for readiness. */
  get upstreams(): readonly Upstream[] {
    return this.#options.upstreams.all();
  }

  /** Reads what it must know before it acts, while other lists may still be on their way; resolves early when the signal aborts. */
  prepare(signal: AbortSignal): Promise<void> {
    return this.#options.prepare(signal);
  }

  /** Tries again now what failed because the API server did not answer: it is there again. */
  retryUnanswered(): void {
    for (const controller of this.#controllers) controller.retryUnanswered();
  }

  /** Acts until the signal aborts or the lead is lost; resolves when nothing of it acts any more. */
  async run(stop: AbortSignal): Promise<void> {
    const { controllers, environment, fence, listen, log, metrics, onClose, onOpen, sessions } = this.#options;
    const over = AbortSignal.any([stop, fence.signal]);
    // Not a turn of the event loop later: nothing may be taken for a failure that is only the end.
    fence.signal.addEventListener('abort', () => void this.#abandon());
    const unlisten = listen();
    onOpen();
    for (const controller of controllers) controller.open();
    // Everything else goes on where the kinds of the sessions are not installed.
    sessions.known(over).then(
      () => sessions.controller.open(),
      () => undefined,
    );
    log.info({}, 'watching; actions are carried out from now on');
    await environment.run(over);
    if (!fence.signal.aborted) await this.#close();
    await this.#abandoned;
    for (const end of unlisten) end();
    await sessions.close();
    onClose();
    for (const gauge of [
      metrics.queueDepth,
      metrics.reportLag,
      metrics.eventsDropped,
      metrics.backendConnected,
      metrics.orphanedCordons,
      metrics.sessions,
    ])
      gauge.reset();
  }

  /** Applies the settings of the environment again. */
  reload(): void {
    this.#options.environment.reload();
  }

  /** Brings the gauges up to date that are read rather than counted. */
  measure(): void {
    const { metrics, sessions, upstreams } = this.#options;
    metrics.sessions.reset();
    for (const [phase, list] of sessions.phases()) metrics.sessions.set({ phase }, list.length);
    for (const controller of this.#controllers) metrics.queueDepth.set({ controller: controller.name }, controller.depth);
    for (const { name, reporter, feed } of upstreams.all()) {
      metrics.reportLag.set({ backend: name }, reporter.lag);
      metrics.eventsDropped.set({ backend: name }, feed.dropped);
    }
  }

  get #controllers(): readonly Stoppable[] {
    return [...this.#options.controllers, this.#options.sessions.controller];
  }

  async #close(): Promise<void> {
    const { config, controllers, sessions, upstreams } = this.#options;
    const [actions, backends] = controllers;
    await backends.close();
    await upstreams.stopIntake();
    await actions.close();
    await sessions.controller.close();
    const within: Seconds = Math.max(1, config.SHUTDOWN_GRACE_SECONDS - 5);
    await upstreams.stopAll(within, true);
  }

  #abandon(): Promise<void> {
    const { upstreams } = this.#options;
    // All at once, and the upstreams again: a pass under way may just have started one.
    const ends = [...this.#controllers.map((controller) => controller.close()), upstreams.stopAll(0, false)];
    this.#abandoned ??= Promise.all(ends).then(() => upstreams.stopAll(0, false));
    return this.#abandoned;
  }
}
