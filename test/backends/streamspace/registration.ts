import { randomBytes } from 'node:crypto';
import type { Answer } from '../cloudoptim/answers.ts';
import type { AgentRow, Database } from './database.ts';
import type { Journal, Route } from './journal.ts';
import { firstIssue, httpHeartbeat, isOfType, registration } from './wire.ts';

/** Who calls: what it shows, and for whom it says it speaks. */
export interface Caller {
  readonly route: Route;
  readonly agentID: string | undefined;
  readonly key: string | undefined;
  /** The common name of a client certificate that the agent authority has signed. */
  readonly certificate: string | undefined;
}

/** Whose word it was, once a caller is known. */
interface Known {
  readonly by: 'bootstrap' | 'own';
  /** Absent for an id that registers for the first time. */
  readonly row?: AgentRow;
}

/** Ids that the filter of the real one takes for an attack. */
const ATTACK = /--|#|\/\*|[;&|`]|\$\(/;

/** The HTTP routes of agents, with every answer of streamspace.md 1.2 and 1.3. */
export class Registration {
  readonly bootstrapKey: string;
  /** True: an approval carries an `apiKey`, as in older servers, and that is the agent's own from then on. */
  tellsKeys = false;
  /** How an approved registration with the bootstrap key is answered. */
  approvedStatus: 200 | 201 = 200;
  readonly #database: Database;
  readonly #journal: Journal;

  constructor(database: Database, journal: Journal, bootstrapKey = randomBytes(32).toString('hex')) {
    this.#database = database;
    this.#journal = journal;
    this.bootstrapKey = bootstrapKey;
  }

  /** Answers a registration. */
  register(caller: Caller, body: unknown): Answer {
    if (caller.agentID === undefined) return this.#malformed(caller, 'agentId is missing');
    const known = this.#authenticate(caller);
    if ('status' in known) return known;
    const read = registration.safeParse(body);
    if (!read.success) return this.#malformed(caller, firstIssue(read.error), isOfType(read.error) ? 'details' : 'fields');
    const { agentId, platform, region, capacity, metadata } = read.data;
    if (platform !== 'kubernetes') return this.#malformed(caller, `platform ${platform} is not kubernetes`);
    const row = known.row ?? this.#database.addAgent(agentId);
    if (row.approval === 'rejected') return { status: 403, body: { error: 'Agent rejected', approvalStatus: 'rejected' } };
    // What is known is online from here on, with or without a socket.
    if (known.row !== undefined) row.status = 'online';
    Object.assign(row, { region: region ?? '', capacity: capacity ?? {}, metadata: metadata ?? {}, lastHeartbeat: Date.now() });
    this.#journal.changed();
    if (known.by === 'own') return { status: 200, body: shown(row) };
    if (row.approval === 'pending')
      return { status: 202, body: { agent: shown(row), approvalStatus: 'pending', message: 'Agent registered, awaiting approval' } };
    const told = this.tellsKeys ? { apiKey: this.#tell(row) } : {};
    return { status: this.approvedStatus, body: { agent: shown(row), approvalStatus: 'approved', message: 'Agent registered', ...told } };
  }

  /** Answers an HTTP heartbeat. */
  heartbeat(caller: Caller, body: unknown): Answer {
    const known = this.#authenticate(caller);
    if ('status' in known) return known;
    const read = httpHeartbeat.safeParse(body);
    if (!read.success) return this.#malformed(caller, firstIssue(read.error), isOfType(read.error) ? 'details' : 'fields');
    if (known.row !== undefined) Object.assign(known.row, { status: read.data.status, lastHeartbeat: Date.now() });
    this.#journal.changed();
    return { status: 200, body: { message: 'Heartbeat received' } };
  }

  /** Answers a handshake that may not be; undefined for one that may. A rejected agent may, too: nobody looks. */
  connect(caller: Caller): Answer | undefined {
    const { agentID = '' } = caller;
    if (agentID === '') return this.#malformed(caller, 'agent_id is missing');
    if (ATTACK.test(agentID)) return this.#malformed(caller, `agent_id ${agentID} looks like an attack`);
    const known = this.#authenticate(caller);
    return 'status' in known ? known : undefined;
  }

  #authenticate(caller: Caller): Answer | Known {
    const { agentID = '', key, certificate, route } = caller;
    const row = this.#database.agents.get(agentID);
    if (certificate !== undefined && this.#database.agents.has(certificate)) {
      if (certificate !== agentID || row === undefined) return { status: 403, body: { error: 'The certificate is of another agent' } };
      return { by: 'own', row };
    }
    if (key === undefined) return { status: 401, body: { error: 'Missing API key', details: 'send X-Agent-API-Key' } };
    if (!/^[0-9a-f]{64}$/i.test(key)) return { status: 401, body: { error: 'Invalid API key', details: 'it must be 64 hex characters' } };
    const bootstrap = key === this.bootstrapKey;
    if (row === undefined) {
      if (bootstrap && route === 'register') return { by: 'bootstrap' };
      return { status: 404, body: { error: 'Agent not found', details: 'register it first', agentId: agentID } };
    }
    if (key === row.key) return { by: 'own', row };
    return bootstrap ? { by: 'bootstrap', row } : { status: 403, body: { error: 'Invalid API key' } };
  }

  /** What cannot be read is told as `details`, what can be and is not allowed as `fields`. */
  #malformed({ route, agentID }: Caller, why: string, member: 'details' | 'fields' = 'details'): Answer {
    this.#journal.violate(`${route} of ${agentID ?? 'nobody'}: ${why}`);
    const [field = '', words = ''] = why.split(/: (.*)/s);
    return { status: 400, body: { error: 'Invalid request', [member]: member === 'details' ? why : { [field]: words } } };
  }

  #tell(row: AgentRow): string {
    row.key ??= randomBytes(32).toString('hex');
    return row.key;
  }
}

function shown({ id, agentID, platform, region, status, capacity, lastHeartbeat, metadata }: AgentRow) {
  const times = { lastHeartbeat: new Date(lastHeartbeat).toISOString() };
  // The nested one is always empty.
  return { id, agentId: agentID, platform, region, status, approvalStatus: '', capacity, ...times, metadata };
}
