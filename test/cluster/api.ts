import { Agent, request as httpsRequest } from 'node:https';

/** After so long without a byte a call is given up. */
const NO_ANSWER_MS = 45_000;

/** An answer of the API server: its HTTP status and the parsed JSON body. */
interface Answer<T> {
  status: number;
  body: T;
}

/** Options of one call: `type` is the content type of the body (JSON unless told, merge patch for PATCH). */
interface CallOptions {
  type?: string;
  signal?: AbortSignal;
}

/** A raw client of the API server: no retries, no client-side throttling, every status is an answer; rejects on network errors only. */
export interface Api {
  /** Any call; the body is sent as JSON when there is one. */
  call<T = unknown>(method: string, path: string, body?: unknown, options?: CallOptions): Promise<Answer<T>>;
  /** The body of a 2xx answer; throws an error with the status and message of the server for all others. */
  get<T>(path: string): Promise<T>;
  /** Creates an object in the collection at the path and returns it; throws like `get`. */
  create<T>(path: string, object: unknown): Promise<T>;
  /** Merge-patches the object at the path and returns it; throws like `get`. */
  patch<T>(path: string, change: unknown): Promise<T>;
  /** Deletes the object or collection at the path; one that does not exist is fine, other failures throw like `get`. */
  remove(path: string, options?: { gracePeriodSeconds?: number; propagationPolicy?: string }): Promise<void>;
  /** Closes idle connections. */
  close(): void;
}

/** How the client proves who it is: PEM texts. */
export interface ApiCredential {
  ca: string;
  cert: string;
  key: string;
}

/** A client of the API server at the given https address. */
export function createApi(url: string, credential: ApiCredential): Api {
  const agent = new Agent({ ...credential, keepAlive: true, maxSockets: 50 });
  const call = <T>(method: string, path: string, body?: unknown, options: CallOptions = {}) =>
    send<T>(new URL(path, url), agent, method, body, options);
  const expect = async <T>(method: string, path: string, body?: unknown, missing?: 'missing is fine'): Promise<T> => {
    const answer = await call<T>(method, path, body);
    if (answer.status < 300 || (missing && answer.status === 404)) return answer.body;
    const { message = '' } = (answer.body ?? {}) as { message?: string };
    throw new Error(`${method} ${path}: ${answer.status} ${message}`);
  };
  return {
    call,
    get: (path) => expect('GET', path),
    create: (path, object) => expect('POST', path, object),
    patch: (path, change) => expect('PATCH', path, change),
    remove: (path, options) => expect('DELETE', path, options, 'missing is fine'),
    close: () => agent.destroy(),
  };
}

function send<T>(url: URL, agent: Agent, method: string, body: unknown, options: CallOptions): Promise<Answer<T>> {
  const type = options.type ?? (method === 'PATCH' ? 'application/merge-patch+json' : 'application/json');
  const text = body === undefined ? '' : JSON.stringify(body);
  // Without a length Node sends the body of a DELETE as if it were the next request.
  const described = { 'content-type': type, 'content-length': Buffer.byteLength(text) };
  const headers = { accept: 'application/json', ...(body === undefined ? {} : described) };
  return new Promise((resolve, reject) => {
    const call = httpsRequest(url, { agent, method, headers, ...(options.signal ? { signal: options.signal } : {}) }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () => {
        try {
          resolve({ status: response.statusCode ?? 0, body: parse(Buffer.concat(chunks).toString()) as T });
        } catch (cause) {
          reject(new Error(`${method} ${url.pathname}: the answer is cut short`, { cause }));
        }
      });
    });
    call.once('error', reject);
    // A server that hangs would otherwise hang the test, and nobody would know in which call.
    call.setTimeout(NO_ANSWER_MS, () => call.destroy(new Error(`${method} ${url.pathname}: no answer within ${NO_ANSWER_MS} ms`)));
    call.end(text);
  });
}

function parse(text: string): unknown {
  // /readyz and its like answer with plain text.
  return text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text;
}
