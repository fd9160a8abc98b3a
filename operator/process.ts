import type { Config } from './config.ts';
import type { KubeClient } from './kube/client.ts';
import type { EventRecorder } from './kube/events.ts';
import type { LifeCycle } from './kube/operator.ts';
import type { Watches } from './kube/watches.ts';
import type { Logger } from './observe/logger.ts';
import type { Metrics } from './observe/metrics.ts';
import type { HealthServer, Part } from './observe/server.ts';
import type { EnvironmentLoop } from './sync/environment-loop.ts';
import type { Upstreams } from './sync/upstreams.ts';

interface Stoppable {
  readonly name: string;
  readonly depth: number;
  open(): void;
  close(): Promise<void>;
}

/** What one process starts and stops. */
export interface ProcessOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly client: KubeClient;
  readonly watches: Watches;
  readonly upstreams: Upstreams;
  readonly health: HealthServer;
  readonly recorder: EventRecorder;
  readonly controllers: readonly [actions: Stoppable, backends: Stoppable];
  readonly environment: EnvironmentLoop;
  /** Starts the standing watches and reads what is kept; each promise resolves when its store is filled. */
  readonly startWatches: (signal: AbortSignal) => readonly Promise<void>[];
  /** Runs once, when all stores are filled and before the first pass. */
  readonly onSynced: () => void;
}

/**
 * The order of starting and stopping (optimizer.md section 2.4, with the health server first): health, watches, controllers, the backend of the
 * environment; and back: intake, passes under way, reports, last words, watches, connections, health.
 */
export class Process implements LifeCycle {
  readonly #options: ProcessOptions;
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #synced = false;

  constructor(options: ProcessOptions) {
    this.#options = options;
  }

  /** Answers health questions at once and goes on starting in the background; throws when the port is taken. */
  async start(): Promise<void> {
    const { config, health, log } = this.#options;
    const port = await health.listen(config.HEALTH_CHECK_PORT);
    log.info({ port, version: config.version, namespace: config.POD_NAMESPACE }, `cloudoptim-operator ${config.version} is starting`);
    this.#running = this.#run();
  }

  /** What is ready and what is not, for `/readyz`. */
  parts(): readonly Part[] {
    const { watches, upstreams } = this.#options;
    const { broken } = watches;
    return [
      part('controllers', this.#synced && !this.#stop.signal.aborted, this.#synced ? 'stopping' : 'waits for the first lists'),
      part('watches', broken.length === 0, broken.join('; ')),
      ...upstreams.all().map(({ name, facts }) => {
        const ready = facts.connected === true && facts.authenticated === true;
        return part(`backend ${name}`, ready, facts.message || 'waits for its first answer');
      }),
    ];
  }

  /** Applies the settings of the environment again; the ConfigMap, the Secrets and the price table are followed anyway. */
  reload(): void {
    this.#options.log.info({}, 'reloading');
    this.#options.environment.reload();
  }

  /** Tells of a rejection that nobody waited for: a defect of ours, but no reason to drop what is under way. */
  surprised(error: unknown): void {
    this.#options.log.error({ err: error }, 'a rejected promise was not handled; please report this');
  }

  /** Brings the gauges up to date that are read rather than counted. */
  measure(): void {
    const { controllers, metrics, upstreams, watches } = this.#options;
    for (const controller of controllers) metrics.queueDepth.set({ controller: controller.name }, controller.depth);
    for (const { resource, connected, silentFor } of watches.health) {
      metrics.watchConnected.set({ resource: resource.plural }, connected ? 1 : 0);
      metrics.watchLastEvent.set({ resource: resource.plural }, silentFor);
    }
    for (const { name, reporter, feed } of upstreams.all()) {
      metrics.reportLag.set({ backend: name }, reporter.lag);
      metrics.eventsDropped.set({ backend: name }, feed.dropped);
    }
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

  async #run(): Promise<void> {
    const { controllers, environment, log, onSynced, startWatches } = this.#options;
    const lists = Promise.all(startWatches(this.#stop.signal));
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#stop.signal.addEventListener('abort', () => resolve(), { once: true });
    await Promise.race([lists, promise]);
    if (this.#stop.signal.aborted) return;
    onSynced();
    this.#synced = true;
    for (const controller of controllers) controller.open();
    log.info({}, 'watching; actions are carried out from now on');
    await environment.run(this.#stop.signal);
  }

  async #end(): Promise<'ended'> {
    const { config, controllers, upstreams, recorder, watches, health, client } = this.#options;
    this.#stop.abort(new Error('the operator is stopping'));
    await this.#running;
    const [actions, backends] = controllers;
    await backends.close();
    await upstreams.stopIntake();
    await actions.close();
    await upstreams.stopAll(Math.max(1, config.SHUTDOWN_GRACE_SECONDS - 5));
    await recorder.flush();
    await watches.close();
    await client.close();
    await health.close();
    return 'ended';
  }
}

function part(name: string, ready: boolean, message: string): Part {
  return { name, ready, message: ready ? '' : message };
}
