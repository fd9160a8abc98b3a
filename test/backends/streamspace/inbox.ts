import type { z } from 'zod';
import type { Connection } from './connection.ts';
import type { CommandStatus, Database } from './database.ts';
import type { Journal } from './journal.ts';
import type { VNC } from './vnc.ts';
import type { Watch } from './watch.ts';
import { envelope, firstIssue, payloads, type StatusPayload } from './wire.ts';

/** Takes the messages of the agents and does what the real control plane does with them: often nothing, without a word (streamspace.md 2.4). */
export class Inbox {
  readonly #journal: Journal;
  readonly #database: Database;
  readonly #watch: Watch;
  readonly #vnc: VNC;
  readonly #url: () => string;

  constructor(journal: Journal, database: Database, watch: Watch, vnc: VNC, url: () => string) {
    this.#journal = journal;
    this.#database = database;
    this.#watch = watch;
    this.#vnc = vnc;
    this.#url = url;
  }

  /** Takes one frame, which has to be one document. */
  take(connection: Connection, frame: string) {
    const { agentID } = connection;
    const journal = this.#journal;
    const drop = (why: string) => journal.violate(`${agentID}: a message is dropped: ${why}: ${frame.slice(0, 200)}`);
    let document: unknown;
    try {
      document = JSON.parse(frame);
    } catch {
      return drop('it is not one JSON document');
    }
    const message = envelope.safeParse(document);
    if (!message.success) return drop(firstIssue(message.error));
    const { type, payload } = message.data;
    const shown = typeof payload === 'object' && payload !== null ? (payload as Record<string, unknown>) : {};
    journal.messages.push({ at: performance.now(), agentID, socket: connection.heard, type, payload: shown });
    if (type !== 'pong') {
      const schema: z.ZodType | undefined = payloads[type as keyof typeof payloads];
      if (schema === undefined) return drop('its type is unknown');
      const read = schema.safeParse(payload);
      if (!read.success) return drop(firstIssue(read.error));
      this.#act(connection, type, read.data as Record<string, unknown>);
    }
    journal.changed();
  }

  #act(connection: Connection, type: string, payload: Record<string, unknown>) {
    const sessionId = String(payload.sessionId);
    const commandID = String(payload.commandId);
    switch (type) {
      case 'heartbeat':
        return this.#heartbeat(connection, payload.capacity as Record<string, unknown> | undefined);
      case 'ack':
        this.#watch.ack(commandID);
        return this.#mark(connection, commandID, 'ack');
      case 'complete':
        this.#watch.final(commandID, 'complete', undefined);
        return this.#mark(connection, commandID, 'completed');
      case 'failed':
        this.#watch.final(commandID, 'failed', payload.error);
        return this.#mark(connection, commandID, 'failed', String(payload.error ?? ''));
      case 'status':
        this.#watch.status(connection, payload as StatusPayload);
        return this.#status(payload as StatusPayload);
      default:
        return this.#vnc.take(connection, { type, sessionId, data: String(payload.data ?? payload.error ?? payload.reason ?? '') });
    }
  }

  #heartbeat(connection: Connection, capacity: Record<string, unknown> | null | undefined) {
    connection.lastHeartbeat = Date.now();
    const row = this.#database.agents.get(connection.agentID);
    if (row === undefined) return;
    Object.assign(row, { status: 'online', lastHeartbeat: Date.now(), ...(capacity ? { capacity } : {}) });
  }

  #mark(connection: Connection, commandID: string, status: CommandStatus, error?: string) {
    const row = this.#database.commands.get(commandID);
    if (row?.agentID === connection.agentID) this.#database.mark(row, status, error);
  }

  /** Believed from anybody, about any session. */
  #status({ sessionId, state, vncReady, vncPort, platformMetadata }: StatusPayload) {
    const row = this.#database.sessions.get(sessionId);
    if (row === undefined) return;
    this.#database.move(row, state);
    const { podName } = platformMetadata ?? {};
    row.podName = typeof podName === 'string' ? podName : '';
    row.lastActivity = row.updatedAt;
    if (vncReady === true && (vncPort ?? 0) > 0) row.url = `${this.#url()}/api/v1/vnc/${sessionId}`;
    else delete row.url;
  }
}
