import { WebSocket } from 'ws';
import { Backoff, type BackoffSettings } from '../../lib/backoff.ts';
import type { Seconds } from '../../lib/next.ts';
import { parseRetryAfter } from '../../lib/retry-after.ts';
import type { TLSSettings } from '../settings.ts';
import type { Credential } from './credential.ts';
import { explain } from './explain.ts';
import { pause } from './pause.ts';

/** How a socket reaches its upstream and notices that it is dead. */
export interface SocketSettings {
  /** Without the key, which travels in the header only. */
  readonly url: string;
  readonly credential: Credential;
  readonly tls?: TLSSettings;
  /** Time between protocol pings. Default 20 s (optimizer.md 3.2). */
  readonly ping?: Seconds;
  /** A ping without pong or message for so long ends the connection. Default 10 s. */
  readonly pongTimeout?: Seconds;
  /** Default 10 s. */
  readonly handshakeTimeout?: Seconds;
  /** The longest message, in bytes. Default 1 MiB. */
  readonly maxPayload?: number;
  /** A connection that lived so long starts the backoff over. Default 30 s. */
  readonly stableAfter?: Seconds;
  /** The wait after 401 and 403; a new key ends it. Default 60 s. */
  readonly refusedRetry?: Seconds;
  readonly backoff?: BackoffSettings;
}

/** Who listens to a socket. */
export interface SocketListener {
  opened(): void;
  /** Called for every connection that ended and every attempt that failed. */
  closed(why: string): void;
  /** One message as text; while a returned promise is pending nothing more is read. */
  text(message: string): Promise<void> | undefined;
}

interface End {
  readonly why: string;
  readonly lived: Seconds;
  /** Where the wait is not the backoff's: after a replaced key (0), 401, 403, Retry-After. */
  readonly wait?: Seconds;
}

/** A WebSocket that reconnects until it is told to stop; `ws` rather than undici's, which hides the handshake's status and cannot terminate. */
export class ReconnectingSocket {
  readonly #settings: SocketSettings;
  readonly #listener: SocketListener;
  #open: WebSocket | undefined;

  constructor(settings: SocketSettings, listener: SocketListener) {
    this.#settings = settings;
    this.#listener = listener;
  }

  /** Connects, and again after every end, until the signal aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { credential, stableAfter = 30 } = this.#settings;
    const backoff = new Backoff(this.#settings.backoff);
    while (!signal.aborted) {
      const end = await this.#connect(signal);
      if (signal.aborted) return;
      this.#listener.closed(end.why);
      if (end.lived >= stableAfter) backoff.reset();
      await pause(end.wait ?? backoff.next(), signal, credential);
    }
  }

  /** Sends a text if a connection is open. */
  send(text: string): void {
    this.#open?.send(text);
  }

  #connect(signal: AbortSignal): Promise<End> {
    const { authorization } = this.#settings.credential;
    const refusedRetry = this.#settings.refusedRetry ?? 60;
    if (authorization === undefined) return Promise.resolve({ why: 'there is no usable key yet', lived: 0, wait: refusedRetry });
    let connection: Connection;
    try {
      connection = new Connection(this.#settings, authorization, this.#listener);
    } catch (error) {
      // For example certificates that cannot be parsed.
      return Promise.resolve({ why: this.#settings.credential.redact(explain(error)), lived: 0 });
    }
    return new Promise((resolve) => {
      const { socket } = connection;
      const leave = (why: string) => {
        connection.ended = { why, wait: 0 };
        socket.close(1001, why);
        // The upstream may be dead: it is not waited for.
        setTimeout(() => socket.terminate(), 1000).unref();
      };
      const onAbort = () => leave('shutdown');
      const forget = this.#settings.credential.onReplace(() => leave('key replaced'));
      signal.addEventListener('abort', onAbort, { once: true });
      socket.once('open', () => {
        this.#open = socket;
        this.#listener.opened();
      });
      socket.once('close', (code: number) => {
        this.#open = undefined;
        signal.removeEventListener('abort', onAbort);
        forget();
        resolve(connection.end(code));
      });
    });
  }
}

/** One connection and its liveness. */
class Connection {
  readonly socket: WebSocket;
  /** Why it is being ended by us, or was refused. */
  ended: { readonly why: string; readonly wait?: Seconds } | undefined;
  readonly #settings: SocketSettings;
  #openedAt: number | undefined;
  #pinging: NodeJS.Timeout | undefined;
  #expectingPong: NodeJS.Timeout | undefined;
  #inbox: Promise<void> = Promise.resolve();
  #unread = 0;

  constructor(settings: SocketSettings, authorization: string, listener: SocketListener) {
    this.#settings = settings;
    const { handshakeTimeout = 10, maxPayload = 1024 * 1024 } = settings;
    const { caBundle, insecureSkipVerify = false } = settings.tls ?? {};
    this.socket = new WebSocket(settings.url, {
      headers: { authorization },
      handshakeTimeout: handshakeTimeout * 1000,
      maxPayload,
      perMessageDeflate: false,
      followRedirects: false,
      rejectUnauthorized: !insecureSkipVerify,
      ...(caBundle === undefined ? {} : { ca: caBundle }),
    });
    this.socket.on('open', () => this.#live());
    this.socket.on('pong', () => this.#alive());
    this.socket.on('message', (data) => this.#receive(String(data), listener));
    this.socket.on('error', (error) => {
      this.ended ??= { why: settings.credential.redact(explain(error)) };
    });
    this.socket.on('unexpected-response', (_request, response) => {
      const { statusCode: status = 0, headers } = response;
      const refused = status === 401 || status === 403 ? (settings.refusedRetry ?? 60) : undefined;
      const wait = parseRetryAfter(headers['retry-after'], headers.date, new Date()) || refused;
      this.ended = { why: `the handshake was answered ${status}`, ...(wait === undefined ? {} : { wait }) };
      this.socket.terminate();
    });
  }

  /** What became of it, once it is closed. */
  end(code: number): End {
    clearInterval(this.#pinging);
    clearTimeout(this.#expectingPong);
    const lived = this.#openedAt === undefined ? 0 : (performance.now() - this.#openedAt) / 1000;
    return { lived, why: `closed with code ${code}`, ...this.ended };
  }

  #live(): void {
    const { ping = 20, pongTimeout = 10 } = this.#settings;
    this.#openedAt = performance.now();
    this.#pinging = setInterval(() => {
      // What is not read because the reader is slow is no sign of death.
      if (this.#unread > 0 || this.#expectingPong !== undefined) return;
      this.socket.ping();
      this.#expectingPong = setTimeout(() => {
        this.ended = { why: `no pong within ${pongTimeout} s` };
        this.socket.terminate();
      }, pongTimeout * 1000);
    }, ping * 1000);
  }

  #alive(): void {
    clearTimeout(this.#expectingPong);
    this.#expectingPong = undefined;
  }

  /** Hands messages over one after the other; the socket is not read while one is being taken. */
  #receive(message: string, listener: SocketListener): void {
    this.#alive();
    if (this.#unread === 0) {
      const taking = listener.text(message);
      if (taking === undefined) return;
      this.#inbox = taking;
    } else {
      this.#inbox = this.#inbox.then(() => listener.text(message));
    }
    this.#unread += 1;
    this.socket.pause();
    this.#inbox = this.#inbox.finally(() => {
      this.#unread -= 1;
      if (this.#unread === 0) this.socket.resume();
    });
  }
}
