import { randomBytes } from 'node:crypto';
import type { CommandRow, Database, SessionRow } from './database.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { Hub } from './hub.ts';
import type { Journal } from './journal.ts';
import type { Timings } from './timings.ts';
import type { Browser, VNC } from './vnc.ts';

/** What a user asks for; all but user and template as the UI fills it in. */
export interface SessionOrder {
  readonly user: string;
  readonly template: string;
  /** Default: that of an image of linuxserver with port 3000; null for none. */
  readonly manifest?: unknown;
  readonly persistentHome?: boolean;
  readonly cpu?: string;
  readonly memory?: string;
  readonly idleTimeout?: string;
  readonly maxSessionDuration?: string;
  readonly tags?: readonly string[] | null;
}

/** How a request of a user was answered. */
export interface UserAnswer {
  readonly status: 202 | 404 | 409 | 503;
  readonly session?: SessionRow;
  readonly command?: CommandRow;
}

/** What a user may ask of a session in which state, and the state that the request itself sets (streamspace.md 2.4). */
const REQUESTS = {
  hibernate: { action: 'hibernate_session', from: ['running'], to: 'hibernating' },
  wake: { action: 'wake_session', from: ['hibernated'], to: 'waking' },
  delete: {
    action: 'stop_session',
    from: ['pending', 'running', 'hibernating', 'waking', 'hibernated', 'failed'],
    to: 'terminating',
  },
} as const;

/** What the users' side needs. */
interface UserParts {
  readonly journal: Journal;
  readonly database: Database;
  readonly dispatcher: Dispatcher;
  readonly timings: Timings;
  readonly namespace: string;
  readonly hub: () => Hub;
  readonly vnc: VNC;
}

/** The users of the control plane: they create sessions and ask for changes, and only `status` of an agent carries these out. */
export class Users {
  readonly #parts: UserParts;

  constructor(parts: UserParts) {
    this.#parts = parts;
  }

  /** Creates a session on the agent that has the fewest; 503 where there is none. The id is made of what was asked, as it is. */
  create(order: SessionOrder): UserAnswer {
    const { database, namespace } = this.#parts;
    const { user, template, manifest, ...rest } = order;
    const agentID = this.#place();
    if (agentID === undefined) return { status: 503 };
    const id = `${user}-${template}-${randomBytes(4).toString('hex')}`;
    const session = database.addSession({ id, user, template, agentID, state: 'pending' });
    if (this.#parts.hub().get(agentID) === undefined) {
      // Registered, so online, but without a socket.
      database.move(session, 'failed');
      const command = this.#command(session, 'start_session', {});
      return { status: 503, session, command };
    }
    const payload = {
      sessionId: id,
      user,
      template,
      ...(manifest === null ? {} : { templateManifest: manifest ?? manifestOf(template) }),
      namespace,
      memory: '2Gi',
      cpu: '1000m',
      persistentHome: false,
      idleTimeout: '',
      maxSessionDuration: '',
      tags: null,
      ...rest,
    };
    return { status: 202, session, command: this.#command(session, 'start_session', payload) };
  }

  /** Asks to hibernate a running session. */
  hibernate(id: string): UserAnswer {
    return this.#ask(id, 'hibernate');
  }

  /** Asks to wake a hibernated session. */
  wake(id: string): UserAnswer {
    return this.#ask(id, 'wake');
  }

  /** Asks to delete a session. */
  delete(id: string): UserAnswer {
    return this.#ask(id, 'delete');
  }

  /** The batch operations: they change rows of the database, and no agent hears of it. */
  batch(operation: 'terminate' | 'hibernate' | 'wake' | 'delete', ids: readonly string[]): void {
    const { database, journal } = this.#parts;
    for (const id of ids) {
      const session = database.sessions.get(id);
      if (session === undefined) continue;
      if (operation === 'terminate') database.sessions.delete(id);
      else database.move(session, { hibernate: 'hibernated', wake: 'running', delete: 'terminated' }[operation]);
    }
    journal.changed();
  }

  /** Opens the desktop of a running session in a browser. */
  open(id: string): Browser {
    const session = this.#parts.database.sessions.get(id);
    if (session?.state !== 'running' || session.url === undefined)
      throw new Error(`409: session ${id} is ${session?.state ?? 'unknown'} and has ${session?.url === undefined ? 'no' : 'a'} url`);
    return this.#parts.vnc.attach(id, session.agentID);
  }

  #ask(id: string, request: keyof typeof REQUESTS): UserAnswer {
    const { database, namespace } = this.#parts;
    const session = database.sessions.get(id);
    if (session === undefined) return { status: 404 };
    const { action, from, to } = REQUESTS[request];
    if (!from.some((state) => state === session.state)) return { status: 409, session };
    database.move(session, to);
    // Where the agent is away the command fails when a worker takes it, and the session stays as it is.
    return { status: 202, session, command: this.#command(session, action, { sessionId: id, namespace }) };
  }

  #command(session: SessionRow, action: string, payload: Record<string, unknown>): CommandRow {
    const { database, dispatcher, journal } = this.#parts;
    const id = `cmd-${randomBytes(4).toString('hex')}`;
    const command = database.addCommand({ id, agentID: session.agentID, action, sessionID: session.id, payload });
    dispatcher.add(command);
    journal.changed();
    return command;
  }

  #place(): string | undefined {
    const { database, timings } = this.#parts;
    const load = (agentID: string) =>
      [...database.sessions.values()].filter((row) => row.agentID === agentID && ['running', 'hibernated', 'pending'].includes(row.state))
        .length;
    const fit = [...database.agents.values()].filter(
      ({ platform, status, lastHeartbeat }) =>
        platform === 'kubernetes' && status === 'online' && Date.now() - lastHeartbeat <= timings.placement,
    );
    return fit.map(({ agentID }) => ({ agentID, load: load(agentID) })).sort((a, b) => a.load - b.load)[0]?.agentID;
  }
}

/** A template manifest as the control plane sends it (streamspace.md 4.1). */
export function manifestOf(name: string, spec: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    apiVersion: 'stream.space/v1alpha1',
    kind: 'Template',
    metadata: { name },
    spec: {
      baseImage: `linuxserver/${name}:latest`,
      defaultResources: { cpu: '1000m', memory: '2Gi' },
      ports: [{ name: 'vnc', containerPort: 3000, protocol: 'TCP' }],
      env: [{ name: 'PUID', value: '1000' }],
      volumeMounts: [{ name: 'user-home', mountPath: '/config' }],
      vnc: { enabled: true, port: 3000 },
      ...spec,
    },
  };
}
