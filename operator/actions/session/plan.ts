import type { ActionContext, Plan } from '../action.ts';
import { type Asked, deskOf, shown } from './asked.ts';
import { refusalOf } from './pass.ts';

const NOTHING: Plan = { change: 0, skip: [], blocked: [] };

/** What would become of the Session. */
export async function planSession(asked: Asked, context: ActionContext): Promise<Plan> {
  const { name, state, request, restarts } = asked;
  const desk = deskOf(context);
  const blocked = (why: string): Plan => ({ ...NOTHING, blocked: [`${shown(name)}: ${why}`] });
  const skipped = (why: string): Plan => ({ ...NOTHING, skip: [`${shown(name)}: ${why}`] });
  const session = await desk.read(name, context.signal);
  if (!session && state === 'Stopped') return skipped('absent');
  if (!session && !request) return blocked('not found');
  if (session?.metadata.deletionTimestamp && !request)
    return state === 'Stopped' ? skipped('is being deleted') : blocked('is being deleted');
  const desired = session && desk.desired(session);
  if (desired === state) return skipped(`already to be ${state}`);
  if (desired === 'Stopped' && !restarts) return blocked('is to be stopped, which only a SessionStart takes back');
  const refusal = refusalOf(asked, context);
  if (refusal !== undefined) return blocked(refusal);
  return { ...NOTHING, change: 1, changes: [`${shown(name)}: ${desired ?? 'absent'} → ${state}`] };
}
