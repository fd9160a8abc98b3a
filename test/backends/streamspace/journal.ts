import { Waiting } from '../waiting.ts';

/** The routes an agent calls (streamspace.md 1.1). */
export type Route = 'register' | 'connect' | 'heartbeat' | 'other';

/** One HTTP request or handshake, with how it was answered; `open` is a WebSocket. Times are of `performance.now()`. */
export interface HeardRequest {
  readonly at: number;
  readonly method: string;
  /** Path and query as they came. */
  readonly target: string;
  readonly route: Route;
  /** As it came; may be no object. */
  body?: unknown;
  agentID?: string;
  answer: number | 'open' | 'dropped' | 'silent';
}

/** One WebSocket that was open once. */
export interface HeardSocket {
  readonly agentID: string;
  readonly openedAt: number;
  closedAt?: number;
  closeCode?: number;
  /** Sizes of the frames that left, with how many documents each carried. */
  readonly sent: { readonly documents: number; readonly bytes: number }[];
  /** Protocol pings and pongs of the agent. */
  pings: number;
  pongs: number;
}

/** One message of an agent, valid or not so in its payload. */
export interface HeardMessage {
  readonly at: number;
  readonly agentID: string;
  readonly socket: HeardSocket;
  readonly type: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** Records what the control plane heard, and wakes whoever waits for it. */
export class Journal extends Waiting {
  readonly requests: HeardRequest[] = [];
  readonly sockets: HeardSocket[] = [];
  readonly messages: HeardMessage[] = [];
  /** What an unmodified control plane would choke on or void without a word, one sentence each; a test asserts that it is empty. */
  readonly violations: string[] = [];
  /** What the control plane would write into its own log. */
  readonly log: string[] = [];

  /** Notes a breach of the protocol. */
  violate(sentence: string): void {
    this.violations.push(sentence);
    this.changed();
  }

  /** The messages of this type so far, of this session or command where one is named. */
  of(type: string, about: { readonly sessionId?: string; readonly commandId?: string } = {}): HeardMessage[] {
    const wanted = Object.entries(about);
    return this.messages.filter((message) => message.type === type && wanted.every(([name, value]) => message.payload[name] === value));
  }

  override summary(): string {
    const counts = new Map<string, number>();
    for (const { type } of this.messages) counts.set(type, (counts.get(type) ?? 0) + 1);
    const heard = [...counts].map(([type, count]) => `${count} ${type}`);
    const answers = this.requests.map(({ route, answer }) => `${route} ${answer}`);
    return [`${this.sockets.length} sockets`, ...heard, ...answers.slice(-10), ...this.violations].join(', ');
  }
}
