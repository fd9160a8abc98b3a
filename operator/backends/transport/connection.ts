import { WebSocket } from 'ws';
import type { Seconds } from '../../lib/next.ts';
import { parseRetryAfter } from '../../lib/retry-after.ts';
import type { TLSSettings } from '../settings.ts';
import type { Credential } from './credential.ts';
import { explain } from './explain.ts';
import { tlsOptions } from './tls.ts';

/** How one connection reaches its upstream and notices that it is dead. */
export interface ConnectionSettings {
  /** Without the key, which travels in the header only. */
  readonly url: string;
  readonly credential: Credential;
  readonly tls?: TLSSettings;
  /** Time between protocol pings. Default 20 s (optimizer.md 3.2). */
  readonly ping?: Seconds;
  /** A ping without pong or message for so long ends the connection. Default 10 s; not used with `silence`. */
  readonly pongTimeout?: Seconds;
  /** So long without a protocol ping or pong, whatever messages come, ends the connection. Default: pongTimeout decides. */
  readonly silence?: Seconds;
  /** Default 10 s. */
  readonly handshakeTimeout?: Seconds;
  /** The longest message, in bytes. Default 1 MiB. */
  readonly maxPayload?: number;
}

/** Who listens to a connection. */
export interface ConnectionListener {
  /** One message as text; while a returned promise is pending nothing more is read. */
  text(message: string): Promise<void> | undefined;
  opened?(): void;
  /** Called for every protocol ping and pong. */
  alive?(): void;
}

/** How a connection ended, or why there was none. */
export interface End {
  readonly why: string;
  /** From the handshake to the end; undefined where it was never open. */
  readonly lived?: Seconds;
  /** The HTTP status of a refused handshake. */
  readonly status?: number;
  /** What the upstream asked to wait. */
  readonly retryAfter?: Seconds;
}

/** One WebSocket connection and its liveness; `ws` rather than undici's, which hides the handshake's status and cannot terminate. */
export class Connection {
  /** Resolves when it is fully closed. */
  readonly ended: Promise<End>;
  readonly #socket: WebSocket;
  readonly #settings: ConnectionSettings;
  #end: Omit<End, 'lived'> | undefined;
  #openedAt: number | undefined;
  #pinging: NodeJS.Timeout | undefined;
  #expecting: NodeJS.Timeout | undefined;
  /** Who waits for the pong of the ping with this mark, and who came since: they share the next one, for a flood of pings ends connections. */
  #confirming: PromiseWithResolvers<void> | undefined;
  #confirmNext: PromiseWithResolvers<void> | undefined;
  #mark = 0;
  #inbox: Promise<void> = Promise.resolve();
  #unread = 0;

  /** Begins to connect; throws for certificates that cannot be parsed. */
  constructor(settings: ConnectionSettings, headers: Readonly<Record<string, string>>, listener: ConnectionListener) {
    this.#settings = settings;
    const { handshakeTimeout = 10, maxPayload = 1024 * 1024 } = settings;
    const socket = new WebSocket(settings.url, {
      headers,
      handshakeTimeout: handshakeTimeout * 1000,
      maxPayload,
      perMessageDeflate: false,
      followRedirects: false,
      ...tlsOptions(settings.tls),
    });
    this.#socket = socket;
    const alive = () => {
      this.#alive();
      listener.alive?.();
    };
    socket.on('pong', (mark) => this.#confirm(String(mark)));
    socket.on('open', () => {
      this.#live();
      listener.opened?.();
    });
    socket.on('pong', alive);
    if (settings.silence !== undefined) socket.on('ping', alive);
    socket.on('message', (data) => this.#receive(String(data), listener));
    socket.on('error', (error) => {
      this.#end ??= { why: settings.credential.redact(explain(error)) };
    });
    socket.on('unexpected-response', (_request, response) => {
      const { statusCode: status = 0, headers: answered } = response;
      const retryAfter = parseRetryAfter(answered['retry-after'], answered.date, new Date());
      this.#end = { why: `the handshake was answered ${status}`, status, ...(retryAfter ? { retryAfter } : {}) };
      socket.terminate();
    });
    this.ended = new Promise((resolve) => {
      socket.once('close', (code: number) => resolve(this.#close(code)));
    });
  }

  /** Whether messages can be sent. */
  get open(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  /** Sends a text; resolves when it was handed to the network, rejects when the connection ended before. */
  send(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.open) reject(new Error('the connection is closed'));
      else this.#socket.send(text, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** Resolves when the upstream has read all that was sent before, for it answers a ping in its turn; rejects when the connection ended before. */
  confirm(): Promise<void> {
    if (!this.open) return Promise.reject(new Error('the connection is closed'));
    this.#confirmNext ??= Promise.withResolvers<void>();
    const { promise } = this.#confirmNext;
    if (this.#confirming === undefined) this.#ask();
    return promise;
  }

  /** Closes with 1001 what was sent before; the upstream may be dead, so that it is waited for only so long. */
  leave(why: string, within: Seconds = 1): void {
    this.#end = { why };
    this.#socket.close(1001, why);
    setTimeout(() => this.#socket.terminate(), within * 1000).unref();
  }

  #close(code: number): End {
    clearInterval(this.#pinging);
    clearTimeout(this.#expecting);
    const lived = this.#openedAt === undefined ? {} : { lived: (performance.now() - this.#openedAt) / 1000 };
    const end = { ...lived, ...(this.#end ?? { why: `closed with code ${code}` }) };
    for (const waiting of [this.#confirming, this.#confirmNext]) waiting?.reject(new Error(end.why));
    return end;
  }

  #ask(): void {
    this.#confirming = this.#confirmNext;
    this.#confirmNext = undefined;
    this.#mark += 1;
    if (this.#confirming !== undefined && this.open) this.#socket.ping(String(this.#mark));
  }

  #confirm(mark: string): void {
    if (this.#confirming === undefined || mark !== String(this.#mark)) return;
    this.#confirming.resolve();
    this.#ask();
  }

  #live(): void {
    const { ping = 20, pongTimeout = 10, silence } = this.#settings;
    this.#openedAt = performance.now();
    if (silence !== undefined) this.#expect(silence, `no ping or pong within ${silence} s`);
    this.#pinging = setInterval(() => {
      // With the mark: an upstream may answer the last one of several pings only.
      if (silence !== undefined) return this.#socket.ping(String(this.#mark));
      // What is not read because the reader is slow is no sign of death.
      if (this.#unread > 0 || this.#expecting !== undefined) return;
      this.#socket.ping();
      this.#expect(pongTimeout, `no pong within ${pongTimeout} s`);
    }, ping * 1000);
  }

  #expect(within: Seconds, why: string): void {
    this.#expecting = setTimeout(() => {
      this.#end = { why };
      this.#socket.terminate();
    }, within * 1000);
  }

  #alive(): void {
    if (this.#settings.silence !== undefined) return void this.#expecting?.refresh();
    clearTimeout(this.#expecting);
    this.#expecting = undefined;
  }

  /** Hands messages over one after the other; the socket is not read while one is being taken. */
  #receive(message: string, listener: ConnectionListener): void {
    if (this.#settings.silence === undefined) this.#alive();
    if (this.#unread === 0) {
      const taking = listener.text(message);
      if (taking === undefined) return;
      this.#inbox = taking;
    } else {
      this.#inbox = this.#inbox.then(() => listener.text(message));
    }
    this.#unread += 1;
    this.#socket.pause();
    this.#inbox = this.#inbox.finally(() => {
      this.#unread -= 1;
      if (this.#unread === 0) this.#socket.resume();
    });
  }
}
