import type { JsonObject } from '../../lib/json.ts';
import type { Seconds } from '../../lib/next.ts';
import { BackendError, type ContactEvent } from '../backend.ts';
import type { BackendSettings, SessionSettings } from '../settings.ts';
import { type Answer, isPathNotServed } from '../transport/answer.ts';
import type { Credential } from '../transport/credential.ts';
import type { JSONClient } from '../transport/http.ts';
import { isObject } from '../transport/json.ts';
import { wireCapacity } from './outbound.ts';

/** Where agents register, connect and send their HTTP heartbeats. */
export const AGENTS = '/api/v1/agents';

/** The waits after answers that are no failure of the network. */
export interface RegistrationWaits {
  /** While an administrator has not approved the agent. */
  readonly pending: Seconds;
  /** After an administrator has rejected it. */
  readonly rejected: Seconds;
  /** After a wrong key, an unknown id, a bad body. */
  readonly refused: Seconds;
}

/** What the protocol asks for (streamspace.md 1.2). */
export const WAITS: RegistrationWaits = { pending: 30, rejected: 600, refused: 60 };

/** Why there is no connection, as it is told. */
export type Problem = Extract<ContactEvent, { readonly kind: 'unauthenticated' | 'refused' | 'unreachable' }>;

/** What the control plane says to a registration; `apiKey` is a key that it has issued. */
export type Verdict =
  | { readonly kind: 'approved'; readonly apiKey?: string }
  | { readonly kind: 'pending'; readonly apiKey?: string; readonly event: Problem; readonly wait: Seconds }
  /** `wait` is absent where the backoff decides. */
  | { readonly kind: 'refused'; readonly event: Problem; readonly wait?: Seconds };

/** Calls over HTTP in the name of one agent. */
export class Registrar {
  readonly #settings: BackendSettings & { readonly sessions: SessionSettings };
  readonly #client: JSONClient;
  readonly #credential: Credential;
  readonly #waits: RegistrationWaits;

  constructor(
    settings: BackendSettings & { readonly sessions: SessionSettings },
    client: JSONClient,
    credential: Credential,
    waits: RegistrationWaits,
  ) {
    this.#settings = settings;
    this.#client = client;
    this.#credential = credential;
    this.#waits = waits;
  }

  /** Registers; never throws. */
  async register(signal: AbortSignal): Promise<Verdict> {
    const { agentID, sessions } = this.#settings;
    const body: JsonObject = {
      agentId: agentID,
      platform: 'kubernetes',
      ...(sessions.region === undefined ? {} : { region: sessions.region }),
      capacity: wireCapacity(sessions.capacity),
      metadata: { namespace: sessions.namespace, kubernetes: true },
    };
    try {
      const answer = await this.#client.request({ method: 'POST', path: `${AGENTS}/register`, body, signal, judges: [401, 403, 429] });
      return judge(answer, agentID, this.#waits, (words) => this.#credential.redact(words));
    } catch (error) {
      const { message, retryAfter } = error as BackendError;
      return { kind: 'refused', event: { kind: 'unreachable', message }, ...(retryAfter === undefined ? {} : { wait: retryAfter }) };
    }
  }

  /** Tells the control plane to place nothing here until the next heartbeat over the socket; throws BackendError. */
  async drain(activeSessions: number, signal: AbortSignal): Promise<void> {
    const path = `${AGENTS}/${encodeURIComponent(this.#settings.agentID)}/heartbeat`;
    const answer = await this.#client.request({ method: 'POST', path, body: { status: 'draining', activeSessions }, signal });
    if (answer.status >= 300)
      throw new BackendError(`POST ${path} was answered ${answer.status}: ${answer.words}`, { status: answer.status });
  }
}

/** Reads the answer to a registration by its HTTP status first: any JSON, even an error, looks like an approval to who trusts the body alone. */
export function judge(answer: Answer, agentID: string, waits: RegistrationWaits, redact: (words: string) => string): Verdict {
  const body = isObject(answer.json) ? answer.json : {};
  const said = redact(wordsOf(body));
  const words = said === '' ? '' : `: ${said}`;
  if (answer.status < 300) return judgeTaken(answer, body, agentID, waits, said);
  switch (answer.status) {
    case 400: {
      const message = `The control plane refused the registration with 400${words}; fix the agent id, region or capacity in the configuration`;
      return { kind: 'refused', event: { kind: 'unreachable', message }, wait: waits.refused };
    }
    case 401: {
      const message = `The control plane does not take the API key (401)${words}; put the bootstrap key or the own key of the agent into the Secret`;
      return { kind: 'refused', event: { kind: 'unauthenticated', message }, wait: waits.refused };
    }
    case 403: {
      if (body.approvalStatus === 'rejected') return rejected(agentID, waits);
      const message = `The API key is not that of agent ${agentID} (403)${words}; put the bootstrap key or the own key of the agent into the Secret`;
      return { kind: 'refused', event: { kind: 'unauthenticated', message }, wait: waits.refused };
    }
    case 404: {
      if (isPathNotServed(answer)) {
        const message = 'The registration was answered 404: there is no StreamSpace control plane at this URL; check it';
        return { kind: 'refused', event: { kind: 'unreachable', message } };
      }
      const message = `The control plane does not know agent ${agentID}${words}; register it there, or use the bootstrap key`;
      return { kind: 'refused', event: { kind: 'refused', reason: 'NotRegistered', message }, wait: waits.refused };
    }
    case 429: {
      const asked = typeof body.retryAfter === 'number' && body.retryAfter > 0 ? Math.min(body.retryAfter, 3600) : waits.refused;
      const message = `The control plane asks for ${asked} s of patience (429)${words}`;
      return { kind: 'refused', event: { kind: 'unreachable', message }, wait: asked };
    }
    default: {
      const message = `The registration was answered ${answer.status}${words}`;
      return { kind: 'refused', event: { kind: 'unreachable', message } };
    }
  }
}

function judgeTaken(
  answer: Answer,
  body: Readonly<Record<string, unknown>>,
  agentID: string,
  waits: RegistrationWaits,
  said: string,
): Verdict {
  const agent = isObject(body.agent) ? body.agent : body;
  const issued = [body.apiKey, agent.apiKey].find((key) => typeof key === 'string' && key !== '');
  const apiKey = issued === undefined ? {} : { apiKey: issued as string };
  if (body.approvalStatus === 'rejected') return rejected(agentID, waits);
  if (answer.status === 202 || body.approvalStatus === 'pending') {
    const hint = said === '' ? '' : ` (${said})`;
    const message = `Agent ${agentID} waits for the approval of an administrator of the control plane${hint}`;
    return { kind: 'pending', ...apiKey, event: { kind: 'refused', reason: 'PendingApproval', message }, wait: waits.pending };
  }
  if (agent.agentId !== undefined || body.approvalStatus === 'approved') return { kind: 'approved', ...apiKey };
  const message = `The registration was answered ${answer.status} without an agent: there is no StreamSpace control plane at this URL; check it`;
  return { kind: 'refused', event: { kind: 'unreachable', message } };
}

function rejected(agentID: string, waits: RegistrationWaits): Verdict {
  const message = `An administrator of the control plane has rejected agent ${agentID}; approve it there, or choose another agent id`;
  return { kind: 'refused', event: { kind: 'refused', reason: 'Rejected', message }, wait: waits.rejected };
}

/** The control plane's own words: `error: details`, with the members it complains about, or a message. */
function wordsOf({ error, details, fields, message }: Readonly<Record<string, unknown>>): string {
  const parts = [error, details, fields].filter((part) => part !== undefined && part !== null && part !== '');
  const all = parts.length > 0 ? parts : [message].filter((part) => typeof part === 'string');
  return all.map((part) => (typeof part === 'string' ? part : JSON.stringify(part))).join(': ');
}
