import type { ActionContext } from '../action.ts';
import { type Asked, deskOf, intentOf, shown } from './asked.ts';
import { readRecord } from './result.ts';

/**
 * Gives a session that did not come to run back the state it had, unless somebody has asked for another one since. One that this action made is stopped, with
 * its home kept; but one that says itself that it failed holds nothing any more, and stays so that everybody can see why.
 */
export async function giveBack(asked: Asked, context: ActionContext): Promise<string | undefined> {
  const { before, created } = readRecord(context.before.result);
  if (before === undefined || before === 'Running' || (created === false && before === 'Absent')) return undefined;
  const desk = deskOf(context);
  const session = await desk.read(asked.name, context.signal);
  if (before === 'Absent' && session?.status?.phase === 'Failed') return undefined;
  const state = before === 'Absent' ? 'Stopped' : before;
  const { by, at } = intentOf(asked, context);
  const outcome = await desk.intend(asked.name, { state, by, at, insteadOf: 'Running' }, context.signal);
  if (outcome.kind !== 'recorded') return undefined;
  return before === 'Absent' ? `${shown(asked.name)} is stopped, its home kept` : `${shown(asked.name)} is to be ${state} again, as before`;
}

/** Says that what a Session was asked to be is not taken back half-way: its pod may have gone, and what it had in memory with it. */
export async function tellWhatStays(asked: Asked, context: ActionContext): Promise<string | undefined> {
  const desk = deskOf(context);
  const session = await desk.read(asked.name, context.signal);
  if (readRecord(context.before.result).uid === undefined || !session || desk.overruled(session, intentOf(asked, context)) !== undefined)
    return undefined;
  const back = asked.state === 'Hibernated' ? 'SessionWake' : 'SessionStart';
  return `${shown(asked.name)} is still to be ${asked.state}; to have it run: ${back}`;
}
