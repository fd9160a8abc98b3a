import type { Dispatcher } from 'undici';
import type { JsonObject, JsonValue } from '../lib/json.ts';
import type { Seconds } from '../lib/next.ts';
import { orAborted } from '../lib/wait.ts';
import { type Call, describe, PATCH_MEDIA_TYPES, type PatchFormat, type Query, queryString, subject } from './call.ts';
import { Connections, type Use } from './connection.ts';
import type { Credentials } from './credentials.ts';
import { ApiError, ApiUnreachable } from './error.ts';
import { type Fence, throughFence } from './fence.ts';
import type { KubeObject, ObjectRef, Resource } from './object.ts';
import { isMissingRight, parseRefusal } from './refusal.ts';
import { collectionPath, objectPath } from './resources.ts';
import { Throttle } from './throttle.ts';

/** A request without an answer after this long counts as unreachable. */
const REQUEST_TIMEOUT_SECONDS = 30;

/** Watches whose connections died together are found silent within this time. */
const TOGETHER_MILLISECONDS = 1000;

/** In place of the status code of an answer that never came. */
const UNANSWERED = 'unanswered';

/** One page of a list as the API server sends it. */
export interface ListPage {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string; readonly remainingItemCount?: number };
  readonly items: readonly JsonObject[];
}

/** Hears of every request that came to an end, watches when they were opened; the code is `unanswered` where no complete answer came. */
export type ObserveRequest = (method: string, code: string) => void;

/** A watch that is open, or about to be. */
interface OpenWatch {
  /** By `performance.now()`. */
  heardAt: number;
  readonly cut: AbortController;
}

/** What a client and those fenced from it have in common. */
interface Shared {
  readonly connections: Connections;
  readonly throttle: Throttle;
  readonly watches: Set<OpenWatch>;
}

/**
 * Raw JSON calls to one API server over shared connections. Every method throws ApiError for an answer that is not 2xx, ApiUnreachable where
 * no complete answer came in time, and the signal's reason when it was aborted. A request of a kind that the server refused with 429 and
 * Retry-After gets that refusal again, unsent, until the time is over.
 */
export class KubeClient {
  readonly #credentials: Credentials;
  readonly #timeout: Seconds;
  readonly #observe: ObserveRequest;
  readonly #shared: Shared;
  readonly #fence: Fence | undefined;

  /** `shared` and `fence` are for `fencedBy`. */
  constructor(
    credentials: Credentials,
    timeout: Seconds = REQUEST_TIMEOUT_SECONDS,
    observe: ObserveRequest = () => undefined,
    shared: Shared = { connections: new Connections(credentials), throttle: new Throttle(), watches: new Set() },
    fence?: Fence,
  ) {
    this.#credentials = credentials;
    this.#timeout = timeout;
    this.#observe = observe;
    this.#shared = shared;
    this.#fence = fence;
  }

  /**
   * A client over the same connections whose writes are made only while the fence holds, as it is when the first byte is about to go out; one that is on
   * its way is cut off when the fence falls. Such a write throws NotLeading. Reads are free.
   */
  fencedBy(fence: Fence): KubeClient {
    return new KubeClient(this.#credentials, this.#timeout, this.#observe, this.#shared, fence);
  }

  /** Reads one object. */
  async get<Spec = JsonObject, Status = JsonObject>(ref: ObjectRef, signal: AbortSignal): Promise<KubeObject<Spec, Status>> {
    return (await this.#call({ method: 'GET', path: objectPath(ref), about: subject(ref), signal })) as unknown as KubeObject<Spec, Status>;
  }

  /** Reads one page of a collection. */
  async list(resource: Resource, namespace: string | undefined, query: Query, signal: AbortSignal): Promise<ListPage> {
    const call: Call = { method: 'GET', path: collectionPath(resource, namespace), about: `${resource.plural} list`, query, signal };
    return (await this.#call(call)) as unknown as ListPage;
  }

  /** Creates an object; 409 AlreadyExists is an ApiError like any other. */
  async create(resource: Resource, namespace: string | undefined, object: JsonObject, signal: AbortSignal): Promise<KubeObject> {
    const call: Call = { method: 'POST', path: collectionPath(resource, namespace), about: resource.plural, body: object, signal };
    const answer = await this.#call(call);
    return answer as unknown as KubeObject;
  }

  /** Patches an object or a subresource of it. */
  async patch(
    ref: ObjectRef,
    format: PatchFormat,
    body: JsonValue,
    signal: AbortSignal,
    more: { readonly subresource?: string; readonly query?: Query } = {},
  ): Promise<KubeObject> {
    const path = objectPath(ref, more.subresource);
    const about = subject(ref, more.subresource);
    const call: Call = { method: 'PATCH', path, about, query: more.query ?? {}, body, contentType: PATCH_MEDIA_TYPES[format], signal };
    return (await this.#call(call)) as unknown as KubeObject;
  }

  /** Posts to a subresource, such as `eviction`. */
  async post(ref: ObjectRef, subresource: string, body: JsonObject, signal: AbortSignal): Promise<void> {
    await this.#call({ method: 'POST', path: objectPath(ref, subresource), about: subject(ref, subresource), body, signal });
  }

  /** Deletes an object under the given preconditions and options (a DeleteOptions body). */
  async delete(ref: ObjectRef, options: JsonObject, signal: AbortSignal): Promise<void> {
    const body: JsonObject = { apiVersion: 'v1', kind: 'DeleteOptions', ...options };
    await this.#call({ method: 'DELETE', path: objectPath(ref), about: subject(ref), body, signal });
  }

  /** Reads a path that is no resource, such as `/readyz?verbose`, `/version`, or one of an aggregated API. */
  async read(path: string, signal: AbortSignal): Promise<JsonValue> {
    return this.#call({ method: 'GET', path, about: path, signal });
  }

  /**
   * Opens a watch and yields its raw bytes; ends when the server closes it. The caller's signal is the only time-out; it also breaks, as
   * unreachable, when its connection is distrusted.
   */
  async watch(resource: Resource, namespace: string | undefined, query: Query, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const open: OpenWatch = { heardAt: performance.now(), cut: new AbortController() };
    const call: Call = {
      method: 'GET',
      path: collectionPath(resource, namespace),
      about: resource.plural,
      query: { ...query, watch: true },
      signal: AbortSignal.any([signal, open.cut.signal]),
    };
    this.#shared.watches.add(open);
    try {
      const response = await this.#send(call, 'watches');
      this.#observe('WATCH', String(response.statusCode));
      if (response.statusCode !== 200) throw this.#refusal(response, await response.body.text());
      return this.#listen(response.body, open);
    } catch (error) {
      this.#shared.watches.delete(open);
      if (!(error instanceof ApiError)) this.#observe('WATCH', UNANSWERED);
      throw this.#explain(call, error);
    }
  }

  /**
   * A watch has heard nothing since `since` (`performance.now()`), though it should have: connections may be dead without knowing it. Requests
   * from now on get new ones, and other watches that have heard nothing since then are opened anew.
   */
  silent(since: number): void {
    // Of many watches that fall silent together, the first one has renewed them.
    this.#shared.connections.distrust(performance.now() - TOGETHER_MILLISECONDS);
    this.#cut(since);
  }

  /** Ends every connection; calls under way fail as unreachable. */
  async close(): Promise<void> {
    await this.#shared.connections.close();
  }

  #cut(since: number): void {
    for (const { heardAt, cut } of this.#shared.watches) {
      if (heardAt <= since) cut.abort(new ApiUnreachable('the API server was silent where it should have answered'));
    }
  }

  async *#listen(bytes: AsyncIterable<Uint8Array>, open: OpenWatch): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of bytes) {
        open.heardAt = performance.now();
        yield chunk;
      }
    } finally {
      this.#shared.watches.delete(open);
    }
  }

  async #call(call: Call): Promise<JsonValue> {
    const timeout = AbortSignal.timeout(this.#timeout * 1000);
    const fence = call.method === 'GET' ? undefined : this.#fence;
    fence?.check();
    const bounded = { ...call, signal: AbortSignal.any([call.signal, timeout, ...(fence ? [fence.signal] : [])]) };
    try {
      return await this.#shared.throttle.run(`${call.method} ${call.about}`, () => this.#ask(bounded, timeout), bounded.signal);
    } catch (error) {
      if (fence?.signal.aborted && !(error instanceof ApiError)) throw fence.signal.reason;
      if (!timeout.aborted || error instanceof ApiError) throw this.#explain(call, error);
      throw this.#explain(call, new Error(`no answer within ${this.#timeout} s`));
    }
  }

  /**
   * An API server that has just started refuses what it allows, as it has not read the roles yet. So a right is missing only when a server that
   * says it is ready refuses once more; until then it is a server that is not ready.
   */
  async #ask(call: Call, timeout: AbortSignal): Promise<JsonValue> {
    try {
      return await this.#exchange(call, timeout);
    } catch (refusal) {
      if (!isMissingRight(refusal)) throw refusal;
      const { signal } = call;
      await this.#exchange({ method: 'GET', path: '/readyz', about: '/readyz', signal }, timeout).catch(() => {
        throw new ApiError({ status: 503, reason: 'ServiceUnavailable', message: `the API server is not ready: ${refusal.message}` });
      });
      return this.#exchange(call, timeout);
    }
  }

  async #exchange(call: Call, timeout: AbortSignal): Promise<JsonValue> {
    const startedAt = performance.now();
    let code = UNANSWERED;
    try {
      const response = await this.#send(call, 'requests');
      const text = await response.body.text();
      code = String(response.statusCode);
      if (response.statusCode < 200 || response.statusCode > 299) throw this.#refusal(response, text);
      return text.startsWith('{') ? (JSON.parse(text) as JsonValue) : text;
    } finally {
      if (code === UNANSWERED && timeout.aborted) {
        this.#shared.connections.distrust(startedAt);
        this.#cut(startedAt);
      }
      this.#observe(call.method, code);
    }
  }

  #explain(call: Call, error: unknown): unknown {
    if (call.signal.aborted) return call.signal.reason;
    if (error instanceof ApiError) return error;
    return new ApiUnreachable(`${call.method} ${call.path}: ${describe(error)}`, { cause: error });
  }

  /** Ends with the signal, which undici alone notices only once the request has a connection. */
  async #send(call: Call, use: Use): Promise<Dispatcher.ResponseData> {
    return orAborted(this.#request(call, use), call.signal);
  }

  async #request(call: Call, use: Use): Promise<Dispatcher.ResponseData> {
    const { dispatcher, headers } = await this.#shared.connections.for(use);
    const guarded = this.#fence && call.method !== 'GET' ? dispatcher.compose(throughFence(this.#fence)) : dispatcher;
    return guarded.request({
      origin: this.#credentials.server,
      path: call.path + queryString(call.query),
      method: call.method,
      headers: {
        ...headers,
        accept: 'application/json',
        'user-agent': 'cloudoptim-operator',
        ...(call.body === undefined ? {} : { 'content-type': call.contentType ?? 'application/json' }),
      },
      body: call.body === undefined ? null : JSON.stringify(call.body),
      signal: call.signal,
    });
  }

  #refusal(response: Dispatcher.ResponseData, text: string): ApiError {
    if (response.statusCode === 401) this.#credentials.expire();
    return parseRefusal(response.statusCode, response.headers, text);
  }
}
