import type { Task } from '../backend.ts';
import { isObject } from '../transport/json.ts';
import { quote, readDuration, readQuantity } from './amounts.ts';
import { readManifest } from './manifest.ts';
import { sessionName, slug } from './names.ts';

type Payload = Readonly<Record<string, unknown>>;

/** What became of a command: a task, valid or not, or nothing where it has no id to answer to; notes tell what of it was dropped. */
export interface ReadCommand {
  readonly task?: Task;
  readonly notes: readonly string[];
}

/** What the control plane may ask for → our action. */
const actions: Readonly<Record<string, string>> = {
  start_session: 'SessionStart',
  stop_session: 'SessionStop',
  hibernate_session: 'SessionHibernate',
  wake_session: 'SessionWake',
};

/** A command that cannot be carried out; the message names the member and what belongs there. */
class Flaw extends Error {}

/** Reads the payload of a `command` (streamspace.md 2.3, 4.1) for the OptimizationBackend of this name; never throws. */
export function readCommand(payload: unknown, backend: string): ReadCommand {
  if (!isObject(payload)) return { notes: ['a command has no payload'] };
  const id = identifier(payload.commandId);
  if (id === undefined || id.length > 512) return { notes: ['a command has no commandId of at most 512 characters'] };
  const notes: string[] = [];
  const { action } = payload;
  const known = typeof action === 'string' && Object.hasOwn(actions, action) ? actions[action] : undefined;
  const members = isObject(payload.payload) ? payload.payload : {};
  const sessionID = identifier(members.sessionId);
  const about = sessionID !== undefined && sessionID.length <= 512 ? { sessionID } : {};
  const invalid = (reason: string, message: string): ReadCommand => ({
    task: { kind: 'invalid', id, reason, message, ...(known === undefined ? {} : { action: known }), ...about },
    notes: [],
  });
  if (known === undefined) {
    return invalid('UnknownTaskType', `Unknown action ${quote(action)}; this operator runs ${Object.keys(actions).join(', ')}`);
  }
  try {
    const ours = known === 'SessionStart' ? start(members, backend, notes) : { params: named(members) };
    const told = notes.map((note) => `command ${quote(id)}: templateManifest: ${note}`);
    return { task: { kind: 'action', id, action: known, ...about, ...ours, params: withHome(known, members, ours.params) }, notes: told };
  } catch (error) {
    if (error instanceof Flaw) return invalid('InvalidParameters', error.message);
    throw error;
  }
}

function named(members: Payload): { sessionRef: { name: string } } {
  const id = identifier(members.sessionId);
  if (id === undefined) throw new Flaw('sessionId is missing: the id of the session');
  if (id.length > 512) throw new Flaw('sessionId has more than 512 characters');
  return { sessionRef: { name: sessionName(id) } };
}

function start(members: Payload, backend: string, notes: string[]): { params: object; requestedBy: string } {
  const user = filled(members, 'user', 253);
  const template = filled(members, 'template', 253);
  const params = named(members);
  const manifest = readManifest(members.templateManifest);
  notes.push(...manifest.notes);
  const cpu = amount(members, 'cpu', '500m');
  const memory = amount(members, 'memory', '1Gi');
  const session = {
    user,
    ...(manifest.template === undefined
      ? { templateRef: { name: templateName(template) } }
      : { template: manifest.template, templateName: template }),
    ...(cpu === undefined && memory === undefined ? {} : { resources: { ...(cpu && { cpu }), ...(memory && { memory }) } }),
    ...(isTrue(members, 'persistentHome') ? { home: { enabled: true } } : {}),
    ...time(members, 'idleTimeout', 'idleTimeout'),
    ...time(members, 'maxSessionDuration', 'maxDuration'),
    backendRef: { name: backend },
    sessionID: identifier(members.sessionId),
    ...tags(members.tags),
  };
  return { params: { ...params, session }, requestedBy: user };
}

/** The reference takes no home with it unless it is told to, and so do we. */
function withHome(action: string, members: Payload, params: object): object {
  return action === 'SessionStop' && isTrue(members, 'deletePVC') ? { ...params, deletePVC: true } : params;
}

function identifier(value: unknown): string | undefined {
  const text = typeof value === 'number' ? String(value) : value;
  return typeof text === 'string' && text.trim() !== '' && text.isWellFormed() ? text : undefined;
}

function filled(members: Payload, name: string, longest: number): string {
  const text = identifier(members[name]);
  if (text === undefined) throw new Flaw(`${name} is missing: a text of at most ${longest} characters`);
  if (text.length > longest) throw new Flaw(`${name} has more than ${longest} characters`);
  return text;
}

/** A SessionTemplate that people make bears the name as they write it there. */
function templateName(template: string): string {
  if (/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(template)) return template;
  const name = slug(template, 253);
  if (name === '')
    throw new Flaw(`template ${quote(template)} cannot be the name of a SessionTemplate, and no templateManifest has a baseImage`);
  return name;
}

function amount(members: Payload, name: string, example: string): string | undefined {
  const value = members[name];
  if (value === undefined || value === null || value === '') return undefined;
  const quantity = readQuantity(value);
  if (quantity === undefined) throw new Flaw(`${name} must be a quantity such as ${example}, not ${quote(value)}`);
  return quantity;
}

function time(members: Payload, theirs: string, ours: string): object {
  const duration = readDuration(members[theirs]);
  if (duration === undefined) throw new Flaw(`${theirs} must be a duration such as 30m, or "" for none, not ${quote(members[theirs])}`);
  return duration === '' ? {} : { [ours]: duration };
}

function isTrue(members: Payload, name: string): boolean {
  const value = members[name] ?? false;
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false' || value === '') return false;
  throw new Flaw(`${name} must be true or false, not ${quote(value)}`);
}

/** Nothing depends on tags: what is no word is left out. */
function tags(value: unknown): object {
  const words = Array.isArray(value)
    ? value.filter((tag) => typeof tag === 'string' && tag !== '').map((tag: string) => tag.slice(0, 128).toWellFormed())
    : [];
  return words.length === 0 ? {} : { tags: words.slice(0, 32) };
}
