import { isDeepStrictEqual } from 'node:util';
import type { OptimizationAction } from '../api/optimization-action.ts';
import type { Session } from '../api/session.ts';
import type { CoreEvent } from '../kube/cluster-event.ts';
import type { Node } from '../kube/node.ts';
import type { Pod } from '../kube/pod.ts';
import type { Seconds } from '../lib/next.ts';
import type { Upstream } from './upstream.ts';

/** What decides whether a running upstream still fits: everything but the key and the suspension. */
export interface UpstreamIdentity {
  readonly name: string;
  /** Compared as a whole; any difference makes the upstream anew. */
  readonly settings: unknown;
}

/** The running upstreams by name; started, changed and stopped without a restart of the process. */
export class Upstreams {
  readonly #running = new Map<string, { upstream: Upstream; settings: unknown; key: string | undefined }>();
  readonly #stopping = new Map<string, Promise<void>>();

  /** The upstream of this name, if it runs. */
  get(name: string): Upstream | undefined {
    return this.#running.get(name)?.upstream;
  }

  /** All that run. */
  all(): readonly Upstream[] {
    return [...this.#running.values()].map((entry) => entry.upstream);
  }

  /** Makes what runs equal to what is wanted; a changed upstream ends its deliveries before the new one starts. */
  async ensure(identity: UpstreamIdentity, key: string | undefined, suspend: boolean, make: () => Upstream): Promise<Upstream> {
    const { name, settings } = identity;
    // A deleted namesake says goodbye first.
    await this.#stopping.get(name);
    const entry = this.#running.get(name);
    if (entry && isDeepStrictEqual(entry.settings, settings)) {
      if (key !== undefined && key !== entry.key) entry.upstream.useKey(key);
      entry.key = key;
      await entry.upstream.takeTasks(!suspend);
      return entry.upstream;
    }
    if (entry) await this.stop(name, 5, false);
    const upstream = make();
    this.#running.set(name, { upstream, settings, key });
    upstream.start();
    await upstream.takeTasks(!suspend);
    return upstream;
  }

  /** Stops one upstream; one that is being stopped is waited for. */
  async stop(name: string, within: Seconds, goodbye: boolean): Promise<void> {
    const entry = this.#running.get(name);
    if (!entry) return this.#stopping.get(name);
    this.#running.delete(name);
    const stopped = entry.upstream.stop(within, goodbye).finally(() => this.#stopping.delete(name));
    this.#stopping.set(name, stopped);
    return stopped;
  }

  /** Takes no more tasks anywhere. */
  async stopIntake(): Promise<void> {
    await Promise.all(this.all().map((upstream) => upstream.takeTasks(false)));
  }

  /** Stops all; `goodbye` says what a stopping operator says. */
  async stopAll(within: Seconds, goodbye: boolean): Promise<void> {
    await Promise.all([...this.#running.keys(), ...this.#stopping.keys()].map((name) => this.stop(name, within, goodbye)));
  }

  /** Tells the upstream of a mirrored object that it changed. */
  noticeAction(object: OptimizationAction): void {
    const backend = object.spec?.source?.backend;
    if (backend !== undefined) this.get(backend)?.reporter.notice(object);
  }

  /** Tells the upstream of a Session that it changed or is gone. */
  noticeSession(before: Session | undefined, after: Session | undefined): void {
    const backend = (after ?? before)?.spec?.backendRef?.name;
    if (backend !== undefined) this.get(backend)?.sessions?.reporter.notice(before, after);
  }

  /** Tells the upstream of a Session that is about to be gone; resolves within seconds, whether or not anybody could be told. */
  async lastWord(session: Session): Promise<void> {
    const backend = session.spec?.backendRef?.name;
    if (backend !== undefined) await this.get(backend)?.sessions?.reporter.lastWord(session);
  }

  /** Tells every feed of an Event. */
  observeEvent(event: CoreEvent): void {
    for (const feed of this.#feeds()) feed.observeEvent(event);
  }

  /** Tells every feed of a changed node. */
  observeNode(before: Node | undefined, after: Node | undefined): void {
    for (const feed of this.#feeds()) feed.observeNode(before, after);
  }

  /** Tells every feed of a changed pod. */
  observePod(before: Pod | undefined, after: Pod | undefined): void {
    for (const feed of this.#feeds()) feed.observePod(before, after);
  }

  *#feeds(): Generator<Upstream['feed']> {
    for (const { upstream } of this.#running.values()) if (upstream.takesEvents) yield upstream.feed;
  }
}
