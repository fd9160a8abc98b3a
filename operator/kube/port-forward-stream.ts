import { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';

/** How much is kept in each direction before the other side has to wait. */
const BUFFER_BYTES = 64 * 1024;
/** What one message carries at most; as much as the kubelet reads at a time. */
const MESSAGE_BYTES = 32 * 1024;
/** Shorter than the idle time-out of the usual load balancers before an API server. */
const PING_MILLISECONDS = 30_000;
const MOST_ERROR_TEXT = 1024;
/** Each channel begins with the number of its port. */
const PORT_BYTES = 2;
const DATA = 0;
const ERROR = 1;

/** Who hears of what goes through: called for every piece. */
export interface PortTraffic {
  toPod(): void;
  fromPod(): void;
}

/**
 * One port of a pod as a stream, over a WebSocket of the protocol `v4.channel.k8s.io`: of each message the first byte names the channel, 0 for data and 1
 * for what the kubelet has to say when it fails. It knows no half-closed connections: the end of one direction is that of both.
 */
export class PortForwardStream extends Duplex {
  readonly #socket: WebSocket;
  readonly #about: string;
  readonly #traffic: PortTraffic | undefined;
  readonly #pinging: NodeJS.Timeout;
  readonly #prefix: [number, number] = [PORT_BYTES, PORT_BYTES];

  /** The socket may still be connecting; `about` begins every error. */
  constructor(socket: WebSocket, about: string, traffic?: PortTraffic) {
    super({ allowHalfOpen: false, readableHighWaterMark: BUFFER_BYTES, writableHighWaterMark: BUFFER_BYTES });
    this.#socket = socket;
    this.#about = about;
    this.#traffic = traffic;
    this.#pinging = setInterval(() => socket.readyState === socket.OPEN && socket.ping(), PING_MILLISECONDS);
    this.#pinging.unref();
    socket.on('message', (data) => this.#take(data));
    socket.on('error', (error) => this.#fail(error.message));
    socket.on('close', (code: number) => {
      if (code === 1000 || this.writableEnded) this.push(null);
      else this.#fail(`the connection to the API server broke (${code})`);
    });
    // Whoever has let go of it hears of its end no more, which must not end the process.
    this.on('error', () => undefined);
  }

  override _read(): void {
    if (this.#socket.isPaused) this.#socket.resume();
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#traffic?.toPod();
    const rest = chunk.subarray(MESSAGE_BYTES);
    const message = Buffer.concat([Buffer.of(DATA), chunk.subarray(0, MESSAGE_BYTES)]);
    // Answers once the system has taken it, so no more than one message waits inside the socket.
    this.#socket.send(message, (error) => (error || rest.length === 0 ? done(error) : this._write(rest, _, done)));
  }

  override _final(done: () => void): void {
    this.#socket.close(1000);
    // A server that does not answer is not waited for.
    setTimeout(() => this.#socket.terminate(), 1000).unref();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearInterval(this.#pinging);
    this.#socket.terminate();
    done(error);
  }

  #take(data: RawData): void {
    const message = data as Buffer;
    const channel = message[0];
    if (channel !== DATA && channel !== ERROR) return;
    const prefix = Math.min(this.#prefix[channel], message.length - 1);
    this.#prefix[channel] -= prefix;
    const payload = message.subarray(1 + prefix);
    if (payload.length === 0 || this.destroyed) return;
    if (channel === ERROR) {
      this.#fail(payload.toString('utf8', 0, MOST_ERROR_TEXT).trim());
    } else {
      this.#traffic?.fromPod();
      if (!this.push(payload)) this.#socket.pause();
    }
  }

  #fail(why: string): void {
    this.destroy(new Error(`${this.#about}: ${why}`));
  }
}
