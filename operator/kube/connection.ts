import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import type { Access, Credentials } from './credentials.ts';

/**
 * Connections for requests; one more costs a TLS handshake on both sides, which a burst of evictions would pay for at once.
 * Requests beyond it wait their turn in the pool.
 */
const REQUEST_CONNECTIONS = 24;
/** Shorter than the 90 s after which the API server closes an idle connection: a request must not meet the close half-way. */
const IDLE_MILLISECONDS = 60_000;
/** Same as client-go: shorter than the idle time-out of the usual load balancers. */
const TCP_KEEP_ALIVE_MILLISECONDS = 30_000;
/** Requests under way on distrusted connections have ended by then; it exceeds the time-out of a request. */
const RETIREMENT_MILLISECONDS = 60_000;

/** Who shares connections. */
export type Use = 'requests' | 'watches';

interface Pool {
  readonly dispatcher: Dispatcher;
  readonly openedAt: number;
}

/** The shared connections to one API server: a pool for requests, and one that watches may fill without starving them (FIELD.md P10). */
export class Connections {
  readonly #credentials: Credentials;
  readonly #pools = new Map<Use, Pool>();
  readonly #retired = new Set<Dispatcher>();
  #access: Access | undefined;

  constructor(credentials: Credentials) {
    this.#credentials = credentials;
  }

  /** The dispatcher and headers for one call; connections are made anew when the TLS material was rotated. */
  async for(use: Use): Promise<{ dispatcher: Dispatcher; headers: Readonly<Record<string, string>> }> {
    const access = await this.#credentials.current();
    if (this.#access?.tlsKey !== access.tlsKey) {
      // Calls under way end on the old connections.
      for (const { dispatcher } of this.#pools.values()) this.#retire(dispatcher);
      this.#pools.clear();
      this.#access = access;
    }
    const pool = this.#pools.get(use) ?? { dispatcher: this.#dial(access, use), openedAt: performance.now() };
    this.#pools.set(use, pool);
    return { dispatcher: pool.dispatcher, headers: access.headers };
  }

  /**
   * Connections opened until `since` (`performance.now()`) may be dead without knowing it, the idle ones as well: the API server was silent where
   * it should have answered. Calls from now on get new ones; those under way may still end, a watch for as long as it lasts.
   */
  distrust(since: number): void {
    for (const [use, pool] of this.#pools) {
      if (pool.openedAt > since) continue;
      this.#pools.delete(use);
      this.#retire(pool.dispatcher);
      if (use === 'watches') continue;
      setTimeout(() => void pool.dispatcher.destroy().catch(() => undefined), RETIREMENT_MILLISECONDS).unref();
    }
  }

  /** Ends every connection at once, watches included. */
  async close(): Promise<void> {
    const all = [...this.#retired, ...[...this.#pools.values()].map((pool) => pool.dispatcher)];
    this.#pools.clear();
    this.#access = undefined;
    await Promise.all(all.map((dispatcher) => dispatcher.destroy()));
  }

  /** Lets the calls under way end; new ones go elsewhere. */
  #retire(dispatcher: Dispatcher): void {
    this.#retired.add(dispatcher);
    void dispatcher
      .close()
      .catch(() => undefined)
      .finally(() => this.#retired.delete(dispatcher));
  }

  #dial(access: Access, use: Use): Dispatcher {
    const tls = { ...access.tls, keepAlive: true, keepAliveInitialDelay: TCP_KEEP_ALIVE_MILLISECONDS };
    const limits = {
      connections: use === 'requests' ? REQUEST_CONNECTIONS : null,
      keepAliveTimeout: IDLE_MILLISECONDS,
      keepAliveMaxTimeout: IDLE_MILLISECONDS,
      connectTimeout: 10_000,
      // One slow answer must not hold up the others, and a bundle without HTTP/2 is 9 MB smaller at rest.
      allowH2: false,
      // Silence is judged by the caller: a request has an overall time-out, a watch its own watchdog (FIELD.md P14).
      bodyTimeout: 0,
      headersTimeout: 0,
    };
    const { proxyUrl } = this.#credentials;
    return proxyUrl
      ? new ProxyAgent({ uri: proxyUrl, requestTls: tls as object, ...limits })
      : new Agent({ ...limits, connect: tls as object });
  }
}
