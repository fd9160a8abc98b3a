import { type Connection, QUEUE } from './connection.ts';
import type { Hub } from './hub.ts';
import type { Journal } from './journal.ts';

/** A VNC message of an agent (streamspace.md 6). */
export interface VNCMessage {
  readonly type: string;
  readonly sessionId: string;
  /** What is not text arrives as the empty text. */
  readonly data: string;
}

/** The browser of a user, attached to the tunnel of one session. */
export class Browser {
  /** What it received: text, as the agent sent it, which is base64. */
  readonly received: string[] = [];
  /** Why it was closed, once it was. */
  closed?: string;
  readonly sessionID: string;
  readonly #send: (data: string) => void;
  readonly #left: () => void;
  #gone = false;

  constructor(sessionID: string, send: (data: string) => void, left: () => void) {
    this.sessionID = sessionID;
    this.#send = send;
    this.#left = left;
  }

  /** Sends a message to the agent: text as it is; bytes are taken for UTF-8 and so mangled, as the real one does. */
  send(data: string | Buffer): void {
    this.#send(typeof data === 'string' ? data : data.toString('utf8'));
  }

  /** Goes away: the agent is told `vnc_close`. */
  detach(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.closed ??= 'detached';
    this.#left();
  }
}

/** The VNC side: one queue of 256 per connection, read by whichever browser is attached, so that parallel sessions lose data. */
export class VNC {
  readonly #journal: Journal;
  readonly #hub: () => Hub;
  readonly #readers = new Map<Connection, Browser[]>();
  #turn = 0;

  constructor(journal: Journal, hub: () => Hub) {
    this.#journal = journal;
    this.#hub = hub;
  }

  /** Attaches a browser through the connection that the agent has now; over a reconnect it hangs, as the real one. */
  attach(sessionID: string, agentID: string): Browser {
    const connection = this.#hub().get(agentID);
    if (connection === undefined) throw new Error(`503: agent ${agentID} is not connected`);
    const message = (type: string, payload: object) =>
      this.#hub().get(agentID)?.send({ type, timestamp: new Date().toISOString(), payload });
    const browser = new Browser(
      sessionID,
      (data) => message('vnc_data', { sessionId: sessionID, data }),
      () => {
        this.#forget(connection, browser);
        message('vnc_close', { sessionId: sessionID, reason: 'client_disconnect' });
      },
    );
    this.#readers.set(connection, [...(this.#readers.get(connection) ?? []), browser]);
    this.#read(connection);
    return browser;
  }

  /** Takes a VNC message of an agent; where nobody reads, the 257th is lost. */
  take(connection: Connection, message: VNCMessage) {
    if (connection.vnc.length < QUEUE) connection.vnc.push(message);
    this.#read(connection);
  }

  #read(connection: Connection) {
    for (;;) {
      const readers = this.#readers.get(connection) ?? [];
      if (readers.length === 0) return this.#journal.changed();
      const message = connection.vnc.shift();
      if (message === undefined) return this.#journal.changed();
      const browser = readers[this.#turn++ % readers.length];
      // Not its session: it is lost.
      if (browser === undefined || message.sessionId !== browser.sessionID) continue;
      if (message.type === 'vnc_data') browser.received.push(message.data);
      if (message.type === 'vnc_error' || message.type === 'vnc_close') {
        browser.closed = message.data;
        // Whatever ends a browser, the agent is told so.
        browser.detach();
      }
    }
  }

  #forget(connection: Connection, browser: Browser): void {
    this.#readers.set(
      connection,
      (this.#readers.get(connection) ?? []).filter((each) => each !== browser),
    );
  }
}
