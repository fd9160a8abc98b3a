import { type Backoff, reconnectBackoff } from '../lib/backoff.ts';
import type { JsonObject } from '../lib/json.ts';
import type { Seconds } from '../lib/next.ts';
import { abortable } from '../lib/wait.ts';
import type { Query } from './call.ts';
import type { KubeClient } from './client.ts';
import { ApiError, isStatus } from './error.ts';
import { listAll } from './list.ts';
import type { ObjectMeta, Resource } from './object.ts';
import type { Store } from './store.ts';
import { MalformedWatch, type WatchEvent, watchEvents } from './watch-stream.ts';

/** The bookmark that ends the initial events of a streaming list carries this annotation (KEP-3157). */
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

/** The objects that came before that bookmark, by UID. */
type Initial<T> = Map<string, T>;

/** A watch that ends sooner is renewed with a pause. */
const SHORT_WATCH_MILLISECONDS = 1000;

/** What one reflector mirrors and how. */
export interface ReflectorOptions<T> {
  readonly client: KubeClient;
  readonly resource: Resource;
  /** Absent: all namespaces. */
  readonly namespace?: string;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
  /**
   * Makes the stored form of a raw object, or undefined to leave it out, alike for all its versions; what it throws is told and that version
   * skipped.
   */
  readonly project: (raw: JsonObject) => T | undefined;
  readonly store: Store<T>;
  /** A watch without any event or bookmark for this long is taken for dead; must exceed the server's bookmark interval of a minute. */
  readonly silenceSeconds: number;
  /** How long to wait until a resource that the API server does not know, or does not let us see, is asked for again; default: as after any other failure. */
  readonly absentPause?: Seconds;
  readonly observe: (event: ReflectorEvent) => void;
}

/** What a reflector tells about its watch, for metrics, readiness and logs. */
export type ReflectorEvent =
  | { readonly kind: 'synced' }
  /** It stands, after it did not. */
  | { readonly kind: 'connected' }
  | { readonly kind: 'event'; readonly type: WatchEvent['type'] }
  | { readonly kind: 'relist'; readonly reason: string }
  | { readonly kind: 'disconnected'; readonly reason: string }
  | { readonly kind: 'skipped'; readonly reason: string };

/**
 * Keeps a store equal to a collection of the API server: streaming list where the server offers it, paginated list otherwise, then a watch
 * with bookmarks that reconnects by itself, takes the list anew after 410 Gone, and is cut when it goes silent (FIELD.md P1-P6, A62).
 */
export class Reflector<T> {
  readonly #options: ReflectorOptions<T>;
  readonly #backoff: Backoff = reconnectBackoff();
  readonly #firstSync = Promise.withResolvers<void>();
  #resourceVersion: string | undefined;
  #streamingList = true;
  #connected = false;
  #problem = '';
  #absent = false;
  #heardAt = performance.now();

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
  }

  /** Resolves once the store has held the whole collection. */
  get synced(): Promise<void> {
    return this.#firstSync.promise;
  }

  /** Whether the store holds the whole collection and the watch stands. */
  get connected(): boolean {
    return this.#connected;
  }

  /** Why the watch last broke; empty before. */
  get problem(): string {
    return this.#problem;
  }

  /** Whether the API server does not know the resource or, where that is expected, does not let us see it. */
  get absent(): boolean {
    return this.#absent;
  }

  /** Seconds since the watch last heard an event or a bookmark, by a clock that no adjustment moves; before the first one, since the start. */
  get silentFor(): Seconds {
    return (performance.now() - this.#heardAt) / 1000;
  }

  /** Runs until the signal aborts; never throws. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let asked: Seconds = 0;
      try {
        if (this.#resourceVersion === undefined && !this.#streamingList) await this.#list(signal);
        const openedAt = performance.now();
        await this.#watch(signal);
        // Renewed at once, but a server that ends every watch immediately is not asked in a circle (FIELD.md P4).
        if (performance.now() - openedAt > SHORT_WATCH_MILLISECONDS) continue;
      } catch (error) {
        if (signal.aborted) break;
        this.#disconnected(error);
        if (error instanceof ApiError) asked = error.retryAfter ?? (this.#absent ? (this.#options.absentPause ?? 0) : 0);
      }
      await abortable(Math.max(this.#backoff.next(), asked), signal);
    }
    this.#connected = false;
  }

  #disconnected(error: unknown): void {
    this.#connected = false;
    const reason = error instanceof Error ? error.message : String(error);
    const told = this.#absent;
    this.#problem = reason;
    this.#absent = isStatus(error, 404) || (this.#options.absentPause !== undefined && isStatus(error, 403));
    // Asked for again and again, and worth a word once.
    if (told && this.#absent) return;
    if (error instanceof ApiError && (error.status === 410 || error.reason === 'Expired')) {
      this.#relist(reason);
    } else if (this.#resourceVersion === undefined && this.#streamingList && isUnsupported(error)) {
      this.#streamingList = false;
      this.#options.observe({ kind: 'relist', reason: `streaming list not offered: ${reason}` });
    } else {
      if (error instanceof MalformedWatch) this.#relist(reason);
      this.#options.observe({ kind: 'disconnected', reason });
    }
  }

  #relist(reason: string): void {
    this.#resourceVersion = undefined;
    this.#options.observe({ kind: 'relist', reason });
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { client, resource, namespace, fieldSelector, labelSelector, store } = this.#options;
    const query = { fieldSelector, labelSelector };
    const { items, resourceVersion } = await listAll(client, resource, { namespace, query, project: this.#project }, signal);
    store.replace(items, resourceVersion);
    this.#resourceVersion = resourceVersion;
    this.#sync();
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { client, resource, namespace, silenceSeconds } = this.#options;
    const watchdog = new AbortController();
    let heardAt = performance.now();
    const silent = () => {
      watchdog.abort(new Error(`the watch was silent for ${silenceSeconds} s`));
      client.silent(heardAt);
    };
    const timer = setTimeout(silent, silenceSeconds * 1000);
    try {
      const both = AbortSignal.any([signal, watchdog.signal]);
      const bytes = await client.watch(resource, namespace, this.#query(), both);
      const initial: Initial<T> | undefined = this.#resourceVersion === undefined ? new Map() : undefined;
      if (!initial) this.#connect();
      await this.#follow(watchEvents(bytes), initial, () => {
        heardAt = performance.now();
        this.#heardAt = heardAt;
        timer.refresh();
      });
    } catch (error) {
      throw watchdog.signal.aborted ? watchdog.signal.reason : error;
    } finally {
      clearTimeout(timer);
    }
  }

  #query(): Query {
    const { fieldSelector, labelSelector } = this.#options;
    // Spread over five to ten minutes, so that many watches are not renewed at once.
    const shared = { fieldSelector, labelSelector, allowWatchBookmarks: true, timeoutSeconds: 300 + Math.floor(Math.random() * 300) };
    if (this.#resourceVersion !== undefined) return { ...shared, resourceVersion: this.#resourceVersion };
    return { ...shared, sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' };
  }

  async #follow(events: AsyncIterable<WatchEvent>, initial: Initial<T> | undefined, alive: () => void): Promise<void> {
    let collecting = initial;
    for await (const event of events) {
      alive();
      this.#options.observe({ kind: 'event', type: event.type });
      if (event.type === 'ERROR') throw streamError(event.object);
      const metadata = event.object.metadata as unknown as ObjectMeta;
      if (event.type === 'BOOKMARK') {
        if (collecting) {
          if (metadata.annotations?.[INITIAL_EVENTS_END] !== 'true') throw new StreamingListIgnored();
          this.#options.store.replace(collecting.values(), metadata.resourceVersion);
          collecting = undefined;
          this.#sync();
        }
      } else if (collecting) {
        this.#collect(event, metadata, collecting);
        continue;
      } else {
        this.#take(event, metadata);
      }
      this.#resourceVersion = metadata.resourceVersion;
      this.#backoff.reset();
    }
  }

  /** Changes that happen while the initial events are sent come among them, deletions too. */
  #collect(event: WatchEvent, { uid }: ObjectMeta, collecting: Initial<T>): void {
    const value = event.type === 'DELETED' ? undefined : this.#project(event.object);
    if (value !== undefined) collecting.set(uid, value);
    else if (event.type === 'DELETED') collecting.delete(uid);
  }

  #take(event: WatchEvent, { uid, resourceVersion }: ObjectMeta): void {
    const { store } = this.#options;
    // An object that cannot be read any more is gone all the same.
    const unreadable = event.type === 'DELETED' ? () => store.forget(uid, resourceVersion) : undefined;
    const value = this.#project(event.object, unreadable);
    if (value === undefined) return;
    if (event.type === 'DELETED') store.remove(value);
    else store.apply(value);
  }

  readonly #project = (raw: JsonObject, unreadable?: () => void): T | undefined => {
    try {
      return this.#options.project(raw);
    } catch (error) {
      this.#options.observe({ kind: 'skipped', reason: error instanceof Error ? error.message : String(error) });
      unreadable?.();
      return undefined;
    }
  };

  #sync(): void {
    this.#firstSync.resolve();
    this.#options.observe({ kind: 'synced' });
    this.#connect();
  }

  #connect(): void {
    this.#absent = false;
    if (this.#connected) return;
    this.#connected = true;
    this.#options.observe({ kind: 'connected' });
  }
}

/** Servers older than the streaming list ignore its parameters and send plain bookmarks. */
class StreamingListIgnored extends Error {
  override readonly message = 'a plain bookmark came before the end of the initial events';
}

/** Servers that know the streaming list but do not offer it refuse its parameters. */
function isUnsupported(error: unknown): boolean {
  return error instanceof StreamingListIgnored || (error instanceof ApiError && (error.status === 400 || error.status === 422));
}

function streamError(status: JsonObject): ApiError {
  const code = status.code;
  return new ApiError({
    status: typeof code === 'number' ? code : 500,
    reason: String(status.reason ?? ''),
    message: String(status.message ?? 'the watch ended with an error'),
  });
}
