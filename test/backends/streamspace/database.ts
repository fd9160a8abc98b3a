import { randomUUID } from 'node:crypto';

/** What an administrator has decided about an agent. */
type Approval = 'pending' | 'approved' | 'rejected';

/** An agent, as the control plane stores it. */
export interface AgentRow {
  readonly id: string;
  readonly agentID: string;
  platform: string;
  region: string;
  status: 'online' | 'offline' | 'draining';
  approval: Approval;
  /** Its own key, where an administrator has made one. */
  key?: string;
  capacity?: Readonly<Record<string, unknown>>;
  metadata?: Readonly<Record<string, unknown>>;
  /** Of `Date.now()`, as all times of rows. */
  lastHeartbeat: number;
}

/** A session, as the control plane shows it to its user. */
export interface SessionRow {
  readonly id: string;
  readonly user: string;
  readonly template: string;
  readonly agentID: string;
  state: string;
  /** All states so far, the present one last. */
  readonly history: string[];
  podName: string;
  url?: string;
  updatedAt: number;
  lastActivity: number;
}

/** What becomes of a command. */
export type CommandStatus = 'pending' | 'sent' | 'ack' | 'completed' | 'failed';

/** A command; the result that came with `complete` is not stored, as in the real one. */
export interface CommandRow {
  readonly id: string;
  readonly agentID: string;
  readonly action: string;
  /** The session it is about, where it names one. */
  readonly sessionID?: string;
  readonly payload: Readonly<Record<string, unknown>>;
  status: CommandStatus;
  readonly history: CommandStatus[];
  error?: string;
}

/** What outlives the process of the control plane. */
export class Database {
  readonly agents = new Map<string, AgentRow>();
  readonly sessions = new Map<string, SessionRow>();
  readonly commands = new Map<string, CommandRow>();
  /** True: a column is missing, so that no update of a command succeeds and rows stay `pending`. */
  fresh = false;

  /** Stores a new agent. */
  addAgent(agentID: string, facts: Partial<AgentRow> = {}): AgentRow {
    const row: AgentRow = {
      id: randomUUID(),
      agentID,
      platform: 'kubernetes',
      region: '',
      status: 'offline',
      approval: 'pending',
      lastHeartbeat: 0,
      ...facts,
    };
    this.agents.set(agentID, row);
    return row;
  }

  /** Stores a session. */
  addSession(facts: Pick<SessionRow, 'id' | 'user' | 'template' | 'agentID' | 'state'>): SessionRow {
    const now = Date.now();
    const row: SessionRow = { ...facts, history: [facts.state], podName: '', updatedAt: now, lastActivity: now };
    this.sessions.set(row.id, row);
    return row;
  }

  /** Stores a command. */
  addCommand(facts: Omit<CommandRow, 'status' | 'history'>): CommandRow {
    const row: CommandRow = { ...facts, status: 'pending', history: ['pending'] };
    this.commands.set(row.id, row);
    return row;
  }

  /** Moves a session. */
  move(session: SessionRow, state: string): void {
    session.state = state;
    session.history.push(state);
    session.updatedAt = Date.now();
  }

  /** Updates a command, where the database can. */
  mark(command: CommandRow, status: CommandStatus, error?: string): void {
    if (this.fresh) return;
    command.status = status;
    command.history.push(status);
    if (error !== undefined) command.error = error;
  }

  /** The commands about a session, oldest first. */
  commandsOf(sessionID: string): CommandRow[] {
    return [...this.commands.values()].filter((command) => command.sessionID === sessionID);
  }
}
