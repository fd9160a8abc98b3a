import { type Session, sessionTopic } from '../../api/session.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { ActionContext, Progress } from '../action.ts';
import { failed } from '../outcome.ts';
import { timeLeft } from '../time-left.ts';
import { type Asked, deskOf, hasFailed, intentOf, isCurrent, isReached, shown } from './asked.ts';
import { endOf, readRecord, recordOf } from './result.ts';

/** The watch tells every change; this often it is looked at anyway. */
const LOOK_SECONDS = 60;

/** What was asked to be when the action starts: recorded with the start. */
export async function rememberSession({ name }: Pick<Asked, 'name'>, context: ActionContext): Promise<JsonObject> {
  const desk = deskOf(context);
  const session = await desk.read(name, context.signal);
  return { before: !session || session.metadata.deletionTimestamp ? 'Absent' : desk.desired(session) };
}

/** One look at a session action: states its intent in the Session, once, and then waits until that is so. */
export async function passOf(asked: Asked, context: ActionContext): Promise<Progress> {
  const { uid } = readRecord(context.before.result);
  return uid === undefined ? ask(asked, context) : look(asked, uid, context);
}

async function ask(asked: Asked, context: ActionContext): Promise<Progress> {
  const { name, state, timeoutSeconds } = asked;
  if (timeLeft(context, timeoutSeconds) <= 0) {
    return failed('Timeout', `${shown(name)} could not be asked to be ${state} within ${timeoutSeconds} s`);
  }
  const refusal = refusalOf(asked, context);
  if (refusal !== undefined) return failed('CapacityReached', `${shown(name)}: ${refusal}`);
  const outcome = await deskOf(context).intend(name, intentOf(asked, context), context.signal);
  switch (outcome.kind) {
    case 'recorded': {
      const record = readRecord(context.before.result);
      // Where this call did nothing an earlier one that was not heard of may have made it.
      const isUnknown = outcome.did === 'Nothing' && record.before === 'Absent';
      const known = asked.restarts && !isUnknown ? { ...record, created: outcome.did === 'Create' } : record;
      return judge(asked, outcome.session, context, recordOf(outcome.session, state, known));
    }
    case 'superseded':
      return superseded(asked, outcome.by);
    case 'stopped':
      return failed('SessionStopped', `${shown(name)} is to be stopped, which only a SessionStart takes back`);
    case 'replaced':
      return replaced(asked, outcome.session, context.targetUID);
    case 'leaving':
      return leaving(asked, outcome.session, context, context.before.result);
    case 'absent':
      return absent(asked, context.before.result, state === 'Stopped' ? undefined : 'not found');
  }
}

/** Whether there is room, asked only where a session would become active. */
export function refusalOf({ name, state, request, restarts }: Asked, context: ActionContext): string | undefined {
  const desk = deskOf(context);
  const session = desk.get(name);
  if (state !== 'Running') return undefined;
  if (!session) return request && desk.refusal(name, request);
  const desired = desk.desired(session);
  const mayBecomeActive = desired === 'Hibernated' || (desired === 'Stopped' && restarts === true);
  return mayBecomeActive ? desk.refusal(name, request) : undefined;
}

async function look(asked: Asked, uid: string, context: ActionContext): Promise<Progress> {
  const desk = deskOf(context);
  const { result } = context.before;
  const session = desk.get(asked.name) ?? (await desk.read(asked.name, context.signal));
  if (!session) return absent(asked, result, 'was deleted meanwhile');
  if (session.metadata.uid !== uid) return replaced(asked, session, uid, result);
  if (session.metadata.deletionTimestamp) return leaving(asked, session, context, result);
  // A wake that fails is hibernated by the operator: that is its failure, and overrules nobody.
  if (hasFailed(session, asked, context.startedAt)) return failure(asked, session, result);
  const by = desk.overruled(session, intentOf(asked, context));
  return by === undefined ? judge(asked, session, context, result) : superseded(asked, by, result);
}

/** Reached, failed, too late, or under way for the reason that the Session gives. */
function judge(asked: Asked, session: Session, context: ActionContext, result: JsonObject): Progress {
  const { name, state, timeoutSeconds } = asked;
  const known = isCurrent(session, state);
  const { reason, message } = known ? causeOf(session) : { reason: 'InProgress', message: `${shown(name)} was asked to be ${state}` };
  if (known && isReached(session, asked)) {
    const done = result.changed === false ? `already ${state}` : state;
    return { state: 'succeeded', message: `${shown(name)} is ${done}`, result: { ...result, ...endOf(session) } };
  }
  if (known && hasFailed(session, asked, context.startedAt)) return failure(asked, session, result);
  if (timeLeft(context, timeoutSeconds) <= 0) {
    const why = `${shown(name)} is not ${state} after ${timeoutSeconds} s: ${reason}: ${message}`;
    return failed('Timeout', why, { result: { ...result, ...endOf(session) } });
  }
  return waiting(asked, context, { reason, message, result });
}

function failure({ name }: Asked, session: Session, result: JsonObject): Progress {
  const { reason, message } = causeOf(session);
  return failed(reason, `${shown(name)} failed: ${message}`, { result: { ...result, ...endOf(session) } });
}

/** Why the session is as it is, in its own words. */
function causeOf({ status }: Session): { readonly reason: string; readonly message: string } {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  return ready && ready.status !== 'True' ? ready : { reason: 'InProgress', message: `the session is ${status?.phase}` };
}

function waiting(
  { name, timeoutSeconds }: Asked,
  context: ActionContext,
  facts: { readonly reason: string; readonly message: string; readonly result: JsonObject },
): Progress {
  const orAfter = Math.max(0, Math.min(LOOK_SECONDS, timeLeft(context, timeoutSeconds)));
  const changed = [sessionTopic(deskOf(context).namespace, name)];
  return { state: 'running', ...facts, next: { kind: 'when', changed, orAfter } };
}

/** A stop is done when it has left; a start that can make another one waits until then. */
function leaving(asked: Asked, session: Session, context: ActionContext, result: JsonObject): Progress {
  const { name, state, timeoutSeconds, request } = asked;
  const isStart = request !== undefined && readRecord(result).uid === undefined;
  if (state !== 'Stopped' && !isStart) return failed('TargetNotFound', `${shown(name)} is being deleted`, { result });
  const message = `${shown(name)} is being deleted: ${causeOf(session).message}`;
  if (timeLeft(context, timeoutSeconds) <= 0) return failed('Timeout', `${message}; not done after ${timeoutSeconds} s`, { result });
  return waiting(asked, context, { reason: 'SessionDeleting', message, result });
}

function absent({ name, state }: Asked, result: JsonObject, why: string | undefined): Progress {
  if (state !== 'Stopped') return failed('TargetNotFound', `${shown(name)} ${why}`, { result });
  const changed = readRecord(result).before !== 'Absent';
  return { state: 'succeeded', message: `${shown(name)} is absent`, result: { ...result, session: name, changed, state: 'Absent' } };
}

function superseded({ name, state }: Asked, by: string, result: JsonObject = {}): Progress {
  return failed('Superseded', `${shown(name)} is not to be ${state} any more: overruled by ${by}`, { result });
}

function replaced({ name }: Asked, { metadata }: Session, meant: string, result: JsonObject = {}): Progress {
  const why = meant === '' ? 'it did not exist when the action started' : `the action is meant for ${meant}`;
  return failed('TargetReplaced', `${shown(name)} is another one: its UID is ${metadata.uid}, ${why}`, { result });
}
