import { INTENT, type Session } from '../api/session.ts';
import type { SessionIntent } from '../api/session-desk.ts';
import { SESSION_STATES, type SessionState } from '../api/session-spec.ts';
import { desiredOf, standingOverride } from './desired.ts';

/** What an intent asks for, as the annotation has it: Start is Running, also for a session that is to be stopped. */
type Asked = 'Start' | SessionState;

/** The intent that stands in a Session. */
interface StandingIntent {
  readonly at: Date;
  readonly by: string;
  readonly asked: Asked;
}

const ASKED: readonly string[] = ['Start', ...SESSION_STATES];
const EDIT = 'an edit of its spec';

/** What is to be done about an intent: nothing, because it stands or may not; or `free`, and then it is to be written. */
export type Verdict =
  | { readonly kind: 'free' | 'recorded' | 'stopped' | 'replaced' }
  | { readonly kind: 'superseded'; readonly by: string };

/** The intent as the annotation carries it. */
export function formatIntent({ at, by, state, restarts }: SessionIntent): string {
  return `${at.toISOString()} ${by} ${restarts ? 'Start' : state}`;
}

/** The intent that the annotation carries; undefined where there is none, or none that can be read. */
function standingIntent({ metadata }: Pick<Session, 'metadata'>): StandingIntent | undefined {
  const [at = '', by, asked = ''] = (metadata.annotations?.[INTENT] ?? '').split(' ');
  if (Number.isNaN(Date.parse(at)) || !by || !ASKED.includes(asked)) return undefined;
  return { at: new Date(at), by, asked: asked as Asked };
}

/**
 * Judges an intent by the Session as it was read. The later intent counts, and of two of the same moment the one with the later name, but that a stop gives
 * way to a start only. What was decided or edited since beats them all.
 */
export function judge(session: Session, intent: SessionIntent): Verdict {
  const last = standingIntent(session);
  const own = last !== undefined && isOf(last, intent);
  if (intent.uid !== undefined && intent.uid !== session.metadata.uid && !own) return { kind: 'replaced' };
  if (intent.insteadOf !== undefined) return judgeUndoing(session, intent, own ? last : undefined);
  const by = overruler(session, intent);
  if (own) return by === undefined ? { kind: 'recorded' } : { kind: 'superseded', by };
  const { override } = session.status ?? {};
  // It was written as an override, and the spec has been edited before the annotation was.
  const isEdited = override !== undefined && isOf(override, intent) && override.generation !== session.metadata.generation;
  if (isEdited && by !== undefined) return { kind: 'superseded', by };
  return judgeAgainst(session, intent, last);
}

function judgeAgainst(session: Session, intent: SessionIntent, last: StandingIntent | undefined): Verdict {
  const desired = desiredOf(session);
  const isLate = last !== undefined && isLater(last, intent);
  if (intent.state === 'Stopped') {
    return isLate && last.asked === 'Start' && desired !== 'Stopped' ? { kind: 'superseded', by: last.by } : { kind: 'free' };
  }
  if (desired === 'Stopped' && !intent.restarts) return { kind: 'stopped' };
  const active = standingOverride(session);
  if (active && !isOf(active, intent) && isLater(active, intent) && desired !== intent.state) {
    return { kind: 'superseded', by: nameOf(active) };
  }
  if (!isLate) return { kind: 'free' };
  // Two that want the same do not contradict each other, and the later one has its mark there already.
  return desired === intent.state ? { kind: 'recorded' } : { kind: 'superseded', by: last.by };
}

function judgeUndoing(session: Session, intent: SessionIntent, own: StandingIntent | undefined): Verdict {
  const by = overruler(session, intent);
  if (!own) return { kind: 'superseded', by: by ?? EDIT };
  if (own.asked === intent.state) return by === undefined ? { kind: 'recorded' } : { kind: 'superseded', by };
  const active = standingOverride(session);
  const isHalfWritten = active !== undefined && isOf(active, intent) && active.state === intent.state;
  return desiredOf(session) === intent.insteadOf || isHalfWritten ? { kind: 'free' } : { kind: 'superseded', by: by ?? EDIT };
}

/** By whom the session is to be something else than the intent says; undefined while it is to be that. */
export function overruler(session: Session, intent: SessionIntent): string | undefined {
  if (desiredOf(session) === intent.state) return undefined;
  const active = standingOverride(session);
  if (active && !isOf(active, intent)) return nameOf(active);
  const last = standingIntent(session);
  if (last && !isOf(last, intent) && last.asked !== intent.state) return last.by;
  const { override } = session.status ?? {};
  const isCurrent = override !== undefined && isOf(override, intent) && override.generation === session.metadata.generation;
  return isCurrent ? 'a wake request' : EDIT;
}

function isOf(mark: { readonly by: string; readonly at: Date | string }, { by, at }: SessionIntent): boolean {
  return mark.by === by && new Date(mark.at).getTime() === at.getTime();
}

function isLater(mark: { readonly by: string; readonly at: Date | string }, { by, at }: SessionIntent): boolean {
  const ahead = new Date(mark.at).getTime() - at.getTime();
  return ahead > 0 || (ahead === 0 && mark.by > by);
}

function nameOf({ by, reason }: { readonly by: string; readonly reason: string }): string {
  return by === 'operator' ? `the operator (${reason})` : by;
}
