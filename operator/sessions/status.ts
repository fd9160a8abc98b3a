import { type ConditionClaim, findCondition, isTrue, removeCondition, setConditions } from '../api/condition.ts';
import type { Session, SessionPhase, SessionStatus } from '../api/session.ts';
import { type Summary, summarize } from '../api/summary.ts';
import { templateNameOf } from './labels.ts';

/** What a pass says of a session beside phase and conditions; a member that is undefined goes. */
export type Facts = {
  readonly [Name in keyof Omit<SessionStatus, 'conditions' | 'observedGeneration' | 'phase' | 'phaseSince'>]?:
    | SessionStatus[Name]
    | undefined;
};

/** Conditions about a pod and a volume, which mean nothing where there is none. */
const OF_POD = ['PodScheduled', 'ImagePulled'];

/** The status with this phase, summary, claims and facts; facts and claims that are not given stay as they are. */
export function statusOf(
  session: Session,
  phase: SessionPhase,
  summary: Summary,
  now: Date,
  claims: readonly ConditionClaim[] = [],
  facts: Facts = {},
): SessionStatus {
  const { metadata, status } = session;
  const { generation } = metadata;
  const context = { now, generation };
  const kept =
    phase === 'Hibernated' || phase === 'Stopped' ? OF_POD.reduce(removeCondition, status?.conditions ?? []) : status?.conditions;
  const next = {
    ...status,
    ...facts,
    template: templateNameOf(session),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    phase,
    phaseSince: status?.phase === phase && status.phaseSince !== undefined ? status.phaseSince : now.toISOString(),
    conditions: summarize(setConditions(kept, claims, context), summary, context),
  };
  return Object.fromEntries(Object.entries(next).filter(([, value]) => value !== undefined)) as SessionStatus;
}

/** What is not true any more when there is no pod. */
export const NO_POD: Facts = {
  url: undefined,
  port: undefined,
  podName: undefined,
  podIP: undefined,
  nodeName: undefined,
  usage: undefined,
};

/** A failure for good: what was started is removed, and only somebody who asks anew starts it again. One whose pod is lost is repaired on. */
export function hasFailedForGood({ status }: Session): boolean {
  return status?.phase === 'Failed' && isTrue(status.conditions, 'Stalled');
}

/** Why it is as it is. */
export function readyOf({ status }: Session) {
  return findCondition(status?.conditions, 'Ready');
}
