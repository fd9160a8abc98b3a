import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Agent } from 'undici';
import type { ControlPlaneAccess } from '../cluster/access.ts';

/** One event of a watch. */
export interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: T;
}

/** Nothing but undici between the caller and the API server: what the floors are measured with. */
export class RawApi implements AsyncDisposable {
  readonly #agent: Agent;
  readonly #origin: string;

  private constructor(origin: string, agent: Agent) {
    this.#origin = origin;
    this.#agent = agent;
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

  /** Resolves once the API server has begun to answer; `tell` gets every event until the connection ends. */
  async watch<T>(path: string, tell: (event: WatchEvent<T>) => void): Promise<void> {
    const { statusCode, body } = await this.#agent.request({ origin: this.#origin, path, method: 'GET' });
    if (statusCode !== 200) throw new Error(`GET ${path}: ${statusCode} ${await body.text()}`);
    const read = async () => {
      let rest = '';
      for await (const chunk of body.setEncoding('utf8')) {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) tell(JSON.parse(line) as WatchEvent<T>);
      }
    };
    // Only the end of the client ends it.
    read().catch(() => {});
  }

  /** Ends every connection at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
  }
}
