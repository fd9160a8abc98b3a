import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTLSServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { type Answer, readBody, write } from '../cloudoptim/answers.ts';
import type { HeardRequest, Journal, Route } from './journal.ts';
import type { Caller, Registration } from './registration.ts';

/** What an ordered failure does: an answer, a connection that breaks, or nothing ever. */
export type Fault = Answer | 'dropped' | 'silent';

/** PEM texts of a server that speaks https and wss; with `agentCA` the certificates it has signed stand for a key. */
export interface DoorTLS {
  readonly key: string;
  readonly cert: string;
  readonly agentCA?: string;
}

/** What the door needs. */
interface DoorParts {
  readonly journal: Journal;
  readonly registration: Registration;
  readonly tls: DoorTLS | undefined;
  /** How many requests of one address the window takes. */
  readonly rate: { readonly most: number; readonly window: number };
  readonly accept: (request: IncomingMessage, socket: Duplex, head: Buffer, agentID: string) => void;
}

/** The port of the control plane: it can be closed and opened again on the same number, cut off, and told to fail. */
export class Door {
  readonly #parts: DoorParts;
  readonly #faults: { readonly route: Route; readonly fault: Fault; left: number }[] = [];
  readonly #sockets = new Set<Socket>();
  #calls: { readonly at: number; readonly address: string }[] = [];
  #server: Server | undefined;
  #port = 0;
  #cut = false;

  constructor(parts: DoorParts) {
    this.#parts = parts;
  }

  /** The base URL, `http://127.0.0.1:port`; the same after a restart. */
  get url(): string {
    return `${this.#parts.tls ? 'https' : 'http'}://127.0.0.1:${this.#port}`;
  }

  /** Listens, after the first time on the port it has had. */
  open(): Promise<void> {
    const { tls } = this.#parts;
    const serve = (request: IncomingMessage, response: ServerResponse) => void this.#serve(request, response);
    const server: Server = tls
      ? createTLSServer(
          { key: tls.key, cert: tls.cert, ...(tls.agentCA ? { ca: tls.agentCA, requestCert: true, rejectUnauthorized: false } : {}) },
          serve,
        )
      : createServer(serve);
    this.#server = server;
    server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    server.on('connection', (socket: Socket) => {
      if (this.#cut) return void socket.destroy();
      this.#sockets.add(socket);
      socket.on('error', () => socket.destroy()).on('close', () => this.#sockets.delete(socket));
    });
    return new Promise((resolve, reject) => {
      server.once('error', reject).listen(this.#port, '127.0.0.1', () => {
        this.#port = (server.address() as AddressInfo).port;
        resolve();
      });
    });
  }

  /** Breaks all connections and stops listening: the next dial is refused. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.#calls = [];
    this.#break();
    if (server !== undefined) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  /** While true every connection breaks, and every new one at once. */
  cut(cut: boolean): void {
    this.#cut = cut;
    if (cut) this.#break();
  }

  /** Orders a fault for the next `times` requests of a route. */
  fail(route: Route, fault: Fault, times: number): void {
    this.#faults.push({ route, fault, left: times });
  }

  /** Cancels all faults. */
  heal(): void {
    this.#faults.length = 0;
    this.cut(false);
  }

  #break(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #note(request: IncomingMessage): { entry: HeardRequest; caller: Caller } {
    const { method = 'GET', url: target = '/' } = request;
    const url = new URL(target, 'http://control-plane');
    const [, id] = /^\/api\/v1\/agents\/([^/]+)\/heartbeat$/.exec(url.pathname) ?? [];
    const route: Route =
      method === 'POST' && url.pathname === '/api/v1/agents/register'
        ? 'register'
        : method === 'POST' && id !== undefined
          ? 'heartbeat'
          : method === 'GET' && url.pathname === '/api/v1/agents/connect'
            ? 'connect'
            : 'other';
    const agentID = route === 'connect' ? (url.searchParams.get('agent_id') ?? undefined) : id && decodeURIComponent(id);
    const header = request.headers['x-agent-api-key'];
    const entry: HeardRequest = { at: performance.now(), method, target, route, answer: 'silent', ...(agentID ? { agentID } : {}) };
    this.#parts.journal.requests.push(entry);
    this.#parts.journal.changed();
    const key = typeof header === 'string' ? header : undefined;
    return { entry, caller: { route, agentID, key, certificate: commonName(request.socket) } };
  }

  /** All routes of an address together. */
  #limited(request: IncomingMessage): Answer | undefined {
    const { most, window } = this.#parts.rate;
    const address = request.socket.remoteAddress ?? '';
    const now = performance.now();
    this.#calls = [...this.#calls.filter(({ at }) => now - at < window), { at: now, address }];
    if (this.#calls.filter((call) => call.address === address).length <= most) return undefined;
    return { status: 429, body: { error: 'Rate limit exceeded', details: `at most ${most} requests per minute`, retryAfter: 60 } };
  }

  #fault(route: Route): Fault | undefined {
    const due = this.#faults.find((each) => each.route === route && each.left > 0);
    if (due === undefined) return undefined;
    due.left -= 1;
    return due.fault;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { entry, caller } = this.#note(request);
    const text = await readBody(request);
    if (text === undefined) return void response.destroy();
    const answer = this.#fault(entry.route) ?? this.#limited(request) ?? this.#answer(entry, caller, text);
    entry.answer = typeof answer === 'string' ? answer : answer.status;
    if (answer === 'dropped') response.destroy();
    else if (answer !== 'silent') write(response, answer);
    this.#parts.journal.changed();
  }

  #answer(entry: HeardRequest, caller: Caller, text: string): Answer {
    const { registration, journal } = this.#parts;
    if (caller.route === 'other') return { status: 404, body: { error: 'Not found' } };
    // Authentication runs first; then it is no handshake.
    if (caller.route === 'connect') return registration.connect(caller) ?? { status: 400, body: { error: 'Bad Request' } };
    let body: unknown;
    try {
      body = JSON.parse(text);
    } catch {
      journal.violate(`${caller.route}: the body is not JSON: ${text.slice(0, 100)}`);
      return { status: 400, body: { error: 'Invalid request', details: 'the body is not JSON' } };
    }
    entry.body = body;
    if (caller.route === 'heartbeat') return registration.heartbeat(caller, body);
    const { agentId } = (body ?? {}) as { agentId?: unknown };
    const named = typeof agentId === 'string' && agentId !== '' ? agentId : undefined;
    if (named !== undefined) entry.agentID = named;
    return registration.register({ ...caller, agentID: named }, body);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { entry, caller } = this.#note(request);
    const { registration, journal, accept } = this.#parts;
    const refuse = (): Answer | undefined => (caller.route === 'connect' ? registration.connect(caller) : { status: 404 });
    const answer = this.#fault(entry.route) ?? this.#limited(request) ?? refuse();
    entry.answer = answer === undefined ? 'open' : typeof answer === 'string' ? answer : answer.status;
    if (answer === undefined) accept(request, socket, head, caller.agentID ?? '');
    else if (answer === 'dropped') socket.destroy();
    else if (answer !== 'silent') {
      const text = JSON.stringify(answer.body ?? {});
      const lines = [
        `HTTP/1.1 ${answer.status} Refused`,
        'Connection: close',
        'Content-Type: application/json',
        `Content-Length: ${text.length}`,
      ];
      socket.end(`${lines.join('\r\n')}\r\n\r\n${text}`);
    }
    journal.changed();
  }
}

function commonName(socket: Socket): string | undefined {
  const { authorized, getPeerCertificate } = socket as Partial<TLSSocket>;
  if (authorized !== true || getPeerCertificate === undefined) return undefined;
  const name = getPeerCertificate.call(socket).subject?.CN;
  return typeof name === 'string' ? name : undefined;
}
