import type { Progress } from '../actions/action.ts';
import type { Blocker } from '../actions/blocker.ts';
import { cut } from '../api/cut.ts';
import type { OptimizationAction, OptimizationActionStatus, Phase } from '../api/optimization-action.ts';
import { MAX_LINE, MAX_LISTED } from '../api/optimization-action-status.ts';
import { type Summary, summarize } from '../api/summary.ts';
import type { Tombstone } from '../api/tombstone.ts';
import { troubleOf } from './trouble.ts';

const ENDED: readonly string[] = ['Planned', 'Succeeded', 'Failed', 'Cancelled', 'Expired'];

/** Whether the object has come to its end: nothing is ever executed for it again. */
export function isFinished(object: OptimizationAction): boolean {
  return object.status?.finishedAt !== undefined && ENDED.includes(object.status.phase ?? '');
}

/** What a pass says of an object beside its conditions. */
export type Facts = Omit<Partial<OptimizationActionStatus>, 'conditions' | 'observedGeneration' | 'phase'>;

/** The status with this phase, summary and facts; facts that are not given stay as they are. */
export function statusOf(
  object: OptimizationAction,
  phase: Phase,
  summary: Summary,
  now: Date,
  facts: Facts = {},
): OptimizationActionStatus {
  const { generation } = object.metadata;
  return {
    ...object.status,
    ...facts,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    phase,
    conditions: summarize(object.status?.conditions, summary, { now, generation }),
  };
}

/** The status of an object that has come to its end. What held it up stays in it (FIELD.md A9), without a next try, because there is none. */
export function endStatus(
  object: OptimizationAction,
  phase: Extract<Phase, 'Succeeded' | 'Failed' | 'Cancelled' | 'Expired' | 'Planned'>,
  cause: { readonly reason: string; readonly message: string },
  now: Date,
  facts: Facts = {},
): OptimizationActionStatus {
  const state = phase === 'Succeeded' || phase === 'Planned' ? 'Done' : 'Failed';
  const blockers = 'blockers' in facts ? facts.blockers : object.status?.blockers;
  const ended = blockers ? { blockers: blockers.map(({ retryAt: _, ...blocker }) => blocker) } : {};
  return statusOf(object, phase, { state, ...cause }, now, { ...facts, ...ended, finishedAt: now.toISOString() });
}

/** The status that tells an error which keeps coming back; undefined for an object that has come to its end, whose outcome stays. */
export function troubleStatus(object: OptimizationAction, error: unknown, now: Date): OptimizationActionStatus | undefined {
  if (isFinished(object)) return undefined;
  return statusOf(object, object.status?.phase ?? 'Pending', { state: 'Working', ...troubleOf(error) }, now);
}

/** Ends as the earlier run did, so that what Argo CD and Flux show stays as it was. */
export function alreadyExecuted(object: OptimizationAction, earlier: Tombstone, now: Date): OptimizationActionStatus {
  const { phase, finishedAt, result } = earlier;
  const message =
    `an object of this name has done the same before and ended ${phase} at ${finishedAt}; to have it done again, give it another name. ` +
    `It said: ${earlier.message}`;
  return endStatus(object, phase, { reason: 'AlreadyExecuted', message }, now, { result });
}

/** Progress, blockers and result as the status shows them; a success has no blockers left, and where nothing is said of them they stay. */
export function factsOf(progress: Progress): Facts {
  const blockers = progress.state === 'succeeded' ? [] : progress.blockers;
  return {
    ...(blockers === undefined ? {} : listed(blockers)),
    ...(progress.result === undefined ? {} : { result: progress.result }),
    ...(progress.total === undefined ? {} : { progress: counted(progress.done ?? 0, progress.total) }),
  };
}

function counted(done: number, total: number) {
  return { done, total, text: `${done}/${total}` };
}

// Undefined takes away what an earlier pass listed.
function listed(blockers: readonly Blocker[]): Facts {
  const sorted = blockers
    .toSorted((a, b) => (a.pod < b.pod ? -1 : 1))
    .map((blocker) => (blocker.detail === undefined ? blocker : { ...blocker, detail: cut(blocker.detail, MAX_LINE) }));
  const omitted = blockers.length - MAX_LISTED;
  return {
    blockers: blockers.length === 0 ? undefined : sorted.slice(0, MAX_LISTED),
    blockersOmitted: omitted > 0 ? omitted : undefined,
  } as Facts;
}
