import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Agent, type Dispatcher } from 'undici';
import type { ControlPlaneAccess } from '../cluster/access.ts';

interface Versioned {
  readonly metadata: { readonly resourceVersion: string };
}

/** One event of a watch. */
export interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: T;
}

/** Nothing but undici between the caller and the API server: what the floors are measured with. */
export class RawApi implements AsyncDisposable {
  readonly #agent: Agent;
  readonly #origin: string;
  readonly #failed = Promise.withResolvers<never>();

  private constructor(origin: string, agent: Agent) {
    this.#origin = origin;
    this.#agent = agent;
    // The end of the client breaks its watches too, and then nobody asks.
    this.#failed.promise.catch(() => {});
  }

  /** A client with the rights of a cluster administrator that opens at most so many connections. */
  static async connect(cp: ControlPlaneAccess, connections: number): Promise<RawApi> {
    const [ca, cert, key] = await Promise.all(
      [cp.caFile, join(cp.dir, 'admin.crt'), join(cp.dir, 'admin.key')].map((file) => readFile(file)),
    );
    return new RawApi(cp.url, new Agent({ connections, connect: { ca, cert, key } as object, headersTimeout: 0, bodyTimeout: 0 }));
  }

  /** The status and the parsed body of any answer. */
  async call<T>(method: 'GET' | 'POST' | 'PATCH', path: string, body?: unknown): Promise<{ status: number; body: T }> {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const headers = { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': type }) };
    const answer = await this.#agent.request({
      origin: this.#origin,
      path,
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
    });
    return { status: answer.statusCode, body: (await answer.body.json()) as T };
  }

  /**
   * Tells every event after the resource version; resolves once the API server has begun to answer. A busy API server closes watches that lag
   * behind: it goes on at once where it was.
   */
  async watch<T extends Versioned>(path: string, resourceVersion: string, tell: (event: WatchEvent<T>) => void): Promise<void> {
    let last = resourceVersion;
    const body = await this.#open(path, last);
    const read = async () => {
      for (let part = body; ; part = await this.#open(path, last)) {
        for await (const event of eventsOf<T>(part)) {
          if (event.type === 'ERROR') throw new Error(`the watch ${path} failed: ${JSON.stringify(event.object)}`);
          last = event.object.metadata.resourceVersion;
          tell(event);
        }
      }
    };
    read().catch((error: unknown) => this.#failed.reject(error));
  }

  /** Does the work; rejects also when a watch breaks. */
  guarded<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#failed.promise]);
  }

  /** Ends every connection at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
  }

  async #open(path: string, resourceVersion: string): Promise<Dispatcher.ResponseData['body']> {
    const query = `watch=true&resourceVersion=${resourceVersion}`;
    const { statusCode, body } = await this.#agent.request({ origin: this.#origin, path: `${path}?${query}`, method: 'GET' });
    if (statusCode !== 200) throw new Error(`GET ${path}: ${statusCode} ${await body.text()}`);
    return body;
  }
}

async function* eventsOf<T>(body: Dispatcher.ResponseData['body']): AsyncGenerator<WatchEvent<T>> {
  let rest = '';
  for await (const chunk of body.setEncoding('utf8')) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield JSON.parse(line) as WatchEvent<T>;
  }
}
