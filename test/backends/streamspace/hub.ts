import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { Connection } from './connection.ts';
import type { Database } from './database.ts';
import type { Journal } from './journal.ts';
import type { Timings } from './timings.ts';

const MOST_INBOUND = 512 * 1024;

/** What the hub needs. */
interface HubParts {
  readonly journal: Journal;
  readonly database: Database;
  readonly timings: Timings;
  readonly receive: (connection: Connection, frame: string) => void;
}

/** The connections of the agents, one per id, with the defect of the real one: what ends is unregistered by id, whoever has that id by then. */
export class Hub {
  /** Whether connections made from now on join documents. */
  joins = true;
  readonly #parts: HubParts;
  readonly #connections = new Map<string, Connection>();
  readonly #server = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: MOST_INBOUND });
  readonly #checks: NodeJS.Timeout;
  readonly #unregistering = new Set<NodeJS.Timeout>();
  /** Read loops that have not unregistered. */
  #readers = 0;

  constructor(parts: HubParts) {
    this.#parts = parts;
    this.#checks = setInterval(() => this.#closeStale(), parts.timings.staleCheck);
  }

  /** The connection of an agent that the hub knows of. */
  get(agentID: string): Connection | undefined {
    return this.#connections.get(agentID);
  }

  /** Whether no end of a connection is left to be noticed: until then a new one may die of it. */
  get settled(): boolean {
    return this.#readers === this.#connections.size;
  }

  /** Takes over an upgraded connection of an agent that has shown its key. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer, agentID: string): void {
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      const { journal, database, timings, receive } = this.#parts;
      const connection = new Connection(webSocket, agentID, journal, timings);
      connection.joins = this.joins;
      webSocket.on('message', (data) => receive(connection, String(data)));
      webSocket.on('error', (error) => {
        if (/max payload/i.test(error.message))
          journal.violate(`${agentID}: a frame is larger than 512 KiB; the connection is closed with 1009`);
      });
      webSocket.on('close', () => {
        const timer = setTimeout(() => {
          this.#unregistering.delete(timer);
          this.#readers -= 1;
          this.#unregister(agentID);
        }, timings.unregister);
        this.#unregistering.add(timer);
      });
      this.#readers += 1;
      const older = this.#connections.get(agentID);
      if (older !== undefined) journal.log.push(`${agentID} has connected twice`);
      older?.kill();
      this.#connections.set(agentID, connection);
      const row = database.agents.get(agentID);
      if (row !== undefined) Object.assign(row, { status: 'online', lastHeartbeat: Date.now() });
      journal.changed();
    });
  }

  /** Ends everything, as the end of the process does. */
  stop(): void {
    clearInterval(this.#checks);
    for (const timer of this.#unregistering) clearTimeout(timer);
    for (const connection of this.#connections.values()) connection.kill();
    this.#connections.clear();
    this.#server.close();
  }

  #unregister(agentID: string): void {
    const { database, journal } = this.#parts;
    const connection = this.#connections.get(agentID);
    if (connection !== undefined) {
      this.#connections.delete(agentID);
      connection.kill();
      const row = database.agents.get(agentID);
      if (row !== undefined) row.status = 'offline';
    }
    journal.changed();
  }

  #closeStale(): void {
    const { timings, journal } = this.#parts;
    for (const connection of this.#connections.values()) {
      if (Date.now() - connection.lastHeartbeat <= timings.staleAfter) continue;
      journal.log.push(`${connection.agentID} is stale`);
      connection.kill();
    }
  }
}
