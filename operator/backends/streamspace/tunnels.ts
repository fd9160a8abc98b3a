import type { Duplex } from 'node:stream';
import { bulkhead } from 'cockatiel';
import type { SessionFacts } from '../backend.ts';
import type { SessionSettings } from '../settings.ts';
import type { VNCMessage } from './frames.ts';
import { vncData, vncError } from './outbound.ts';
import { TUNNEL_LIMITS, Tunnel, type TunnelLimits } from './tunnel.ts';
import type { Send, VNC } from './vnc.ts';

/** Connections to desktops; below the 256 messages that the control plane keeps, so that every greeting has its place there. */
const MOST_CONNECTIONS = 200;
/** How many are made at a time: after a reconnect all sessions ask for one. */
const WIDTH = 16;
/** Sessions whose browsers were sent away, remembered so that they are told once. */
const MOST_REFUSED = 1000;

/** What a browser sends at once. */
const MOST_CHARACTERS = 1024 * 1024;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** The tunnels to the desktops of a backend's sessions (streamspace.md 6). A browser reaches its own session only, and only while that runs. */
export class Tunnels implements VNC {
  readonly #sessions: Required<Pick<SessionSettings, 'list' | 'tunnel'>>;
  readonly #send: Send;
  readonly #limits: TunnelLimits;
  readonly #tunnels = new Map<string, Tunnel>();
  readonly #refused = new Set<string>();
  readonly #gate = bulkhead(WIDTH, MOST_CONNECTIONS);
  #connections = 0;

  constructor(sessions: Required<Pick<SessionSettings, 'list' | 'tunnel'>>, send: Send, limits: TunnelLimits = TUNNEL_LIMITS) {
    this.#sessions = sessions;
    this.#send = send;
    this.#limits = limits;
  }

  receive(message: VNCMessage): void {
    const { type, sessionID } = message;
    if (type === 'vnc_close') {
      this.#refused.delete(sessionID);
      const tunnel = this.#tunnels.get(sessionID);
      if (tunnel) tunnel.detach();
      else if (this.#isRunning(sessionID)) this.#make(sessionID).open();
      return;
    }
    const known = this.#tunnels.get(sessionID);
    // The list is long and browsers send much.
    const tunnel = known?.isOpen || this.#isRunning(sessionID) ? (known ?? this.#make(sessionID)) : undefined;
    if (!tunnel) this.#refuse(sessionID, 'no such session runs here');
    else if (message.data.length > MOST_CHARACTERS) tunnel.fail(`the browser sent ${message.data.length} characters at once`);
    else if (!BASE64.test(message.data)) tunnel.fail('what the browser sent is not base64');
    else if (message.data !== '') tunnel.take(Buffer.from(message.data, 'base64'));
  }

  running({ sessionID }: SessionFacts): void {
    (this.#tunnels.get(sessionID) ?? this.#make(sessionID)).open();
  }

  ended({ sessionID, state, message }: SessionFacts): void {
    this.#tunnels.get(sessionID)?.close(message || 'the session runs no more');
    if (state !== 'Hibernated') this.#tunnels.delete(sessionID);
  }

  connected(): void {
    const sessions = this.#sessions.list();
    const here = new Set(sessions.map(({ sessionID }) => sessionID));
    for (const sessionID of this.#tunnels.keys()) if (!here.has(sessionID)) this.#tunnels.delete(sessionID);
    for (const session of sessions) if (session.state === 'Running') this.running(session);
  }

  disconnected(): void {
    this.#refused.clear();
    for (const tunnel of this.#tunnels.values()) tunnel.forget();
  }

  #make(sessionID: string): Tunnel {
    const tunnel = new Tunnel(
      {
        open: (signal) => this.#connect(sessionID, signal),
        isRunning: () => this.#isRunning(sessionID),
        send: (data) => this.#send(vncData(sessionID, data)),
        fail: (why) => this.#tell(sessionID, why),
      },
      this.#limits,
    );
    this.#tunnels.set(sessionID, tunnel);
    return tunnel;
  }

  async #connect(sessionID: string, signal: AbortSignal): Promise<Duplex> {
    if (this.#connections >= MOST_CONNECTIONS) throw new Error(`${MOST_CONNECTIONS} desktops are connected already`);
    this.#connections += 1;
    const over = () => {
      this.#connections -= 1;
    };
    try {
      const stream = await this.#gate.execute(() => this.#sessions.tunnel(sessionID, signal));
      if (stream.closed) over();
      else stream.once('close', over);
      return stream;
    } catch (error) {
      over();
      throw error;
    }
  }

  #isRunning(sessionID: string): boolean {
    return this.#sessions.list().some((session) => session.sessionID === sessionID && session.state === 'Running');
  }

  /** Once until its browser is gone: each error takes a place in the queue of the control plane. */
  #refuse(sessionID: string, why: string): void {
    if (this.#refused.has(sessionID)) return;
    if (this.#refused.size >= MOST_REFUSED) this.#refused.clear();
    this.#refused.add(sessionID);
    this.#tell(sessionID, why);
  }

  #tell(sessionID: string, why: string): void {
    // Without a connection there is no browser either.
    this.#send(vncError(sessionID, why)).catch(() => undefined);
  }
}
