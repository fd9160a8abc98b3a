import type { Config } from './config.ts';
import type { KubeClient } from './kube/client.ts';
import type { Election } from './kube/election.ts';
import type { EventRecorder } from './kube/events.ts';
import type { Fence } from './kube/fence.ts';
import { shortName } from './kube/lease.ts';
import type { LifeCycle } from './kube/operator.ts';
import type { Watches } from './kube/watches.ts';
import { reconnectBackoff } from './lib/backoff.ts';
import { abortable, orAborted } from './lib/wait.ts';
import type { Logger } from './observe/logger.ts';
import type { Metrics } from './observe/metrics.ts';
import type { HealthServer, Part } from './observe/server.ts';
import type { Term } from './term.ts';

/** What one process starts and stops. */
export interface ProcessOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** All that hold connections. */
  readonly clients: readonly KubeClient[];
  readonly watches: Watches;
  readonly health: HealthServer;
  readonly recorder: EventRecorder;
  readonly election: Election;
  /** Makes what acts, anew for every time of leading. */
  readonly makeTerm: (fence: Fence) => Term;
  /** Starts the standing watches; each promise resolves when its store is filled. */
  readonly startWatches: () => readonly Promise<void>[];
  /** Looks at the operator's own objects as they are now. */
  readonly refresh: (signal: AbortSignal) => Promise<void>;
}

/**
 * The order of starting and stopping (optimizer.md section 2.4, with the health server first): health, watches and election side by side, a term whenever
 * this process leads; and back: the term, the lead, Events, watches, connections, health. Without the lead it stands by with filled caches.
 */
export class Process implements LifeCycle {
  readonly #options: ProcessOptions;
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #lists: Promise<unknown> = Promise.resolve();
  #synced = false;
  #term: Term | undefined;

  constructor(options: ProcessOptions) {
    this.#options = options;
  }

  /** Answers health questions at once and goes on starting in the background; throws when the port is taken. */
  async start(): Promise<void> {
    const { config, election, health, log, startWatches } = this.#options;
    const port = await health.listen(config.HEALTH_CHECK_PORT);
    log.info({ port, version: config.version, namespace: config.POD_NAMESPACE }, `cloudoptim-operator ${config.version} is starting`);
    this.#lists = Promise.all(startWatches()).then(() => {
      this.#synced = true;
    });
    this.#running = election.run((tenure) => this.#lead(tenure), this.#stop.signal);
  }

  /** What is ready and what is not, for `/readyz`. A standby is ready: it can take over. */
  parts(): readonly Part[] {
    const { watches, election } = this.#options;
    const { broken } = watches;
    const { leader } = election;
    const led = election.leads ? this.#term !== undefined : leader !== '';
    return [
      part('controllers', this.#synced && !this.#stop.signal.aborted, this.#synced ? 'stopping' : 'waits for the first lists'),
      part('watches', broken.length === 0, broken.join('; ')),
      part('leader', led, 'nobody leads yet', election.leads ? 'this process leads' : `standby; ${shortName(leader)} leads`),
      ...this.#upstreams().map(({ name, facts }) => {
        const ready = facts.connected === true && facts.authenticated === true;
        return part(`backend ${name}`, ready, facts.message || 'waits for its first answer');
      }),
    ];
  }

  /** For the body of seed 003's `/ready`. */
  connections(): { readonly centralServer: boolean; readonly kubernetes: boolean } {
    return {
      centralServer: this.#upstreams().every(({ facts }) => facts.connected === true),
      kubernetes: this.#options.watches.broken.length === 0,
    };
  }

  /** Applies the settings of the environment again; the ConfigMap, the Secrets and the price table are followed anyway. */
  reload(): void {
    this.#options.log.info({}, 'reloading');
    this.#term?.reload();
  }

  /** Tries again now what failed because the API server did not answer: a watch of it stands again. */
  retryUnanswered(): void {
    this.#term?.retryUnanswered();
  }

  /** Tells of a rejection that nobody waited for: a defect of ours, but no reason to drop what is under way. */
  surprised(error: unknown): void {
    this.#options.log.error({ err: error }, 'a rejected promise was not handled; please report this');
  }

  /** Brings the gauges up to date that are read rather than counted. */
  measure(): void {
    const { metrics, watches } = this.#options;
    for (const { resource, connected, silentFor } of watches.health) {
      metrics.watchConnected.set({ resource: resource.plural }, connected ? 1 : 0);
      metrics.watchLastEvent.set({ resource: resource.plural }, silentFor);
    }
    this.#term?.measure();
  }

  /** Stops gracefully within the configured seconds; what is not done by then goes on in the next process. */
  async stop(): Promise<void> {
    const { config, log } = this.#options;
    log.info({}, 'stopping');
    const { promise, resolve } = Promise.withResolvers<'late'>();
    const timer = setTimeout(() => resolve('late'), config.SHUTDOWN_GRACE_SECONDS * 1000);
    const end = await Promise.race([this.#end(), promise]);
    clearTimeout(timer);
    if (end === 'late') log.warn({}, `not stopped within ${config.SHUTDOWN_GRACE_SECONDS} s; the next process goes on`);
    else log.info({}, 'stopped');
  }

  /** Acts for one tenure; the lists may still be on their way when the lead is taken. */
  async #lead(tenure: Fence): Promise<void> {
    const { makeTerm, recorder } = this.#options;
    const over = AbortSignal.any([tenure.signal, this.#stop.signal]);
    const term = makeTerm(tenure);
    const caughtUp = orAborted(this.#lists, over).then(() => this.#catchUp(over));
    await Promise.allSettled([caughtUp, term.prepare(over)]);
    if (over.aborted) return;
    this.#term = term;
    await term.run(this.#stop.signal);
    this.#term = undefined;
    await recorder.flush();
  }

  /** What the leader before has written last, the watches may show later than its end: acted on older objects, its work would be done again. */
  async #catchUp(signal: AbortSignal): Promise<void> {
    const { log, refresh } = this.#options;
    for (const backoff = reconnectBackoff(); !signal.aborted; await abortable(backoff.next(), signal)) {
      try {
        return await refresh(signal);
      } catch (error) {
        if (!signal.aborted) log.warn({ err: error }, 'the objects could not be listed; trying again');
      }
    }
  }

  #upstreams() {
    return this.#term?.upstreams ?? [];
  }

  async #end(): Promise<'ended'> {
    const { watches, health, clients } = this.#options;
    this.#stop.abort(new Error('the operator is stopping'));
    await this.#running;
    await watches.close();
    await Promise.all(clients.map((client) => client.close()));
    await health.close();
    return 'ended';
  }
}

function part(name: string, ready: boolean, waitsFor: string, note = ''): Part {
  return { name, ready, message: ready ? note : waitsFor };
}
