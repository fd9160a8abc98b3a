import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { HeardSocket, Journal } from './journal.ts';
import { idOf } from './task-store.ts';

/** The frames that the stream may use for a task (optimizer.md 2.1). */
export type FrameForm = 'bare' | 'array' | 'tasks' | 'task' | 'command' | 'action_command' | 'inline';

/** The WebSocket end of the reference backend. */
export class Stream {
  readonly #journal: Journal;
  readonly #server = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 1024 * 1024 });
  readonly #open = new Map<WebSocket, HeardSocket>();

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** Takes over an upgraded connection. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      const heard: HeardSocket = { openedAt: performance.now(), frames: [], pings: 0 };
      this.#open.set(webSocket, heard);
      this.#journal.sockets.push(heard);
      webSocket.on('ping', () => {
        heard.pings += 1;
        this.#journal.changed();
      });
      webSocket.on('message', (data) => {
        heard.frames.push(String(data));
        this.#journal.changed();
      });
      webSocket.on('error', () => webSocket.terminate());
      webSocket.on('close', (code) => {
        heard.closedAt = performance.now();
        heard.closeCode = code;
        this.#open.delete(webSocket);
        this.#journal.changed();
      });
      this.#journal.changed();
    });
  }

  /** How many sockets are open. */
  get size(): number {
    return this.#open.size;
  }

  /** Sends a task to every open socket in one of the accepted forms and notes that it left. */
  push(item: unknown, form: FrameForm): void {
    const taskID = idOf(item);
    if (taskID !== undefined) this.#journal.handed.push({ at: performance.now(), taskID, via: 'stream' });
    this.send(JSON.stringify(frame(item, form)));
    this.#journal.changed();
  }

  /** Sends a frame as it is: text, or binary for a Buffer. */
  send(data: string | Buffer): void {
    for (const webSocket of this.#open.keys()) webSocket.send(data);
  }

  /** Closes every socket with this code (1001); 1006 destroys the connection without a word. */
  closeAll(code = 1001): void {
    for (const webSocket of this.#open.keys()) code === 1006 ? webSocket.terminate() : webSocket.close(code);
  }

  /** Leaves every open socket connected but dead: nothing is read, so no ping is answered. */
  silence(): void {
    for (const webSocket of this.#open.keys()) webSocket.pause();
  }

  /** Ends everything. */
  shut(): void {
    for (const webSocket of this.#open.keys()) webSocket.terminate();
    this.#server.close();
  }
}

function frame(item: unknown, form: FrameForm): unknown {
  switch (form) {
    case 'bare':
      return item;
    case 'array':
      return [item];
    case 'tasks':
      return { tasks: [item] };
    case 'inline':
      return { type: 'task', ...(item as object) };
    default:
      return { type: form, task: item };
  }
}
