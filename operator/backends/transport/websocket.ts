import { Backoff, type BackoffSettings } from '../../lib/backoff.ts';
import type { Seconds } from '../../lib/next.ts';
import { Connection, type ConnectionListener, type ConnectionSettings, type End } from './connection.ts';
import { explain } from './explain.ts';
import { pause } from './pause.ts';

/** How a socket reaches its upstream, and how it comes back. */
export interface SocketSettings extends ConnectionSettings {
  /** A connection that lived so long starts the backoff over. Default 30 s. */
  readonly stableAfter?: Seconds;
  /** The wait after 401 and 403; a new key ends it. Default 60 s. */
  readonly refusedRetry?: Seconds;
  readonly backoff?: BackoffSettings;
}

/** Who listens to a socket. */
export interface SocketListener extends ConnectionListener {
  opened(): void;
  /** Called for every connection that ended and every attempt that failed. */
  closed(why: string): void;
}

/** A WebSocket that reconnects until it is told to stop, and at once when the key is replaced. */
export class ReconnectingSocket {
  readonly #settings: SocketSettings;
  readonly #listener: SocketListener;
  #connection: Connection | undefined;

  constructor(settings: SocketSettings, listener: SocketListener) {
    this.#settings = settings;
    this.#listener = listener;
  }

  /** Connects, and again after every end, until the signal aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { credential, stableAfter = 30, refusedRetry = 60 } = this.#settings;
    const backoff = new Backoff(this.#settings.backoff);
    while (!signal.aborted) {
      const { version } = credential;
      const keyless = credential.headers === undefined;
      const end = keyless ? { why: 'there is no usable key yet' } : await this.#connect(credential.headers ?? {}, signal);
      if (signal.aborted) return;
      this.#listener.closed(end.why);
      if ((end.lived ?? 0) >= stableAfter) backoff.reset();
      if (credential.version !== version) continue;
      const refused = keyless || end.status === 401 || end.status === 403;
      await pause(end.retryAfter ?? (refused ? refusedRetry : backoff.next()), signal, credential);
    }
  }

  /** Sends a text if a connection is open. */
  send(text: string): void {
    if (this.#connection?.open) this.#connection.send(text).catch(() => undefined);
  }

  async #connect(headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<End> {
    const { credential } = this.#settings;
    let connection: Connection;
    try {
      connection = new Connection(this.#settings, headers, this.#listener);
    } catch (error) {
      // For example certificates that cannot be parsed.
      return { why: credential.redact(explain(error)) };
    }
    this.#connection = connection;
    const onAbort = () => connection.leave('shutdown');
    const forget = credential.onReplace(() => connection.leave('key replaced'));
    signal.addEventListener('abort', onAbort, { once: true });
    const end = await connection.ended;
    signal.removeEventListener('abort', onAbort);
    forget();
    return end;
  }
}
