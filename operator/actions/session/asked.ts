import type { Session, SessionStatus } from '../../api/session.ts';
import type { SessionDesk, SessionIntent } from '../../api/session-desk.ts';
import type { SessionRequest, SessionState } from '../../api/session-spec.ts';
import type { ActionContext, Target } from '../action.ts';

/** What one session action asks for, whichever of the four it is. */
export interface Asked {
  readonly name: string;
  readonly state: SessionState;
  readonly timeoutSeconds: number;
  /** What the Session is made with where there is none. */
  readonly request?: SessionRequest | undefined;
  /** True: a stopped session runs again. */
  readonly restarts?: boolean;
  /** True: the home goes too. */
  readonly deleteHome?: boolean;
}

/** The Session as a target; the reconciler knows its namespace. */
export function sessionTarget({ sessionRef }: { readonly sessionRef: { readonly name: string } }): Target {
  return { kind: 'Session', name: sessionRef.name };
}

/** As messages name it. */
export function shown(name: string): string {
  return `session/${name}`;
}

/** The desk, which the reconciler hands to every action. */
export function deskOf({ sessions }: ActionContext): SessionDesk {
  if (!sessions) throw new Error('there is no desk for sessions');
  return sessions;
}

/** The intent of the action, the same at every pass. */
export function intentOf({ name: _, timeoutSeconds: __, request, ...asked }: Asked, context: ActionContext): SessionIntent {
  // A start that found no Session means whichever there is: another start may have made it meanwhile.
  const uid = asked.restarts && context.targetUID === '' ? {} : { uid: context.targetUID };
  return { ...asked, ...(request ? { request } : {}), ...uid, by: context.actor, at: context.startedAt };
}

/** Whether the session is what was asked for, and not only about to be. */
export function isReached({ status = {} }: Session, { state, deleteHome }: Asked): boolean {
  if (state === 'Running') return status.phase === 'Running' && isTrue(status, 'Available');
  return status.phase === state && status.podName === undefined && !(deleteHome && status.claimName !== undefined);
}

/** Whether it has failed for good since the action started; a failure from before is about to be tried again, a lost pod is on its way back. */
export function hasFailed({ status = {} }: Session, { state }: Asked, startedAt: Date): boolean {
  return state === 'Running' && isTrue(status, 'Stalled') && !(Date.parse(status.phaseSince ?? '') < startedAt.getTime());
}

/** Whether the status speaks of what the Session is asked to be now. */
export function isCurrent({ metadata, status = {} }: Session, state: SessionState): boolean {
  return status.desired === state && status.observedGeneration === metadata.generation;
}

function isTrue({ conditions }: SessionStatus, type: string): boolean {
  return conditions?.some((each) => each.type === type && each.status === 'True') ?? false;
}
