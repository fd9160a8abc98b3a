import type { Connection } from './connection.ts';
import type { CommandRow, Database } from './database.ts';
import type { Journal } from './journal.ts';
import type { StatusPayload } from './wire.ts';

const STATES = ['running', 'hibernated', 'terminated', 'failed'];

/** The state that a command has to have reported when it is complete. */
const GOAL: Readonly<Record<string, string>> = {
  start_session: 'running',
  wake_session: 'running',
  hibernate_session: 'hibernated',
  stop_session: 'terminated',
};

interface Conduct {
  readonly delivered: { readonly command: CommandRow; readonly at: number };
  acknowledged: boolean;
  final?: string;
}

interface LastStatus {
  readonly at: number;
  readonly state: string;
  readonly facts: string;
  readonly connection: Connection;
}

/** Watches whether an agent keeps to the order of messages that moves the state of an unmodified control plane; it changes nothing. */
export class Watch {
  readonly #journal: Journal;
  readonly #database: Database;
  readonly #commands = new Map<string, Conduct>();
  readonly #statuses = new Map<string, LastStatus[]>();
  /** Sessions that were asked for something since their last status. */
  readonly #asked = new Set<string>();
  /** How many commands about a session have no end yet: while there is one, its row was moved by the control plane itself. */
  readonly #open = new Map<string, number>();
  #clock = 0;

  constructor(journal: Journal, database: Database) {
    this.#journal = journal;
    this.#database = database;
  }

  /** A command is on its way to the agent. */
  delivered(command: CommandRow): void {
    this.#commands.set(command.id, { delivered: { command, at: ++this.#clock }, acknowledged: false });
    if (command.sessionID === undefined) return;
    this.#asked.add(command.sessionID);
    this.#count(command.sessionID, 1);
  }

  /** An agent has acknowledged. */
  ack(commandID: string) {
    const conduct = this.#commands.get(commandID);
    if (conduct === undefined) return this.#journal.violate(`ack of ${commandID}, which was never sent`);
    if (conduct.final !== undefined) this.#journal.violate(`ack of ${commandID} after its ${conduct.final}`);
    conduct.acknowledged = true;
  }

  /** A command has ended. */
  final(commandID: string, outcome: 'complete' | 'failed', said: unknown) {
    const conduct = this.#commands.get(commandID);
    if (conduct === undefined) return this.#journal.violate(`${outcome} of ${commandID}, which was never sent`);
    const violate = (sentence: string) => this.#journal.violate(`${outcome} of ${commandID}: ${sentence}`);
    // What could not even be recorded fails without a word before.
    if (outcome === 'complete' && !conduct.acknowledged) violate('it was not acknowledged');
    if (conduct.final !== undefined && conduct.final !== outcome) violate(`it was ${conduct.final} before`);
    if (conduct.final === undefined && outcome === 'complete') this.#checkGoal(conduct, violate);
    if (outcome === 'failed' && (typeof said !== 'string' || said === '')) violate('no cause is given');
    const { sessionID } = conduct.delivered.command;
    if (conduct.final === undefined && sessionID !== undefined) this.#count(sessionID, -1);
    conduct.final = outcome;
  }

  /** An agent reports a session. */
  status(connection: Connection, payload: StatusPayload) {
    const { sessionId, state, vncReady, vncPort, platformMetadata } = payload;
    const violate = (sentence: string) => this.#journal.violate(`status ${state} of ${sessionId}: ${sentence}`);
    if (!STATES.includes(state)) violate('no user can do anything with this state');
    if (state === 'running') {
      if (vncReady !== true) violate('vncReady is not true, so that the session has no url');
      if (typeof vncPort !== 'number' || vncPort <= 0) violate('there is no vncPort, so that the session has no url');
      if (typeof platformMetadata?.podName !== 'string' || platformMetadata.podName === '') violate('there is no podName');
    }
    const earlier = this.#statuses.get(sessionId) ?? [];
    const last = earlier.at(-1);
    const facts = JSON.stringify([state, vncReady ?? false, vncPort ?? 0, platformMetadata?.podName ?? '']);
    const asked = this.#asked.delete(sessionId);
    // Once per connection it may be said again: what the last one heard may be lost.
    if (!asked && !this.#open.get(sessionId) && last?.facts === facts && last.connection === connection)
      violate('nothing has changed, and it counts as activity of the user');
    if (state === 'running' && last?.state === 'terminated' && !asked) violate('a session that is terminated comes back to life');
    this.#statuses.set(sessionId, [...earlier, { at: ++this.#clock, state, facts, connection }]);
  }

  #count(sessionID: string, change: number): void {
    this.#open.set(sessionID, (this.#open.get(sessionID) ?? 0) + change);
  }

  #checkGoal({ delivered: { command, at } }: Conduct, violate: (sentence: string) => void): void {
    const goal = GOAL[command.action];
    if (goal === undefined || command.sessionID === undefined) return;
    const told = (this.#statuses.get(command.sessionID) ?? []).some((status) => status.at > at && status.state === goal);
    const row = this.#database.sessions.get(command.sessionID);
    if (!told) violate(`no status ${goal} came before it, and nothing else moves the session, which is ${row?.state ?? 'unknown'}`);
  }
}
