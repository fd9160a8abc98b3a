import { Backoff, type BackoffSettings } from '../../lib/backoff.ts';
import type { Seconds } from '../../lib/next.ts';
import { orAborted } from '../../lib/wait.ts';
import { BackendError, type ContactEvent } from '../backend.ts';
import { Connection, type ConnectionListener, type ConnectionSettings, type End } from '../transport/connection.ts';
import type { Credential } from '../transport/credential.ts';
import { explain } from '../transport/explain.ts';
import { pause } from '../transport/pause.ts';
import { encode, type OutboundMessage } from './outbound.ts';
import type { Problem, Registrar, RegistrationWaits, Verdict } from './registration.ts';

/** How the link to one control plane is kept. */
export interface LinkSettings {
  readonly connection: ConnectionSettings;
  readonly waits: RegistrationWaits;
  readonly backoff: BackoffSettings;
  /** A connection that lived so long starts the backoff over. */
  readonly healthyAfter: Seconds;
  /** The wait after a connection that ended within a second: somebody else, or our own last one, was unregistered (streamspace.md 3.3). */
  readonly takeover: Seconds;
}

/** Who is told of the link. */
export interface LinkListener extends ConnectionListener {
  observe(event: ContactEvent): void;
  /** A connection ended that was open. */
  ended(): void;
  /** The control plane lets nobody connect yet: it is told to place nothing here. */
  pending(signal: AbortSignal): Promise<void>;
  /** The control plane has issued a key. */
  issued(key: string, signal: AbortSignal): void;
}

/** A connection that ended sooner was taken over. */
const TAKEOVER: Seconds = 1;

/** Until the one who asks again is stopped, too. */
const NEVER: Seconds = 3600;

/** The one connection to a control plane: registers, dials, and comes back after every end, until it is closed. */
export class Link {
  readonly #settings: LinkSettings;
  readonly #credential: Credential;
  readonly #registrar: Registrar;
  readonly #listener: LinkListener;
  readonly #backoff: Backoff;
  readonly #closing = new AbortController();
  #running: Promise<void> | undefined;
  #connection: Connection | undefined;
  #ready = pending();
  #registered = false;
  /** The version of the key that was last shown or, while a connection stood, came. */
  #shown = 0;
  /** How long the last words may take once it is closing. */
  #within: Seconds = 1;
  #why = 'the operator is stopping';
  #streaming: string | undefined;
  /** Why the key cannot be used; undefined while nothing speaks against it. */
  #keyFlaw: string | undefined;

  constructor(settings: LinkSettings, credential: Credential, registrar: Registrar, listener: LinkListener) {
    this.#settings = settings;
    this.#credential = credential;
    this.#registrar = registrar;
    this.#listener = listener;
    this.#backoff = new Backoff(settings.backoff);
    credential.onReplace(() => void this.#verify());
  }

  /** Begins to connect; once is enough. */
  start(): void {
    if (!this.#closing.signal.aborted) this.#running ??= this.#run(this.#closing.signal);
  }

  /** Whether it will never connect again. */
  get closed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Resolves when a connection is open, which may take days; rejects when there will never be one again. */
  ready(signal: AbortSignal): Promise<void> {
    return orAborted(this.#ready.promise, signal);
  }

  /** Sends a message; resolves when it was handed to the network, rejects with BackendError when no connection is open. */
  async send(message: OutboundMessage): Promise<void> {
    await this.#through((connection) => connection.send(encode(message)));
  }

  /** As send, but resolves when the control plane has acted on it: it reads, acts and answers pings one after the other. */
  async deliver(message: OutboundMessage, signal: AbortSignal): Promise<void> {
    await this.#through(async (connection) => {
      await connection.send(encode(message));
      await orAborted(connection.confirm(), signal);
    });
  }

  /** Says that the key cannot be used, and why; undefined takes that back. */
  doubtKey(flaw: string | undefined): void {
    this.#keyFlaw = flaw;
    if (flaw !== undefined && this.#running) this.#listener.observe({ kind: 'unauthenticated', message: flaw });
  }

  /** Closes for good, with what was sent before, within so many seconds; resolves when the connection is fully closed. */
  async close(within: Seconds, why = this.#why): Promise<void> {
    if (!this.closed) {
      this.#within = within;
      this.#why = why;
      this.#closing.abort(new Error(why));
      // Who waits already, and who will.
      this.#ready.reject(this.#absent());
      this.#ready = pending();
      this.#ready.reject(this.#absent());
    }
    await this.#running;
  }

  #absent(): BackendError {
    const message = 'There is no connection to the control plane';
    return this.closed
      ? new BackendError(`${message}: ${this.#why}`, { status: 0, retryAfter: NEVER })
      : new BackendError(message, { status: 0 });
  }

  async #through(act: (connection: Connection) => Promise<void>): Promise<void> {
    const connection = this.#connection;
    if (!connection?.open) throw this.#absent();
    try {
      await act(connection);
    } catch (error) {
      throw new BackendError(`The connection to the control plane ended: ${explain(error)}`, { status: 0, cause: error });
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#shown = this.#credential.version;
      const wait = await this.#try(signal);
      // A key that came during a failed attempt deserves its own at once.
      if (this.#credential.version === this.#shown) await pause(wait, signal, this.#credential);
    }
  }

  /** One attempt, and the connection if it leads to one; returns how long to wait for the next. */
  async #try(signal: AbortSignal): Promise<Seconds> {
    if (this.#credential.headers === undefined) {
      return this.#fail({ kind: 'unauthenticated', message: this.#keyFlaw ?? 'There is no API key' }, this.#settings.waits.refused);
    }
    const dialledFirst = this.#registered;
    if (!this.#registered) {
      const verdict = await this.#register(signal);
      if (signal.aborted) return 0;
      if (verdict.kind !== 'approved') {
        const wait = this.#fail(verdict.event, verdict.wait ?? this.#backoff.next());
        if (verdict.kind === 'pending') await this.#listener.pending(signal);
        return wait;
      }
      this.#registered = true;
    }
    const end = await this.#connect(signal);
    if (signal.aborted) return 0;
    return end.lived === undefined ? this.#refused(end, dialledFirst) : this.#lost(end.lived);
  }

  async #register(signal: AbortSignal): Promise<Verdict> {
    const verdict = await this.#registrar.register(signal);
    if (verdict.kind !== 'refused' && verdict.apiKey !== undefined) this.#listener.issued(verdict.apiKey, this.#closing.signal);
    return verdict;
  }

  /** Shows a new key while a connection is open, which stays: a key that does not work must not be found out at the next outage. */
  async #verify(): Promise<void> {
    if (!this.#connection?.open || this.#credential.headers === undefined) return;
    const { version } = this.#credential;
    const verdict = await this.#register(this.#closing.signal);
    if (this.closed || version !== this.#credential.version) return;
    if (verdict.kind !== 'refused') return this.doubtKey(undefined);
    if (verdict.event.kind === 'unauthenticated') return this.doubtKey(verdict.event.message);
    // Whatever else it says, the next attempt hears it again.
    this.#registered = false;
  }

  async #connect(signal: AbortSignal): Promise<End> {
    const { connection: settings } = this.#settings;
    let connection: Connection;
    try {
      connection = new Connection(settings, this.#credential.headers ?? {}, {
        opened: () => this.#opened(),
        alive: () => this.#contact(),
        text: (message) => this.#listener.text(message),
      });
    } catch (error) {
      // For example certificates that cannot be parsed.
      return { why: this.#credential.redact(explain(error)) };
    }
    this.#connection = connection;
    const leave = () => connection.leave(this.#why, this.#within);
    signal.addEventListener('abort', leave, { once: true });
    const end = await connection.ended;
    signal.removeEventListener('abort', leave);
    this.#connection = undefined;
    if (end.lived !== undefined) {
      this.#shown = this.#credential.version;
      if (!this.closed) this.#ready = pending();
      this.#listener.ended();
    }
    this.#tellStreaming(end.why);
    return end;
  }

  #opened(): void {
    this.#keyFlaw = undefined;
    this.#tellStreaming(undefined);
    this.#contact();
    this.#listener.opened?.();
    this.#ready.resolve();
  }

  /** An open connection says nothing about a key that came later, and the last pongs of one that is being closed say nothing at all. */
  #contact(): void {
    if (this.#keyFlaw === undefined && !this.closed) this.#listener.observe({ kind: 'contact' });
  }

  #tellStreaming(closed: string | undefined): void {
    const news = closed ?? '';
    if (news === this.#streaming) return;
    this.#streaming = news;
    this.#listener.observe(closed === undefined ? { kind: 'streaming', open: true } : { kind: 'streaming', open: false, message: closed });
  }

  /** An open connection ended: dial again before anything else, for a register would have sessions placed here that cannot be sent. */
  #lost(lived: Seconds): Seconds {
    const { healthyAfter, takeover } = this.#settings;
    if (lived >= healthyAfter) this.#backoff.reset();
    return lived < TAKEOVER ? takeover * (1 + Math.random() / 4) : this.#backoff.next();
  }

  #refused(end: End, dialledFirst: boolean): Seconds {
    const { refused } = this.#settings.waits;
    const message = `The control plane cannot be connected to: ${end.why}`;
    switch (end.status) {
      case 401:
      case 403:
        // The registration tells a wrong key from a rejected agent.
        this.#registered = false;
        return this.#fail({ kind: 'unauthenticated', message: `${message}; check the API key in the Secret` }, refused);
      case 404:
        this.#registered = false;
        // Unless it has just been tried, the registration says what is missing.
        return dialledFirst ? 0 : this.#fail({ kind: 'unreachable', message }, this.#backoff.next());
      case 400:
        this.#registered = false;
        return this.#fail({ kind: 'unreachable', message: `${message}; check the agent id` }, refused);
      case 429:
        return this.#fail({ kind: 'unreachable', message }, end.retryAfter ?? refused);
      default:
        return this.#fail({ kind: 'unreachable', message }, end.retryAfter ?? this.#backoff.next());
    }
  }

  #fail(event: Problem, wait: Seconds): Seconds {
    this.#listener.observe(event);
    return wait;
  }
}

/** Nobody need wait for it. */
function pending(): PromiseWithResolvers<void> {
  const resolvers = Promise.withResolvers<void>();
  resolvers.promise.catch(() => undefined);
  return resolvers;
}
