import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import type { Access, Credentials } from './credentials.ts';

/**
 * Connections for requests; one more costs a TLS handshake on both sides, which a burst of evictions would pay for at once.
 * Requests beyond it wait their turn in the pool.
 */
const REQUEST_CONNECTIONS = 24;
const IDLE_MILLISECONDS = 90_000;
/** Same as client-go: shorter than the idle time-out of the usual load balancers. */
const TCP_KEEP_ALIVE_MILLISECONDS = 30_000;

/** The shared connections to one API server: a pool for requests, and one that watches may fill without starving them (FIELD.md P10). */
export class Connections {
  readonly #credentials: Credentials;
  #open: { tlsKey: string; requests: Dispatcher; watches: Dispatcher } | undefined;

  constructor(credentials: Credentials) {
    this.#credentials = credentials;
  }

  /** The dispatcher and headers for one call; connections are made anew when the TLS material was rotated. */
  async for(use: 'requests' | 'watches'): Promise<{ dispatcher: Dispatcher; headers: Readonly<Record<string, string>> }> {
    const access = await this.#credentials.current();
    if (this.#open?.tlsKey !== access.tlsKey) {
      const old = this.#open;
      this.#open = { tlsKey: access.tlsKey, requests: this.#dial(access, REQUEST_CONNECTIONS), watches: this.#dial(access, null) };
      // Calls under way end on the old connections.
      void old?.requests.close();
      void old?.watches.close();
    }
    return { dispatcher: this.#open[use], headers: access.headers };
  }

  /** Ends every connection at once, watches included. */
  async close(): Promise<void> {
    await Promise.all([this.#open?.requests.destroy(), this.#open?.watches.destroy()]);
    this.#open = undefined;
  }

  #dial(access: Access, connections: number | null): Dispatcher {
    const tls = { ...access.tls, keepAlive: true, keepAliveInitialDelay: TCP_KEEP_ALIVE_MILLISECONDS };
    const limits = {
      connections,
      keepAliveTimeout: IDLE_MILLISECONDS,
      keepAliveMaxTimeout: IDLE_MILLISECONDS,
      connectTimeout: 10_000,
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
