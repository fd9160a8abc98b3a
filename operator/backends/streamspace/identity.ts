import type { KeyForm } from '../transport/credential.ts';

/** What the control plane takes at registration and at the handshake: it registers an id with `--`, and then never lets it connect. */
const agentID = /^(?!.*--)[A-Za-z0-9._-]{3,100}$/;
const key = /^[0-9a-fA-F]{64}$/;

/** Throws TypeError where the control plane would not let an agent of this id in (streamspace.md 1.1). */
export function checkAgentID(id: string): void {
  if (agentID.test(id)) return;
  throw new TypeError(
    `The agent id ${JSON.stringify(id.slice(0, 120))} cannot be used: choose 3 to 100 letters, digits, '.', '_' and '-', without '--' (AGENT_ID, spec.agentID)`,
  );
}

/** How the key is shown; `optional` where a client certificate says who we are. */
export function keyForm(optional: boolean): KeyForm {
  return { usable: key, header: (value) => ['X-Agent-API-Key', value], optional };
}

/** Why a text cannot be the key, without the text; undefined where it can. */
export function keyFlaw(text: string | undefined): string | undefined {
  const trimmed = text?.trim() ?? '';
  if (key.test(trimmed)) return undefined;
  const fix = 'put the bootstrap key or the own key of the agent into the Secret (AGENT_API_KEY)';
  if (trimmed === '') return `There is no API key: ${fix}`;
  const what = trimmed.length === 64 ? 'has other characters' : `has ${trimmed.length}`;
  return `The API key must be exactly 64 hexadecimal characters, this one ${what}: ${fix}`;
}
