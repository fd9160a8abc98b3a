import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTLSServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, readBody, refusal, write } from './answers.ts';
import { checkTarget, type Desk, handOut, recognise, take } from './calls.ts';
import { type Fault, type FaultHandle, FaultPlan } from './faults.ts';
import { type Call, type HeardRequest, type HeardResult, Journal } from './journal.ts';
import { type FrameForm, Stream } from './stream.ts';
import { type Redelivery, TaskStore, type WireTask } from './task-store.ts';

/** How a reference backend starts; everything has a default. */
export interface CloudOptimBackendOptions {
  /** Default `cluster-123`. */
  readonly clusterID?: string;
  /** The bearer key; default random. */
  readonly key?: string;
  /** Default 0: a free port. */
  readonly port?: number;
  /** Default `127.0.0.1`. */
  readonly host?: string;
  /** The documented shape of a poll's answer; default `array`. */
  readonly listShape?: 'array' | 'tasks';
  /** Default `untilResult`. */
  readonly redelivery?: Redelivery;
  /** PEM key and certificate: then it speaks https and wss. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Answers what belongs to no call of the protocol (the control paths of `main.ts`); undefined = 404. */
  readonly control?: (method: string, path: string, body: string) => Answer | undefined;
}

/** A backend of profile `cloudoptim` (optimizer.md 2) over real HTTP and WebSocket, with faults on demand; it records all it hears. */
export class CloudOptimBackend {
  readonly clusterID: string;
  /** Everything that arrived, with times of `performance.now()`. */
  readonly heard = new Journal();
  /** What polls hand out: `redelivery`, `order` and `copies` may be changed at any time. */
  readonly tasks: TaskStore;
  /** The WebSocket side: push raw frames, close or silence sockets. */
  readonly stream = new Stream(this.heard);
  /** Knobs of the calls: `listShape`, `documentedOnly`, `maxEvents`. */
  readonly desk: Desk;
  readonly #faults = new FaultPlan();
  readonly #server: Server;
  readonly #scheme: 'http' | 'https';
  /** Connections that asked for an upgrade: the HTTP server forgets them. */
  readonly #upgrades = new Set<Duplex>();
  readonly #control: CloudOptimBackendOptions['control'];
  #key: string;

  constructor(options: CloudOptimBackendOptions = {}) {
    this.clusterID = options.clusterID ?? 'cluster-123';
    this.#key = options.key ?? randomBytes(16).toString('hex');
    this.#control = options.control;
    this.tasks = new TaskStore(options.redelivery ?? 'untilResult');
    const { heard: journal, tasks, clusterID } = this;
    this.desk = {
      journal,
      tasks,
      clusterID,
      listShape: options.listShape ?? 'array',
      documentedOnly: false,
      maxEvents: Number.POSITIVE_INFINITY,
    };
    const serve = (request: IncomingMessage, response: ServerResponse) => void this.#serve(request, response);
    this.#server = options.tls === undefined ? createServer(serve) : createTLSServer(options.tls, serve);
    this.#scheme = options.tls === undefined ? 'http' : 'https';
    this.#server.on('upgrade', (request, socket, head) => void this.#upgrade(request, socket, head));
  }

  /** Listens; rejects when the port is taken. */
  listen(port: number, host: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject).listen(port, host, resolve);
    });
  }

  /** The base URL, `http://127.0.0.1:port`. */
  get url(): string {
    const { address, port } = this.#server.address() as AddressInfo;
    return `${this.#scheme}://${address}:${port}`;
  }

  /** The key that is valid now. */
  get key(): string {
    return this.#key;
  }

  /** Breaches of the protocol page; a test asserts that it is empty. */
  get violations(): readonly string[] {
    return this.heard.violations;
  }

  /** Rotates the key: from now on only this one is accepted, and open sockets are closed with 1008. */
  setKey(key: string): void {
    this.#key = key;
    this.stream.closeAll(1008);
  }

  /** Puts a task into the polls; fills `cluster_id` and `created_at` where they are missing. */
  addTask(task: WireTask): WireTask {
    const complete = this.#complete(task);
    this.tasks.add(complete);
    return complete;
  }

  /** Sends a task to the open sockets (at least one must be open); with `alsoPoll` it goes into the polls too. */
  pushTask(task: WireTask, options: { readonly form?: FrameForm; readonly alsoPoll?: boolean } = {}): WireTask {
    if (this.stream.size === 0) throw new Error('No socket is open; wait for one with socketOpen()');
    const complete = this.#complete(task);
    if (options.alsoPoll === true) this.tasks.add(complete);
    this.stream.push(complete, options.form ?? 'task');
    return complete;
  }

  /** Orders a fault for the next `times` requests (1) of a call. */
  fail(call: Call | 'any', fault: Fault, times = 1): FaultHandle {
    return this.#faults.add(call, fault, times);
  }

  /** Cancels all faults. */
  heal(): void {
    this.#faults.clear();
  }

  /** Waits until `look` answers something; see Journal.waitFor. */
  waitFor<T>(look: () => T | undefined | null | false, what?: string, timeout?: number): Promise<T> {
    return this.heard.waitFor(look, what, timeout);
  }

  /** Waits for the result of a task. */
  result(taskID: string, timeout?: number): Promise<HeardResult> {
    return this.waitFor(() => this.heard.results.find((result) => result.taskID === taskID), `the result of ${taskID}`, timeout);
  }

  /** Waits until a socket is open. */
  async socketOpen(timeout?: number): Promise<void> {
    await this.waitFor(() => this.stream.size > 0, 'an open socket', timeout);
  }

  /** Ends all connections and stops listening; safe to call twice. */
  async close(): Promise<void> {
    this.heal();
    this.stream.shut();
    for (const socket of this.#upgrades) socket.destroy();
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #complete(task: WireTask): WireTask {
    return { cluster_id: this.clusterID, created_at: `${new Date().toISOString().slice(0, 19)}Z`, parameters: {}, ...task };
  }

  #note(request: IncomingMessage): { entry: HeardRequest; url: URL; taskID: string | undefined } {
    const { method = 'GET', url: target = '/' } = request;
    const url = new URL(target, 'http://backend');
    const { call, taskID } = recognise(method, url.pathname);
    const entry: HeardRequest = { at: performance.now(), method, target, call, answer: 'silent' };
    this.heard.requests.push(entry);
    this.heard.changed();
    return { entry, url, taskID };
  }

  #refuse(request: IncomingMessage, url: URL): Answer | undefined {
    if (request.headers.authorization !== `Bearer ${this.#key}`) return refusal(401, 'unauthorized', 'Invalid API key');
    return checkTarget(this.desk, url, this.#key);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { entry, url, taskID } = this.#note(request);
    const text = await readBody(request);
    if (text === undefined) return void response.destroy();
    const due = this.#faults.take(entry.call);
    const finish = (answer: Answer | 'dropped', cut = false) => {
      entry.answer = answer === 'dropped' ? answer : answer.status;
      if (answer === 'dropped') response.destroy();
      else write(response, answer, cut);
      this.heard.changed();
    };
    const normal = (): Answer => this.#answer(entry, url, taskID, request, text);
    if (due === undefined) return finish(normal());
    this.heard.changed();
    const { fault, released } = due;
    switch (fault.kind) {
      case 'silent':
        return;
      case 'drop':
        if (fault.handled === true) normal();
        return finish('dropped');
      case 'delay':
        await (fault.ms === undefined ? released : sleep(fault.ms));
        return finish(normal());
      case 'status':
        return finish(statusAnswer(fault));
      case 'half':
        return finish(normal(), true);
      case 'invalidJSON':
        normal();
        return finish({ status: 200, body: fault.text ?? '{"tasks": [' });
      case 'huge':
        normal();
        return finish({ status: 200, body: `["${'x'.repeat(fault.bytes)}"]` });
    }
  }

  #answer(entry: HeardRequest, url: URL, taskID: string | undefined, request: IncomingMessage, text: string): Answer {
    if (entry.call === 'other') return this.#control?.(entry.method, url.pathname, text) ?? { status: 404, body: { detail: 'Not Found' } };
    const refused = this.#refuse(request, url);
    if (refused !== undefined) return refused;
    if (entry.call === 'tasks') return handOut(this.desk);
    if (entry.call === 'stream') return refusal(426, 'upgrade_required', 'This path is a WebSocket');
    return take(this.desk, entry.call, taskID, request, text);
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    this.#upgrades.add(socket);
    socket.on('error', () => socket.destroy()).on('close', () => this.#upgrades.delete(socket));
    const { entry, url } = this.#note(request);
    const due = this.#faults.take('stream');
    this.heard.changed();
    if (due?.fault.kind === 'silent') return;
    if (due?.fault.kind === 'drop') {
      entry.answer = 'dropped';
      return void socket.destroy();
    }
    if (due?.fault.kind === 'delay') await (due.fault.ms === undefined ? due.released : sleep(due.fault.ms));
    const unserved: Answer | undefined = entry.call === 'stream' ? undefined : { status: 404, body: { detail: 'Not Found' } };
    const refused = due?.fault.kind === 'status' ? statusAnswer(due.fault) : (unserved ?? this.#refuse(request, url));
    if (refused === undefined) {
      entry.answer = 'open';
      return this.stream.accept(request, socket, head);
    }
    entry.answer = refused.status;
    const headers = Object.entries(refused.headers ?? {}).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.end(`HTTP/1.1 ${refused.status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n${headers.join('')}\r\n`);
    this.heard.changed();
  }
}

function statusAnswer(fault: Fault & { kind: 'status' }): Answer {
  const headers: Record<string, string> = {};
  if (fault.retryAfter !== undefined) headers['retry-after'] = String(fault.retryAfter);
  if (fault.location !== undefined) headers.location = fault.location;
  return {
    ...refusal(fault.status, `fault_${fault.status}`, 'Ordered by the test'),
    headers,
    ...(fault.body === undefined ? {} : { body: fault.body }),
  };
}

/** Starts a reference backend on loopback; the caller must `close()` it. */
export async function startCloudOptimBackend(options: CloudOptimBackendOptions = {}): Promise<CloudOptimBackend> {
  const backend = new CloudOptimBackend(options);
  await backend.listen(options.port ?? 0, options.host ?? '127.0.0.1');
  return backend;
}
