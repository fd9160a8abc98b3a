import { STATUS_CODES } from 'node:http';
import type { Dispatcher } from 'undici';
import type { JsonObject, JsonValue } from '../lib/json.ts';
import type { Seconds } from '../lib/next.ts';
import { parseRetryAfter } from '../lib/retry-after.ts';
import { orAborted } from '../lib/wait.ts';
import { Connections, type Use } from './connection.ts';
import type { Credentials } from './credentials.ts';
import { ApiError, ApiUnreachable, type StatusCause } from './error.ts';
import { type Fence, throughFence } from './fence.ts';
import type { KubeObject, ObjectRef, Resource } from './object.ts';
import { collectionPath, objectPath } from './resources.ts';

/** A request without an answer after this long counts as unreachable. */
const REQUEST_TIMEOUT_SECONDS = 30;

/** The patch formats in use; `apply` is server-side apply. */
export type PatchFormat = 'merge' | 'json' | 'apply';

const PATCH_MEDIA_TYPES: Readonly<Record<PatchFormat, string>> = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
};

/** Query parameters; absent ones are left out. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** One page of a list as the API server sends it. */
export interface ListPage {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string; readonly remainingItemCount?: number };
  readonly items: readonly JsonObject[];
}

/** One call. */
interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Query;
  readonly body?: JsonValue;
  readonly contentType?: string;
  readonly signal: AbortSignal;
}

/**
 * Raw JSON calls to one API server over shared connections. Every method throws ApiError for an answer that is not 2xx, ApiUnreachable where
 * no complete answer came in time, and the signal's reason when it was aborted.
 */
export class KubeClient {
  readonly #credentials: Credentials;
  readonly #connections: Connections;
  readonly #timeout: Seconds;
  readonly #fence: Fence | undefined;

  constructor(
    credentials: Credentials,
    timeout: Seconds = REQUEST_TIMEOUT_SECONDS,
    connections: Connections = new Connections(credentials),
    fence?: Fence,
  ) {
    this.#credentials = credentials;
    this.#timeout = timeout;
    this.#connections = connections;
    this.#fence = fence;
  }

  /**
   * A client over the same connections whose writes are made only while the fence holds, as it is when the first byte is about to go out; one that is on
   * its way is cut off when the fence falls. Such a write throws NotLeading. Reads are free.
   */
  fencedBy(fence: Fence): KubeClient {
    return new KubeClient(this.#credentials, this.#timeout, this.#connections, fence);
  }

  /** Reads one object. */
  async get<Spec = JsonObject, Status = JsonObject>(ref: ObjectRef, signal: AbortSignal): Promise<KubeObject<Spec, Status>> {
    return (await this.#call({ method: 'GET', path: objectPath(ref), signal })) as unknown as KubeObject<Spec, Status>;
  }

  /** Reads one page of a collection. */
  async list(resource: Resource, namespace: string | undefined, query: Query, signal: AbortSignal): Promise<ListPage> {
    return (await this.#call({ method: 'GET', path: collectionPath(resource, namespace), query, signal })) as unknown as ListPage;
  }

  /** Creates an object; 409 AlreadyExists is an ApiError like any other. */
  async create(resource: Resource, namespace: string | undefined, object: JsonObject, signal: AbortSignal): Promise<KubeObject> {
    const answer = await this.#call({ method: 'POST', path: collectionPath(resource, namespace), body: object, signal });
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
    const call: Call = { method: 'PATCH', path, query: more.query ?? {}, body, contentType: PATCH_MEDIA_TYPES[format], signal };
    return (await this.#call(call)) as unknown as KubeObject;
  }

  /** Posts to a subresource, such as `eviction`. */
  async post(ref: ObjectRef, subresource: string, body: JsonObject, signal: AbortSignal): Promise<void> {
    await this.#call({ method: 'POST', path: objectPath(ref, subresource), body, signal });
  }

  /** Deletes an object under the given preconditions and options (a DeleteOptions body). */
  async delete(ref: ObjectRef, options: JsonObject, signal: AbortSignal): Promise<void> {
    await this.#call({ method: 'DELETE', path: objectPath(ref), body: { apiVersion: 'v1', kind: 'DeleteOptions', ...options }, signal });
  }

  /** Reads a path that is no resource, such as `/readyz?verbose`, `/version`, or one of an aggregated API. */
  async read(path: string, signal: AbortSignal): Promise<JsonValue> {
    return this.#call({ method: 'GET', path, signal });
  }

  /** Opens a watch and yields its raw bytes; ends when the server closes it. The caller's signal is the only time-out. */
  async watch(resource: Resource, namespace: string | undefined, query: Query, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const path = collectionPath(resource, namespace);
    const call: Call = { method: 'GET', path, query: { ...query, watch: true }, signal };
    try {
      const response = await this.#send(call, 'watches');
      if (response.statusCode !== 200) throw this.#refusal(response, await response.body.text());
      return response.body;
    } catch (error) {
      throw this.#explain(call, error);
    }
  }

  /** Ends every connection; calls under way fail as unreachable. */
  async close(): Promise<void> {
    await this.#connections.close();
  }

  async #call(call: Call): Promise<JsonValue> {
    const startedAt = performance.now();
    const timeout = AbortSignal.timeout(this.#timeout * 1000);
    const fence = call.method === 'GET' ? undefined : this.#fence;
    fence?.check();
    const bounded = { ...call, signal: AbortSignal.any([call.signal, timeout, ...(fence ? [fence.signal] : [])]) };
    try {
      const response = await this.#send(bounded, 'requests');
      const text = await response.body.text();
      if (response.statusCode < 200 || response.statusCode > 299) throw this.#refusal(response, text);
      return text.startsWith('{') ? (JSON.parse(text) as JsonValue) : text;
    } catch (error) {
      if (fence?.signal.aborted && !(error instanceof ApiError)) throw fence.signal.reason;
      if (!timeout.aborted || error instanceof ApiError) throw this.#explain(call, error);
      this.#connections.distrust(startedAt);
      throw this.#explain(call, new Error(`no answer within ${this.#timeout} s`));
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
    const { dispatcher, headers } = await this.#connections.for(use);
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
    return parseRefusal(response.statusCode, response.headers['retry-after'], text);
  }
}

/** Reads a non-2xx answer into an ApiError: a Status object, or plain text as priority and fairness sends it (FIELD.md E4, P12). */
export function parseRefusal(status: number, retryAfter: string | string[] | undefined, text: string): ApiError {
  const seconds = parseRetryAfter(Array.isArray(retryAfter) ? retryAfter[0] : retryAfter);
  const fallback = STATUS_CODES[status] ?? `HTTP ${status}`;
  let body: JsonObject | undefined;
  try {
    body = JSON.parse(text) as JsonObject;
  } catch {
    body = undefined;
  }
  const isStatus = body?.kind === 'Status';
  const details = isStatus ? (body?.details as JsonObject | undefined) : undefined;
  const asked = details?.retryAfterSeconds;
  const wait = seconds ?? (typeof asked === 'number' && asked > 0 ? asked : undefined);
  return new ApiError({
    status,
    reason: isStatus ? String(body?.reason ?? '') : '',
    message: isStatus ? String(body?.message ?? fallback) : text.trim().slice(0, 500) || fallback,
    causes: (details?.causes as readonly StatusCause[] | undefined) ?? [],
    ...(wait === undefined ? {} : { retryAfter: wait }),
  });
}

function queryString(query: Query | undefined): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) if (value !== undefined && value !== '') parameters.set(name, String(value));
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}

function describe(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const facts = cause as { code?: string; message?: string };
  return facts.message || facts.code || String(error);
}
