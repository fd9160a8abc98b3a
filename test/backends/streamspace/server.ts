import { Administrator } from './administrator.ts';
import { type CommandRow, Database, type SessionRow } from './database.ts';
import { Dispatcher } from './dispatcher.ts';
import { Door, type DoorTLS, type Fault } from './door.ts';
import { Hub } from './hub.ts';
import { Inbox } from './inbox.ts';
import { Journal, type Route } from './journal.ts';
import { Registration } from './registration.ts';
import { Repair } from './repair.ts';
import { REAL_TIMINGS, type Timings } from './timings.ts';
import { Users } from './users.ts';
import { VNC } from './vnc.ts';
import { Watch } from './watch.ts';

/** How a reference control plane starts; everything has a default. */
export interface StreamSpaceOptions {
  /** Default: the real ones. */
  readonly timings?: Partial<Timings>;
  /** The bootstrap key, 64 hex characters; default random. */
  readonly bootstrapKey?: string;
  /** The namespace that it names in commands; default `streamspace`. */
  readonly namespace?: string;
  /** Requests per minute and address; default 60. */
  readonly rate?: number;
  /** Then it speaks https and wss. */
  readonly tls?: DoorTLS;
  /** True: commands cannot be updated in its database, and stay `pending`. */
  readonly freshDatabase?: boolean;
}

/**
 * A StreamSpace control plane over real HTTP and WebSocket, with the state machine of the real one and its defects (streamspace.md). `users` and
 * `administrator` play the people, `database` is what they see, and `heard` what came from the agents.
 */
export class StreamSpaceControlPlane {
  readonly heard = new Journal();
  readonly database = new Database();
  readonly registration: Registration;
  readonly dispatcher: Dispatcher;
  readonly administrator: Administrator;
  readonly users: Users;
  readonly repair: Repair;
  readonly timings: Timings;
  readonly #door: Door;
  readonly #watch: Watch;
  readonly #vnc: VNC;
  readonly #inbox: Inbox;
  #hub: Hub;

  constructor(options: StreamSpaceOptions = {}) {
    this.timings = { ...REAL_TIMINGS, ...options.timings };
    this.database.fresh = options.freshDatabase ?? false;
    const { heard: journal, database, timings } = this;
    const hub = () => this.#hub;
    this.registration = new Registration(database, journal, options.bootstrapKey);
    this.#watch = new Watch(journal, database);
    this.#vnc = new VNC(journal, hub);
    this.dispatcher = new Dispatcher({ journal, database, watch: this.#watch, timings, hub });
    const { dispatcher } = this;
    this.administrator = new Administrator(database, dispatcher, journal);
    const namespace = options.namespace ?? 'streamspace';
    this.users = new Users({ journal, database, dispatcher, timings, namespace, hub, vnc: this.#vnc });
    this.repair = new Repair({ journal, database, dispatcher, timings, hub });
    this.#inbox = new Inbox(journal, database, this.#watch, this.#vnc, () => this.url);
    this.#hub = this.#newHub();
    this.#door = new Door({
      journal,
      registration: this.registration,
      tls: options.tls,
      rate: { most: options.rate ?? 60, window: timings.rateWindow },
      accept: (request, socket, head, agentID) => this.#hub.accept(request, socket, head, agentID),
    });
  }

  /** Listens on a free port. */
  async listen(): Promise<void> {
    await this.#door.open();
    this.repair.start();
  }

  /** The base URL, `http://127.0.0.1:port`. */
  get url(): string {
    return this.#door.url;
  }

  /** The key with which an unknown agent may register. */
  get bootstrapKey(): string {
    return this.registration.bootstrapKey;
  }

  /** The connections; another object after a restart. */
  get hub(): Hub {
    return this.#hub;
  }

  /** What an unmodified control plane would choke on or void without a word; a test asserts that it is empty. */
  get violations(): readonly string[] {
    return this.heard.violations;
  }

  /** Orders a fault for the next `times` requests (1) of a route. */
  fail(route: Route, fault: Fault, times = 1): void {
    this.#door.fail(route, fault, times);
  }

  /** Breaks every connection, and every new one until `heal`. */
  cut(): void {
    this.#door.cut(true);
  }

  /** Cancels all faults and the cut. */
  heal(): void {
    this.#door.heal();
  }

  /** Ends the process without a word: connections and queues are gone, the database stays. */
  async crash(): Promise<void> {
    this.repair.stop();
    this.dispatcher.forget();
    this.#hub.stop();
    await this.#door.close();
  }

  /** A new process on the same port and database; commands that were `pending` fail, or with `lose` count as sent and never are. */
  async restart(options: { readonly lose?: boolean } = {}): Promise<void> {
    this.#hub = this.#newHub();
    this.dispatcher.recover(options.lose ?? false);
    await this.listen();
  }

  /** Ends it for good; safe to call twice. */
  close(): Promise<void> {
    return this.crash();
  }

  /** The row of a session; throws where there is none. */
  session(id: string): SessionRow {
    const row = this.database.sessions.get(id);
    if (row === undefined) throw new Error(`no session ${id}`);
    return row;
  }

  /** Waits until `look` answers something; see Waiting. */
  waitFor<T>(look: () => T | undefined | null | false, what?: string, timeout?: number): Promise<T> {
    return this.heard.waitFor(look, what, timeout);
  }

  /** Waits until the agent has a connection. */
  async connected(agentID: string, timeout?: number): Promise<void> {
    await this.waitFor(() => this.#hub.get(agentID)?.open, `a connection of ${agentID}`, timeout);
  }

  /** Waits until the agent has none. */
  async disconnected(agentID: string, timeout?: number): Promise<void> {
    await this.waitFor(() => this.#hub.get(agentID) === undefined, `the end of the connection of ${agentID}`, timeout);
  }

  /** Waits until a session has this state. */
  state(id: string, state: string, timeout?: number): Promise<SessionRow> {
    const row = () => this.database.sessions.get(id);
    return this.waitFor(() => (row()?.state === state ? row() : undefined), `${id} to be ${state}`, timeout);
  }

  /** Waits until a command is completed or failed. */
  ended(command: CommandRow | undefined, timeout?: number): Promise<CommandRow> {
    if (command === undefined) throw new Error('there is no command: the request was refused');
    const over = () => ['completed', 'failed'].includes(command.status);
    return this.waitFor(() => (over() ? command : undefined), `the end of ${command.action} ${command.id}`, timeout);
  }

  #newHub(): Hub {
    const { heard: journal, database, timings } = this;
    return new Hub({ journal, database, timings, receive: (connection, frame) => this.#inbox.take(connection, frame) });
  }
}

/** Starts a reference control plane on loopback; the caller must `close()` it. */
export async function startStreamSpace(options: StreamSpaceOptions = {}): Promise<StreamSpaceControlPlane> {
  const server = new StreamSpaceControlPlane(options);
  await server.listen();
  return server;
}
