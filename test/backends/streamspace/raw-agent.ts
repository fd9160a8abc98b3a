import { WebSocket } from 'ws';
import { Waiting } from '../waiting.ts';
import type { StreamSpaceControlPlane } from './server.ts';

/** What an agent that registers says of itself, as seed and reference do. */
function aboutAgent(agentId: string): Record<string, unknown> {
  const capacity = { maxSessions: 100, cpu: '64 cores', memory: '256Gi' };
  return { agentId, platform: 'kubernetes', region: 'us-east-1', capacity, metadata: { namespace: 'streamspace', kubernetes: true } };
}

/** The answer of an HTTP route. */
export interface RawAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Calls an HTTP route of agents; without a key where none is given. */
export async function call(url: string, key: string | undefined, body: unknown): Promise<RawAnswer> {
  const headers: Record<string, string> = { 'content-type': 'application/json', ...(key === undefined ? {} : { 'x-agent-api-key': key }) };
  const answer = await fetch(url, { method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body) });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

/** Registers an agent. */
export function register(cp: StreamSpaceControlPlane, agentID: string, key: string | undefined = cp.bootstrapKey, more: object = {}) {
  return call(`${cp.url}/api/v1/agents/register`, key, { ...aboutAgent(agentID), ...more });
}

/** One document that came from the control plane. */
export interface Received {
  readonly type: string;
  readonly timestamp?: string;
  readonly payload: Readonly<Record<string, unknown>> & { readonly payload?: Readonly<Record<string, unknown>> };
}

/** An agent without a mind: one socket, what came through it, and what a test sends. It answers pings, as every library does. */
export class RawAgent extends Waiting {
  readonly agentID: string;
  /** Frames as they came. */
  readonly frames: string[] = [];
  readonly received: Received[] = [];
  /** The close code, once it is closed. */
  closed: number | undefined;
  pings = 0;
  readonly #socket: WebSocket;

  constructor(agentID: string, socket: WebSocket) {
    super();
    this.agentID = agentID;
    this.#socket = socket;
    socket.on('message', (data) => {
      const frame = String(data);
      this.frames.push(frame);
      for (const document of frame.split('\n')) this.received.push(JSON.parse(document) as Received);
      this.changed();
    });
    socket.on('ping', () => {
      this.pings += 1;
      this.changed();
    });
    socket.on('error', () => undefined);
    socket.on('close', (code) => {
      this.closed = code;
      this.changed();
    });
  }

  /** Commands so far. */
  get commands(): Received['payload'][] {
    return this.received.filter(({ type }) => type === 'command').map(({ payload }) => payload);
  }

  /** Sends a message. */
  say(type: string, payload?: unknown, more: object = {}): void {
    this.raw(JSON.stringify({ type, timestamp: new Date().toISOString(), ...(payload === undefined ? {} : { payload }), ...more }));
  }

  /** Sends a frame as it is. */
  raw(frame: string | Buffer): void {
    this.#socket.send(frame);
  }

  /** Sends a protocol ping. */
  ping(): void {
    this.#socket.ping();
  }

  /** Waits for a command with this action. */
  command(action: string, timeout?: number): Promise<Received['payload']> {
    return this.waitFor(() => this.commands.find((command) => command.action === action), `a ${action}`, timeout);
  }

  /** Waits for the end of the socket. */
  async end(timeout?: number): Promise<number> {
    await this.waitFor(() => this.closed !== undefined, 'the end of the socket', timeout);
    return this.closed ?? 0;
  }

  /** Reads no more, so that its buffers fill. */
  deafen(): void {
    this.#socket.pause();
  }

  /** Closes it. */
  close(code = 1001): void {
    this.#socket.close(code);
  }

  override summary(): string {
    return `${this.frames.length} frames, ${JSON.stringify(this.received).slice(0, 500)}`;
  }
}

/** Opens the socket of an agent; a refusal is thrown with its status. */
export function dial(cp: StreamSpaceControlPlane, agentID: string, key = cp.bootstrapKey, autoPong = true): Promise<RawAgent> {
  const url = `${cp.url.replace('http', 'ws')}/api/v1/agents/connect?agent_id=${encodeURIComponent(agentID)}`;
  const socket = new WebSocket(url, { headers: { 'x-agent-api-key': key }, perMessageDeflate: false, autoPong });
  const agent = new RawAgent(agentID, socket);
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve(agent));
    socket.once('unexpected-response', (_request, response) => reject(new Error(`refused with ${response.statusCode}`)));
    socket.once('error', reject);
  });
}

/** Registers an agent, approves it and opens its socket. */
export async function join(cp: StreamSpaceControlPlane, agentID = 'k8s-test'): Promise<RawAgent> {
  await register(cp, agentID);
  cp.administrator.approve(agentID);
  const agent = await dial(cp, agentID);
  await cp.connected(agentID);
  return agent;
}

/** What is said of a session that runs. */
export function running(sessionId: string, podName = `${sessionId}-7d9`): Record<string, unknown> {
  return { sessionId, state: 'running', vncReady: true, vncPort: 3000, platformMetadata: { podName } };
}

/** Carries a command out in words, as an agent without fault: ack, the state that is asked for, complete. */
export function obey(agent: RawAgent, { commandId, action, payload }: Received['payload']): void {
  const sessionId = String(payload?.sessionId);
  agent.say('ack', { commandId });
  const states: Record<string, string> = { hibernate_session: 'hibernated', stop_session: 'terminated' };
  const state = states[String(action)];
  agent.say('status', state === undefined ? running(sessionId) : { sessionId, state });
  agent.say('complete', { commandId, result: { sessionId, state: state ?? 'running' } });
}
