import type { JsonObject } from '../../lib/json.ts';
import type { Report, SessionFacts } from '../backend.ts';
import type { SessionSettings } from '../settings.ts';

/** A message to the control plane (streamspace.md 2.4). */
export interface OutboundMessage {
  readonly type: 'heartbeat' | 'ack' | 'complete' | 'failed' | 'status' | 'pong' | 'vnc_data' | 'vnc_ready' | 'vnc_error';
  readonly payload?: JsonObject;
}

/** Where `error` and `result` are cut, in bytes: even with every character escaped the frame stays below the 512 KiB that end the connection. */
const MOST_TEXT = 64 * 1024;
/** Of a session whose Service says nothing else. */
const DEFAULT_PORT = 3000;

const states = { Running: 'running', Hibernated: 'hibernated', Stopped: 'terminated', Failed: 'failed' } as const;

/** Their member of a result ← ours, best first. */
const resultNames: Readonly<Record<string, readonly string[]>> = {
  sessionId: ['sessionID'],
  deployment: ['deployment'],
  service: ['service'],
  pvc: ['claimName', 'pvc'],
  podName: ['podName'],
  podIP: ['podIP'],
  vncPort: ['port', 'vncPort'],
  state: ['state'],
};

/** One document, stamped now. */
export function encode({ type, payload }: OutboundMessage): string {
  return JSON.stringify({ type, timestamp: new Date().toISOString(), ...(payload === undefined ? {} : { payload }) });
}

/** The liveness of the agent; a wrong type would void it, so that a fraction of a session is cut off. */
export function heartbeat(active: number, capacity: SessionSettings['capacity']): OutboundMessage {
  return { type: 'heartbeat', payload: { status: 'online', activeSessions: active, capacity: wireCapacity(capacity) } };
}

/** Capacity as registration and heartbeat carry it: a whole number of sessions, and texts. */
export function wireCapacity({ maxSessions, cpu, memory }: SessionSettings['capacity']): JsonObject {
  return { maxSessions: Math.trunc(maxSessions), cpu: String(cpu), memory: String(memory) };
}

/** Says that a command is recorded. */
export function ack(commandId: string): OutboundMessage {
  return { type: 'ack', payload: { commandId } };
}

/** The end of a command. A dry run has done nothing, which is no completion for somebody who waits for a desktop. */
export function ending(report: Report): OutboundMessage {
  const { taskID: commandId, outcome, message, reason, plan } = report;
  if (outcome === 'Succeeded' && plan === undefined) return { type: 'complete', payload: { commandId, result: wireResult(report.result) } };
  const dry = plan === undefined ? '' : 'nothing was done, the operator only plans (DRY_RUN): ';
  return { type: 'failed', payload: { commandId, error: cut(`${dry}${message || reason}`, MOST_TEXT) } };
}

/** The state of a session; undefined while it is on its way to one. Every `running` names port and pod: without them nobody can open it. */
export function sessionStatus(session: SessionFacts): OutboundMessage | undefined {
  if (session.state === undefined) return undefined;
  const facts = { sessionId: session.sessionID, state: states[session.state] };
  if (session.state !== 'Running') return { type: 'status', payload: { ...facts, vncReady: false } };
  const { port = DEFAULT_PORT, podName = '' } = session;
  return { type: 'status', payload: { ...facts, vncReady: true, vncPort: port, platformMetadata: { podName } } };
}

/** What a desktop says, in base64. */
export function vncData(sessionId: string, data: string): OutboundMessage {
  return { type: 'vnc_data', payload: { sessionId, data } };
}

/** Ends the browser that waits for a desktop. */
export function vncError(sessionId: string, error: string): OutboundMessage {
  return { type: 'vnc_error', payload: { sessionId, error: cut(error, MOST_TEXT) } };
}

/** The result under the reference agent's names; what is no part of it there stays under ours, unless all of it would be too long. */
function wireResult(result: JsonObject): JsonObject {
  const ours = new Set(Object.values(resultNames).flat());
  const rest = Object.fromEntries(Object.entries(result).filter(([name]) => !ours.has(name)));
  const theirs: JsonObject = Object.fromEntries(
    Object.entries(resultNames).flatMap(([name, candidates]) => {
      const value = candidates.map((candidate) => result[candidate]).find((each) => each !== undefined);
      return value === undefined ? [] : [[name, name === 'state' ? wireState(value) : value]];
    }),
  );
  const whole = { ...rest, ...theirs };
  if (Buffer.byteLength(JSON.stringify(whole)) <= MOST_TEXT) return whole;
  const texts = Object.entries(theirs).map(([name, value]) => [name, typeof value === 'string' ? cut(value, 1024) : value]);
  const short = { ...Object.fromEntries(texts), truncated: true };
  return Buffer.byteLength(JSON.stringify(short)) <= MOST_TEXT ? short : { truncated: true };
}

function wireState(value: unknown): string {
  const known: Readonly<Record<string, string>> = states;
  return typeof value === 'string' && Object.hasOwn(known, value) ? (known[value] ?? value) : String(value).toLowerCase();
}

/** At most so many bytes of UTF-8, whole characters only. */
function cut(text: string, most: number): string {
  const bytes = Buffer.from(text.toWellFormed());
  if (bytes.length <= most) return text.toWellFormed();
  let end = most - 3;
  // Not inside a character: its later bytes begin with the bits 10.
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return `${bytes.subarray(0, end).toString('utf8')}…`;
}
