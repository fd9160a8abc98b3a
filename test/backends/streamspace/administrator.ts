import { randomBytes, randomUUID } from 'node:crypto';
import type { AgentRow, CommandRow, Database } from './database.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { Journal } from './journal.ts';

/** The administrator of the control plane: decides about agents, makes their keys and sends them commands. */
export class Administrator {
  readonly #database: Database;
  readonly #dispatcher: Dispatcher;
  readonly #journal: Journal;

  constructor(database: Database, dispatcher: Dispatcher, journal: Journal) {
    this.#database = database;
    this.#dispatcher = dispatcher;
    this.#journal = journal;
  }

  /** Enters an approved agent that has never registered, and returns its own key. */
  add(agentID: string): string {
    this.#database.addAgent(agentID, { approval: 'approved' });
    return this.rotateKey(agentID);
  }

  /** Approves an agent and returns the key made for it, which the agent is never told. */
  approve(agentID: string): string {
    this.#agent(agentID).approval = 'approved';
    return this.rotateKey(agentID);
  }

  /** Rejects an agent. */
  reject(agentID: string): void {
    this.#agent(agentID).approval = 'rejected';
    this.#journal.changed();
  }

  /** Makes the first own key of an agent. */
  generateKey(agentID: string): string {
    if (this.#agent(agentID).key !== undefined) throw new Error(`409: agent ${agentID} has a key; rotate it`);
    return this.rotateKey(agentID);
  }

  /** Makes a new own key; the old one is refused from the next register or connect on, and open sockets stay. */
  rotateKey(agentID: string): string {
    const key = randomBytes(32).toString('hex');
    this.#agent(agentID).key = key;
    this.#journal.changed();
    return key;
  }

  /** Removes an agent: it is unknown from the next register or connect on. */
  remove(agentID: string): void {
    this.#database.agents.delete(agentID);
  }

  /** Sends a command with a payload of any shape. */
  command(agentID: string, action: string, payload: Readonly<Record<string, unknown>>, id: string = randomUUID()): CommandRow {
    this.#agent(agentID);
    const { sessionId } = payload;
    const about = typeof sessionId === 'string' ? { sessionID: sessionId } : {};
    const command = this.#database.addCommand({ id, agentID, action, payload, ...about });
    this.#dispatcher.add(command);
    return command;
  }

  #agent(agentID: string): AgentRow {
    const row = this.#database.agents.get(agentID);
    if (row === undefined) throw new Error(`404: no agent ${agentID}`);
    return row;
  }
}
