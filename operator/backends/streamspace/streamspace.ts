import type { BackoffSettings } from '../../lib/backoff.ts';
import type { Seconds } from '../../lib/next.ts';
import {
  type Backend,
  BackendError,
  type ContactEvent,
  type HeartbeatStatus,
  type Report,
  type ReportOutcome,
  type SessionFacts,
  type Task,
} from '../backend.ts';
import { baseURL, socketURL } from '../base-url.ts';
import type { BackendSettings, SessionSettings } from '../settings.ts';
import { Channel } from '../transport/channel.ts';
import type { ConnectionSettings } from '../transport/connection.ts';
import { Credential } from '../transport/credential.ts';
import { JSONClient } from '../transport/http.ts';
import { readCommand } from './commands.ts';
import { type Message, readFrame } from './frames.ts';
import { checkAgentID, keyFlaw, keyForm } from './identity.ts';
import { KeyKeeper } from './key-keeper.ts';
import { Link } from './link.ts';
import { ack, ending, heartbeat, type OutboundMessage, sessionStatus } from './outbound.ts';
import { AGENTS, Registrar, type RegistrationWaits, WAITS } from './registration.ts';
import { TUNNEL_LIMITS, type TunnelLimits } from './tunnel.ts';
import { Tunnels } from './tunnels.ts';
import { type VNC, withoutTunnels } from './vnc.ts';

/** What tests change; the defaults are the protocol's. */
export interface StreamSpaceTuning {
  /** For one HTTP call. Default 30 s. */
  readonly timeout?: Seconds;
  readonly waits?: Partial<RegistrationWaits>;
  /** Default 2 s doubled to 32 s, of each half to all. */
  readonly backoff?: BackoffSettings;
  /** Default: ping 25 s, silence 70 s. */
  readonly connection?: Pick<ConnectionSettings, 'ping' | 'silence' | 'handshakeTimeout'>;
  /** Default 60 s. */
  readonly healthyAfter?: Seconds;
  /** Default 1 s. */
  readonly takeover?: Seconds;
  /** Default: TUNNEL_LIMITS. */
  readonly tunnel?: Partial<TunnelLimits>;
}

/** Commands that are read but not yet taken; the control plane itself queues 256. */
const MOST_WAITING = 10_000;
/** The longest frame that is taken; the longest seen has 25 MB. */
const MOST_INBOUND = 128 * 1024 * 1024;
/** How long the last words may take (streamspace.md 3.4). */
const FLUSH: Seconds = 5;

/** The adapter of protocol StreamSpace (streamspace.md, seed 002): one socket to a control plane that commands sessions and is told their states. */
export function streamSpace(settings: BackendSettings, observe: (event: ContactEvent) => void, tuning: StreamSpaceTuning = {}): Backend {
  checkAgentID(settings.agentID);
  const { sessions } = settings;
  if (sessions === undefined) throw new TypeError('A StreamSpace backend runs sessions: give it settings.sessions');
  return new StreamSpace({ ...settings, sessions }, observe, tuning);
}

class StreamSpace implements Backend {
  readonly heartbeat: Backend['heartbeat'];
  readonly #name: string;
  readonly #sessions: SessionSettings;
  readonly #observe: (event: ContactEvent) => void;
  readonly #credential: Credential;
  readonly #registrar: Registrar;
  readonly #link: Link;
  readonly #vnc: VNC;
  /** Who takes commands now; without one nothing is to be placed here. */
  #reader: Channel<Task> | undefined;
  #stopping = false;

  constructor(
    settings: BackendSettings & { readonly sessions: SessionSettings },
    observe: (event: ContactEvent) => void,
    tuning: StreamSpaceTuning,
  ) {
    const { agentID, sessions, tls, key } = settings;
    const hasCertificate = tls?.clientCertificate !== undefined;
    const credential = new Credential(key, keyForm(hasCertificate));
    const shared = tls === undefined ? { credential } : { credential, tls };
    const { timeout, connection, healthyAfter = 60, takeover = 1 } = tuning;
    this.#name = settings.name;
    this.#sessions = sessions;
    this.#observe = observe;
    this.#credential = credential;
    const waits = { ...WAITS, ...tuning.waits };
    const client = new JSONClient({ baseURL: baseURL(settings.url), ...shared, ...(timeout === undefined ? {} : { timeout }) });
    this.#registrar = new Registrar(settings, client, credential, waits);
    const url = `${socketURL(settings.webSocketURL ?? settings.url, `${AGENTS}/connect`)}?agent_id=${encodeURIComponent(agentID)}`;
    const keeper = new KeyKeeper(sessions, credential, observe);
    this.#link = new Link(
      {
        connection: { url, ...shared, ping: 25, silence: 70, handshakeTimeout: 20, maxPayload: MOST_INBOUND, ...connection },
        waits,
        // Half of each wait is fixed: a socket that is dialled too soon is closed together with the old one.
        backoff: { first: 2, most: 32, random: () => (1 + Math.random()) / 2, ...settings.reconnect, ...tuning.backoff },
        healthyAfter,
        takeover,
      },
      credential,
      this.#registrar,
      {
        observe,
        opened: () => {
          void this.#beatNow().catch(() => undefined);
          this.#vnc.connected();
        },
        ended: () => this.#vnc.disconnected(),
        text: (frame) => this.#receive(frame),
        // Tried again with the next registration; that it is not approved is told anyway.
        pending: (signal) => this.#registrar.drain(this.#active(), signal).catch(() => undefined),
        issued: (issued, signal) => keeper.keep(issued, signal),
      },
    );
    this.#link.doubtKey(hasCertificate && !key?.trim() ? undefined : keyFlaw(key));
    const send = (message: OutboundMessage) => this.#link.send(message);
    const { tunnel } = sessions;
    this.#vnc = tunnel ? new Tunnels({ list: sessions.list, tunnel }, send, { ...TUNNEL_LIMITS, ...tuning.tunnel }) : withoutTunnels(send);
    const every = Math.min(30, Math.max(5, settings.intervals.heartbeat));
    this.heartbeat = { every, beat: (status, signal) => this.#beat(status, signal) };
  }

  async *tasks(signal: AbortSignal): AsyncGenerator<Task, void, undefined> {
    if (signal.aborted) return;
    const channel = new Channel<Task>(Number.POSITIVE_INFINITY);
    const stop = () => this.#stopReading(channel);
    signal.addEventListener('abort', stop, { once: true });
    this.#reader = channel;
    this.#link.start();
    try {
      yield* channel;
    } finally {
      // Also when the reader leaves its loop early.
      stop();
      signal.removeEventListener('abort', stop);
    }
  }

  async report(report: Report, signal: AbortSignal): Promise<ReportOutcome> {
    await this.#link.deliver(ending(report), signal);
    return { taken: true };
  }

  async reportSession(session: SessionFacts, signal: AbortSignal): Promise<void> {
    const message = sessionStatus(session);
    if (message === undefined) return;
    await this.#link.deliver(message, signal);
    if (session.state === 'Running') this.#vnc.running(session);
    else this.#vnc.ended(session);
  }

  accepted(taskID: string): void {
    if (!this.#stopping) this.#say(ack(taskID));
  }

  useKey(key: string): void {
    this.#link.doubtKey(keyFlaw(key));
    this.#credential.replace(key);
  }

  async close(within: Seconds): Promise<void> {
    this.#stopping = true;
    await this.#link.close(Math.min(within, FLUSH));
  }

  /** `stopping`, and that nobody takes commands, reach the control plane over HTTP only: its socket takes every heartbeat for `online`. */
  async #beat(status: HeartbeatStatus, signal: AbortSignal): Promise<void> {
    if (status === 'stopping') this.#stopping = true;
    else {
      // Patiently: a pause after a failure could outlast the patience of a control plane that has come back.
      this.#link.start();
      await this.#link.ready(signal);
    }
    await this.#beatNow(signal);
  }

  async #beatNow(signal: AbortSignal = AbortSignal.timeout(10_000)): Promise<void> {
    const message = heartbeat(this.#active(), this.#sessions.capacity);
    if (!this.#stopping && this.#reader !== undefined) return this.#link.send(message);
    // Read before the other is sent, which goes another way: the last one counts.
    await this.#link.deliver(message, signal);
    await this.#registrar.drain(this.#active(), signal);
  }

  #active(): number {
    return this.#sessions.list().filter(({ active }) => active).length;
  }

  /** Nothing here waits: while a start takes its minutes, pings must be answered. */
  #receive(frame: string): undefined {
    const { messages, flaws } = readFrame(frame);
    for (const message of flaws) this.#observe({ kind: 'malformed', message });
    for (const message of messages) {
      try {
        this.#take(message);
      } catch (error) {
        // The rest of the frame goes on, whatever is wrong with us here.
        this.#observe({ kind: 'malformed', message: `a ${message.type} could not be taken: ${String(error)}` });
      }
    }
  }

  #take(message: Message): void {
    if (message.type === 'command') this.#command(message.payload);
    else if (message.type === 'ping') this.#say({ type: 'pong' });
    else if (message.type === 'shutdown') this.#shutDown(message.reason);
    else this.#vnc.receive(message);
  }

  #command(payload: unknown): void {
    const { task, notes } = readCommand(payload, this.#name);
    for (const message of notes) this.#observe({ kind: 'malformed', message });
    if (task === undefined) return;
    const why = this.#refusal();
    if (why === undefined) this.#reader?.push(task);
    else this.#turnAway(task, why);
  }

  #refusal(): string | undefined {
    if (this.#stopping || this.#reader === undefined) return 'this operator takes no commands now: it is stopping, or spec.suspend is true';
    return this.#reader.waiting < MOST_WAITING ? undefined : `${MOST_WAITING} commands wait already`;
  }

  /** A command is sent once only: without an answer, and the true state of its session, it would stay open for ever. */
  #turnAway(task: Task, why: string): void {
    const { id, sessionID, action } = task;
    const session = this.#sessions.list().find((each) => each.sessionID === sessionID);
    const failed = action === 'SessionStart' && sessionID !== undefined && session === undefined;
    const facts: SessionFacts | undefined = failed ? { sessionID, state: 'Failed', active: false, message: why } : session;
    const status = facts === undefined ? undefined : sessionStatus(facts);
    if (status !== undefined) this.#say(status);
    const at = new Date();
    this.#say(ending({ taskID: id, outcome: 'Failed', reason: 'NotTaken', message: why, startedAt: at, finishedAt: at, result: {} }));
  }

  #stopReading(channel: Channel<Task>): void {
    if (this.#reader === channel) this.#reader = undefined;
    for (const task of channel.end()) this.#turnAway(task, 'this operator stopped taking commands before this one was recorded');
  }

  #shutDown(reason: string): void {
    const message = `The control plane asked this agent to shut down${reason === '' ? '' : ` (${reason})`}; it stays disconnected until the OptimizationBackend is changed or the operator restarts`;
    this.#stopping = true;
    this.#observe({ kind: 'refused', reason: 'ShutdownRequested', message });
    void this.#link.close(FLUSH, 'the control plane asked for a shutdown');
  }

  /** For what may be lost with the connection. */
  #say(message: OutboundMessage): void {
    this.#link.send(message).catch((error: unknown) => {
      if (!(error instanceof BackendError)) throw error;
    });
  }
}
