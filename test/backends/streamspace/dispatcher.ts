import type { CommandRow, Database } from './database.ts';
import type { Hub } from './hub.ts';
import type { Journal } from './journal.ts';
import type { Timings } from './timings.ts';
import type { Watch } from './watch.ts';
import { serverTime } from './wire.ts';

const WORKERS = 10;

/** What the dispatcher needs. */
interface DispatcherParts {
  readonly journal: Journal;
  readonly database: Database;
  readonly watch: Watch;
  readonly timings: Timings;
  readonly hub: () => Hub;
}

/** Ten workers that send commands from one queue, in no order and never a second time. */
export class Dispatcher {
  /** `fifo` for tests that need an order; the real one has none. */
  order: 'shuffled' | 'fifo' = 'shuffled';
  readonly #parts: DispatcherParts;
  #queue: CommandRow[] = [];
  #held = false;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
  }

  /** Queues a command that is stored as `pending`. */
  add(command: CommandRow): void {
    this.#queue.push(command);
    setImmediate(() => this.#work());
  }

  /** While true the workers rest, so that commands stay `pending` until a crash. */
  hold(held: boolean): void {
    this.#held = held;
    this.#work();
  }

  /** The end of the process: the queue is gone. */
  forget(): void {
    this.#queue = [];
  }

  /** A new process finds what the old one had not sent: the agent is not there yet, so all fails. With `lose` the rows say `sent`, and nothing is. */
  recover(lose: boolean): void {
    const { database, journal } = this.#parts;
    for (const command of database.commands.values()) {
      if (command.status !== 'pending') continue;
      if (lose) database.mark(command, 'sent');
      else this.#fail(command, 'agent is not connected');
    }
    journal.changed();
  }

  #work() {
    while (!this.#held && this.#queue.length > 0) {
      const batch = this.#queue.splice(0, WORKERS);
      for (const command of this.order === 'fifo' ? batch : shuffled(batch)) this.#dispatch(command);
    }
    this.#parts.journal.changed();
  }

  #dispatch(command: CommandRow) {
    const { database, watch, timings, hub } = this.#parts;
    const { id: commandId, action, payload, agentID } = command;
    const connection = hub().get(agentID);
    if (connection === undefined) return this.#fail(command, `agent ${agentID} is not connected`);
    if (!connection.send({ type: 'command', timestamp: serverTime(), payload: { commandId, action, payload } }))
      return this.#fail(command, `the queue of agent ${agentID} is full`);
    watch.delivered(command);
    if (timings.sent === 0) database.mark(command, 'sent');
    else
      setTimeout(() => {
        database.mark(command, 'sent');
        this.#parts.journal.changed();
      }, timings.sent);
  }

  #fail(command: CommandRow, error: string) {
    this.#parts.database.mark(command, 'failed', error);
  }
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, turn: Math.random() }))
    .sort((a, b) => a.turn - b.turn)
    .map(({ item }) => item);
}
