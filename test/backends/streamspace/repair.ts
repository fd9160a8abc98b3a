import type { Database, SessionRow } from './database.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { Hub } from './hub.ts';
import type { Journal } from './journal.ts';
import type { Timings } from './timings.ts';

/** What the repair needs. */
interface RepairParts {
  readonly journal: Journal;
  readonly database: Database;
  readonly dispatcher: Dispatcher;
  readonly timings: Timings;
  readonly hub: () => Hub;
}

/** The control plane's own reconciler: repeats a stop, gives sessions of a lost agent up, and only logs the rest (streamspace.md 3.2). */
export class Repair {
  readonly #parts: RepairParts;
  readonly #away = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: RepairParts) {
    this.#parts = parts;
  }

  /** Begins to look. */
  start(): void {
    this.#timer = setInterval(() => this.look(), this.#parts.timings.reconcile);
  }

  /** Ends it. */
  stop(): void {
    clearInterval(this.#timer);
  }

  /** One look at all sessions. */
  look(): void {
    const { database, timings, hub, journal } = this.#parts;
    for (const { agentID } of database.agents.values()) {
      if (hub().get(agentID) !== undefined) this.#away.delete(agentID);
      else if (!this.#away.has(agentID)) this.#away.set(agentID, Date.now());
    }
    for (const session of database.sessions.values()) {
      const gone = this.#away.get(session.agentID);
      if (gone !== undefined && Date.now() - gone >= timings.awayAfter) this.#giveUp(session);
      else if (gone === undefined && Date.now() - session.updatedAt >= timings.stuckAfter) this.#push(session);
    }
    journal.changed();
  }

  #giveUp(session: SessionRow): void {
    const { database } = this.#parts;
    if (session.state === 'terminating') database.move(session, 'terminated');
    if (session.state === 'pending') database.move(session, 'failed');
  }

  #push(session: SessionRow) {
    const { database, dispatcher, journal } = this.#parts;
    if (session.state === 'pending') journal.log.push(`session ${session.id} is pending for long`);
    if (session.state !== 'terminating') return;
    const id = (process.hrtime.bigint() + BigInt(Date.now())).toString(16);
    const payload = { sessionId: session.id, deletePVC: false };
    dispatcher.add(database.addCommand({ id, agentID: session.agentID, action: 'stop_session', sessionID: session.id, payload }));
  }
}
