import { Agent, type Dispatcher } from 'undici';
import type { Seconds } from '../../lib/next.ts';
import { parseRetryAfter } from '../../lib/retry-after.ts';
import { BackendError } from '../backend.ts';
import type { TLSSettings } from '../settings.ts';
import { type Answer, readAnswer } from './answer.ts';
import type { Credential } from './credential.ts';
import { explain } from './explain.ts';
import { tlsOptions } from './tls.ts';

/** How a JSON client reaches its upstream. */
export interface HTTPSettings {
  /** `https://host[:port][/prefix]`, as `baseURL` makes it. */
  readonly baseURL: string;
  readonly credential: Credential;
  readonly tls?: TLSSettings;
  /** For one call from the first byte sent to the last one read. Default 30 s (optimizer.md 2.1). */
  readonly timeout?: Seconds;
  /** The longest answer, in bytes. Default 8 MiB. */
  readonly maxBody?: number;
  /** Default the system clock; only a Retry-After date without a Date header needs it. */
  readonly now?: () => Date;
}

/** One call: path and query already encoded, body a value for JSON. */
export interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
  readonly signal: AbortSignal;
  /** Statuses that the caller judges although they are thrown otherwise, such as a 403 whose body tells two cases apart. */
  readonly judges?: readonly number[];
}

/** JSON over HTTP with a key: bounded in time and size, without redirects, the key in no URL, error or log. */
export class JSONClient {
  readonly #settings: HTTPSettings;
  readonly #origin: string;
  readonly #prefix: string;
  readonly #agent: Agent;
  readonly #timeout: Seconds;
  readonly #maxBody: number;

  constructor(settings: HTTPSettings) {
    this.#settings = settings;
    this.#timeout = settings.timeout ?? 30;
    this.#maxBody = settings.maxBody ?? 8 * 1024 * 1024;
    const { origin, pathname } = new URL(settings.baseURL);
    this.#origin = origin;
    this.#prefix = pathname.replace(/\/$/, '');
    this.#agent = new Agent({
      connections: 8,
      // Longer than the usual poll interval, so that a steady state needs no new TLS handshakes.
      keepAliveTimeout: 30_000,
      allowH2: false,
      connect: { timeout: Math.min(10, this.#timeout) * 1000, ...tlsOptions(settings.tls) },
    });
  }

  /**
   * Answers 2xx and the 4xx that the protocol decides about. Throws BackendError for everything that may be different next time: no connection,
   * timeout, a cut or oversized answer, 3xx, 401, 403, 408, 425, 429, 5xx, and, with status 401, while there is no key.
   */
  async request(call: Call): Promise<Answer> {
    const { headers } = this.#settings.credential;
    if (headers === undefined) throw new BackendError('There is no usable key yet', { status: 401 });
    const limit = new AbortController();
    const stop = () => limit.abort(call.signal.reason);
    const timer = setTimeout(() => limit.abort(new Error(`no answer within ${this.#timeout} s`)), this.#timeout * 1000);
    call.signal.addEventListener('abort', stop, { once: true });
    if (call.signal.aborted) stop();
    try {
      const response = await this.#agent.request(this.#options(call, headers, limit.signal));
      const text = await this.#read(response.body);
      return this.#judge(call, response, text);
    } catch (error) {
      if (error instanceof BackendError) throw error;
      const cause = limit.signal.aborted ? limit.signal.reason : error;
      const why = this.#settings.credential.redact(explain(cause));
      throw new BackendError(`${name(call)}: ${why}`, { status: 0, cause });
    } finally {
      clearTimeout(timer);
      call.signal.removeEventListener('abort', stop);
    }
  }

  #options(call: Call, shown: Readonly<Record<string, string>>, signal: AbortSignal): Dispatcher.RequestOptions {
    const { method, body } = call;
    const headers = { ...shown, accept: 'application/json' };
    const options = { origin: this.#origin, path: this.#prefix + call.path, method, signal, headers };
    if (body === undefined) return options;
    return { ...options, headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) };
  }

  async #read(body: Dispatcher.ResponseData['body']): Promise<string> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length;
      // Leaving the loop destroys the body and with it the connection.
      if (size > this.#maxBody) throw new Error(`the answer is larger than the limit of ${this.#maxBody} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
  }

  #judge(call: Call, response: Dispatcher.ResponseData, text: string): Answer {
    const { statusCode: status, headers } = response;
    const answer = readAnswer(status, text, (words) => this.#settings.credential.redact(words));
    const passing = !call.judges?.includes(status) && (status >= 500 || [401, 403, 408, 425, 429].includes(status));
    if (status >= 200 && !passing && (status < 300 || status >= 400)) return answer;
    // No wait at all must not become a hot loop: then the backoff counts.
    const asked = parseRetryAfter(single(headers['retry-after']), single(headers.date), this.#settings.now?.() ?? new Date());
    const hint = passing ? '' : ', a redirect, which is never followed';
    const words = answer.words === '' ? '' : `: ${answer.words}`;
    const message = `${name(call)} was answered ${status}${hint}${words}`;
    throw new BackendError(message, asked ? { status, retryAfter: asked } : { status });
  }
}

/** The call for messages: without query, which holds ids only, and without prefix. */
function name(call: Call): string {
  return `${call.method} ${call.path.replace(/\?.*/, '')}`;
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
