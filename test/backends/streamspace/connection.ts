import type { WebSocket } from 'ws';
import type { HeardSocket, Journal } from './journal.ts';
import type { Timings } from './timings.ts';
import type { VNCMessage } from './vnc.ts';

/** The most messages that wait for a connection, and the most VNC messages that wait for a browser. */
export const QUEUE = 256;

/** The open connection of one agent: its write queue, its pings, and the deadlines of the real one. */
export class Connection {
  readonly agentID: string;
  readonly heard: HeardSocket;
  /** Of `Date.now()`: the last valid heartbeat, first the handshake. */
  lastHeartbeat = Date.now();
  /** VNC messages of the agent that no browser has read; the reader is a browser of any of its sessions. */
  readonly vnc: VNCMessage[] = [];
  /** True: several queued documents leave in one frame, joined by newlines. */
  joins = true;
  readonly #socket: WebSocket;
  readonly #timings: Timings;
  readonly #queue: string[] = [];
  readonly #pinger: NodeJS.Timeout;
  readonly #deadline: NodeJS.Timeout;
  #stalled = false;
  #writing = false;

  constructor(socket: WebSocket, agentID: string, journal: Journal, timings: Timings) {
    this.#socket = socket;
    this.#timings = timings;
    this.agentID = agentID;
    this.heard = { agentID, openedAt: performance.now(), sent: [], pings: 0, pongs: 0 };
    journal.sockets.push(this.heard);
    this.#pinger = setInterval(() => socket.ping(), timings.serverPing);
    this.#deadline = setTimeout(() => this.kill(), timings.readDeadline);
    socket.on('ping', () => {
      this.heard.pings += 1;
      this.#deadline.refresh();
      journal.changed();
    });
    socket.on('pong', () => {
      this.heard.pongs += 1;
      this.#deadline.refresh();
      journal.changed();
    });
    socket.on('error', () => socket.terminate());
    socket.on('close', (code) => {
      clearInterval(this.#pinger);
      clearTimeout(this.#deadline);
      this.heard.closedAt = performance.now();
      this.heard.closeCode = code;
      journal.changed();
    });
  }

  /** Whether it is still there, as far as the server knows. */
  get open(): boolean {
    return this.heard.closedAt === undefined;
  }

  /** Queues a document; false where the queue is full. */
  send(document: unknown): boolean {
    return this.sendRaw(JSON.stringify(document));
  }

  /** Queues a text as it is; false where the queue is full. */
  sendRaw(text: string): boolean {
    if (this.#queue.length >= QUEUE) return false;
    this.#queue.push(text);
    setImmediate(() => this.#write());
    return true;
  }

  /** While true nothing is written, as when the network takes nothing: the queue fills. */
  stall(stalled: boolean): void {
    this.#stalled = stalled;
    this.#write();
  }

  /** Leaves it connected but dead: nothing is read, so no ping is answered and no close is seen. */
  silence(): void {
    this.#socket.pause();
  }

  /** Ends it without a word, as the real one does: 1006 for the agent. */
  kill(): void {
    this.#socket.terminate();
  }

  #write(): void {
    if (this.#stalled || this.#writing || !this.open || this.#queue.length === 0) return;
    const documents = this.#queue.splice(0, this.joins ? QUEUE : 1);
    const text = documents.join('\n');
    this.#writing = true;
    const deadline = setTimeout(() => this.kill(), this.#timings.writeDeadline);
    this.heard.sent.push({ documents: documents.length, bytes: Buffer.byteLength(text) });
    this.#socket.send(text, () => {
      clearTimeout(deadline);
      this.#writing = false;
      this.#write();
    });
  }
}
