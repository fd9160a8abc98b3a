import { addAbortSignal, type Duplex } from 'node:stream';
import { Backoff } from '../../lib/backoff.ts';
import type { Seconds } from '../../lib/next.ts';
import { abortable, orAborted } from '../../lib/wait.ts';
import { explain } from '../transport/explain.ts';

/** What bounds a tunnel; tests change it. */
export interface TunnelLimits {
  /** With a browser, but without data either way. */
  readonly idle: Seconds;
  /** From opening on, whatever passes. */
  readonly total: Seconds;
  /** How long it is tried to open one before the next browser is told. */
  readonly opening: Seconds;
  /** How long a desktop may take to greet; one that says nothing until it is spoken to is connected to when a browser speaks. */
  readonly greeting: Seconds;
  /** Messages to the control plane since the browser last sent one; it keeps 256 for all sessions and drops what is more. */
  readonly unanswered: number;
  /** The pause before each message beyond that. */
  readonly trickle: Seconds;
}

/** As the reference agent where it has a bound (streamspace.md 6). */
export const TUNNEL_LIMITS: TunnelLimits = { idle: 600, total: 12 * 3600, opening: 30, greeting: 10, unanswered: 96, trickle: 0.2 };

/** Of what a desktop says before anybody has answered, so much is handed on; the version of RFB has 12 bytes. */
const MOST_GREETING = 1024;
const READ_BYTES = 32 * 1024;
/** What a browser may have sent that the pod has not taken. */
const MOST_UNSENT = 1024 * 1024;
/** What every browser says first. */
const RFB = 'RFB ';

/** How a connection to the desktop ended. */
interface End {
  readonly why: string;
  /** Whether the desktop has said anything. */
  readonly spoke: boolean;
  /** It said nothing, and nothing is wrong with that: HTTP servers, for example, wait to be asked. */
  readonly silent: boolean;
}

/** What a tunnel needs of its surroundings. */
export interface TunnelEnds {
  /** Connects to the desktop. */
  open(signal: AbortSignal): Promise<Duplex>;
  isRunning(): boolean;
  /** To the browser; resolves when it was handed to the network. */
  send(data: string): Promise<void>;
  /** Ends the browser that is there, or the next one. */
  fail(why: string): void;
}

/**
 * The desktop of one session, as its browsers see it. The control plane does not say when a browser comes, and a VNC server speaks first: so the tunnel is
 * opened ahead, its greeting waits in the queue of the control plane for a browser, and nothing more is sent until one answers.
 */
export class Tunnel {
  readonly #ends: TunnelEnds;
  readonly #limits: TunnelLimits;
  #life: AbortController | undefined;
  #stream: Duplex | undefined;
  #attached = Promise.withResolvers<void>();
  #hasBrowser = false;
  /** An error waits in the queue: whatever follows it would be for the browser after that. */
  #failed = false;
  /** A browser of an earlier connection to the control plane still sends, and gets nothing until it is reloaded. */
  #stale = false;
  /** What is in the queue for the browser, or was read by it: however often the desktop is connected to, a browser is greeted once. */
  #greeting: Buffer = Buffer.alloc(0);
  #pending: Buffer[] = [];
  #unanswered = 0;
  #answered = Promise.withResolvers<void>();
  #idle: NodeJS.Timeout | undefined;

  constructor(ends: TunnelEnds, limits: TunnelLimits) {
    this.#ends = ends;
    this.#limits = limits;
  }

  /** Whether it is connected to the desktop, or about to be. */
  get isOpen(): boolean {
    return this.#life !== undefined;
  }

  /** Makes it ready for a browser. */
  open(): void {
    if (!this.isOpen && !this.#failed) this.#start();
  }

  /** Takes what a browser sent. */
  take(data: Buffer): void {
    // Its browser was told, or the one that comes will be.
    if (this.#failed) return;
    if (this.#stale && data.toString('latin1', 0, RFB.length) !== RFB) return;
    this.#attach();
    if (this.#stream) this.#stream.write(data);
    else this.#pending.push(data);
    if (!this.isOpen) this.#start();
    const unsent = this.#stream?.writableLength ?? this.#pending.reduce((sum, { length }) => sum + length, 0);
    if (unsent > MOST_UNSENT) this.fail('the desktop does not take what the browser sends');
  }

  /** The browser is gone: the next one needs a connection of its own. */
  detach(): void {
    if (this.#stale) {
      this.#stale = false;
      return;
    }
    this.#reset();
    if (this.#ends.isRunning()) this.#start();
  }

  /** Ends the tunnel and its browser; the next one finds a new one. */
  fail(why: string): void {
    if (this.#failed) return;
    this.#reset();
    this.#failed = true;
    this.#ends.fail(why);
  }

  /** The session does not run any more. */
  close(why: string): void {
    if (this.#hasBrowser) this.fail(why);
    else this.#stop();
  }

  /** The connection to the control plane ended, and what was queued there is lost. */
  forget(): void {
    this.#stale ||= this.#hasBrowser;
    this.#reset();
  }

  #reset(): void {
    this.#stop();
    this.#hasBrowser = false;
    this.#failed = false;
    this.#greeting = Buffer.alloc(0);
    this.#pending = [];
    this.#attached = Promise.withResolvers<void>();
  }

  #stop(): void {
    this.#life?.abort();
    this.#life = undefined;
  }

  #attach(): void {
    this.#stale = false;
    this.#hasBrowser = true;
    this.#attached.resolve();
    this.#unanswered = 0;
    this.#answered.resolve();
    this.#answered = Promise.withResolvers<void>();
    this.#idle?.refresh();
  }

  #start(): void {
    const life = new AbortController();
    this.#life = life;
    void this.#keep(life.signal).finally(() => {
      if (this.#life === life) this.#life = undefined;
    });
  }

  /** Connects, and again for as long as no browser has seen anything of it. */
  async #keep(signal: AbortSignal): Promise<void> {
    const backoff = new Backoff({ first: 1, most: 30 });
    let failingSince = performance.now();
    while (!signal.aborted) {
      const { why, spoke, silent } = await this.#connect(signal);
      if (signal.aborted) return;
      if (this.#hasBrowser) return this.fail(why);
      if (silent || !this.#ends.isRunning()) return;
      if (spoke) failingSince = performance.now();
      else if (performance.now() - failingSince >= this.#limits.opening * 1000) return this.fail(why);
      await pause(backoff.next(), signal, this.#attached.promise);
    }
  }

  async #connect(signal: AbortSignal): Promise<End> {
    let stream: Duplex;
    try {
      stream = await this.#ends.open(signal);
    } catch (error) {
      return { why: explain(error), spoke: false, silent: false };
    }
    // The end of what nobody reads any more is no news.
    addAbortSignal(signal, stream).on('error', () => undefined);
    this.#stream = stream;
    for (const data of this.#pending.splice(0)) stream.write(data);
    let length = 0;
    let silent = false;
    const timers = this.#watch(stream, () => {
      silent = length === 0 && !this.#hasBrowser;
      if (silent) stream.destroy();
    });
    try {
      for await (const bytes of stream as AsyncIterable<Buffer>) {
        signal.throwIfAborted();
        this.#idle?.refresh();
        for (let at = 0; at < bytes.length; at += READ_BYTES) {
          const part = bytes.subarray(at, at + READ_BYTES);
          if (this.#hasBrowser && length >= this.#greeting.length) await this.#pass(part, signal);
          else await this.#greet(part, length, signal);
          length += part.length;
        }
      }
      return { why: 'the desktop closed the connection', spoke: length > 0, silent: length === 0 };
    } catch (error) {
      return { why: explain(error), spoke: length > 0, silent };
    } finally {
      for (const timer of timers) clearTimeout(timer);
      if (this.#stream === stream) this.#stream = undefined;
      stream.destroy();
    }
  }

  #watch(stream: Duplex, greetingDue: () => void): readonly NodeJS.Timeout[] {
    const { idle, total, greeting } = this.#limits;
    const after = (seconds: Seconds, act: () => void) => setTimeout(act, seconds * 1000).unref();
    this.#idle = after(idle, () => {
      if (this.#hasBrowser) stream.destroy(new Error(`nothing was sent for ${idle / 60} minutes`));
    });
    const old = () => stream.destroy(new Error(`a connection to a desktop lasts ${total / 3600} hours at most`));
    return [this.#idle, after(total, old), after(greeting, greetingDue)];
  }

  /** Leaves out what the browser has, or will read from the queue; until it has answered it gets no more than a greeting. */
  async #greet(part: Buffer, at: number, signal: AbortSignal): Promise<void> {
    const known = this.#greeting.subarray(at, at + part.length);
    if (!part.subarray(0, known.length).equals(known)) return this.fail('the desktop is another one than the one that was announced');
    const fresh = part.subarray(known.length);
    if (fresh.length === 0) return;
    if (at + part.length > MOST_GREETING) await orAborted(this.#attached.promise, signal);
    if (this.#hasBrowser) return this.#pass(fresh, signal);
    this.#greeting = Buffer.concat([this.#greeting, fresh]);
    await this.#ends.send(fresh.toString('base64'));
  }

  async #pass(part: Buffer, signal: AbortSignal): Promise<void> {
    const { unanswered, trickle } = this.#limits;
    if (this.#unanswered >= unanswered) await pause(trickle, signal, this.#answered.promise);
    signal.throwIfAborted();
    this.#unanswered += 1;
    await this.#ends.send(part.toString('base64'));
  }
}

/** Waits, but no longer than until something comes. */
async function pause(seconds: Seconds, signal: AbortSignal, something: Promise<void>): Promise<void> {
  const over = new AbortController();
  await Promise.race([something, abortable(seconds, AbortSignal.any([signal, over.signal]))]);
  over.abort();
}
