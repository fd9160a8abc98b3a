import { count } from '../listing.ts';
import { replicasOf, type Workload } from './workload.ts';

/** How far the pods have followed what the workload asks for. */
export interface Rollout {
  readonly state: 'done' | 'waiting' | 'givenUp';
  /** What is missing; where it is done, what stays behind all the same, or nothing. */
  readonly message: string;
  /** Pods that are as they are to be, of so many. */
  readonly done: number;
  readonly total: number;
}

interface Facts {
  readonly wanted: number;
  readonly total: number;
  readonly updated: number;
  readonly available: number;
}

const UNSEEN = 'its controller has not seen the last change yet';

/**
 * Whether the pods follow the template, by the rules of `kubectl rollout status`, at `since` or later: a Deployment that had given up before
 * is judged only once its controller looked again. Strategies that leave pods on the old template by themselves are told, not waited for.
 */
export function rolloutOf(workload: Workload, since: Date): Rollout {
  const facts = factsOf(workload);
  if (!isObserved(workload)) return waiting(facts, UNSEEN);
  return workload.kind === 'StatefulSet' ? ofStatefulSet(workload, facts) : ofDeployment(workload, facts, since);
}

/** Whether there are as many pods as asked for and all are available, whichever template they have. */
export function scalingOf(workload: Workload): Rollout {
  const facts = { ...factsOf(workload), updated: 0 };
  if (!isObserved(workload)) return waiting(facts, UNSEEN);
  const { wanted, total, available } = facts;
  const ready = { done: Math.min(available, wanted), total: wanted };
  if (total > wanted) return { state: 'waiting', message: `${count(total - wanted, 'pod')} too many still to go`, ...ready };
  if (available >= wanted && total === wanted) return { state: 'done', message: '', ...ready };
  return { state: 'waiting', message: withTrouble(workload, `${available} of ${count(wanted, 'pod')} available`), ...ready };
}

/** What is waited for before anything is judged, where the status still speaks of an earlier spec; undefined where it does not. */
export function unseenOf(workload: Workload): Rollout | undefined {
  return isObserved(workload) ? undefined : waiting(factsOf(workload), UNSEEN);
}

/** Whether an earlier change of the template is still being rolled out; scaling and pods that are only unhealthy are no rollout. */
export function isRollingOut(workload: Workload): boolean {
  const { wanted, total, updated } = factsOf(workload);
  if (workload.kind === 'StatefulSet') return !isOnDelete(workload) && isBehind(workload) && updated < wanted - partitionOf(workload);
  return total > updated || (updated < wanted && progressOf(workload)?.reason !== 'NewReplicaSetAvailable');
}

function ofDeployment(workload: Workload, facts: Facts, since: Date): Rollout {
  const { wanted, total, updated, available } = facts;
  const progressing = progressOf(workload);
  const complete = updated >= wanted && total <= updated && available >= updated;
  if (complete) return { state: 'done', message: '', done: wanted, total: wanted };
  const told = progressing?.lastUpdateTime !== undefined && Date.parse(progressing.lastUpdateTime) >= wholeSecond(since);
  if (progressing?.reason === 'ProgressDeadlineExceeded' && told) {
    return { ...waiting(facts, withTrouble(workload, describe(facts))), state: 'givenUp' };
  }
  if (workload.spec?.paused) return waiting(facts, 'it is paused: kubectl rollout resume lets it go on');
  return waiting(facts, withTrouble(workload, describe(facts)));
}

function ofStatefulSet(workload: Workload, facts: Facts): Rollout {
  const { wanted, updated, available } = facts;
  if (isOnDelete(workload)) {
    const message = isBehind(workload) ? 'pods take the new template only when they are deleted (updateStrategy OnDelete)' : '';
    return { state: 'done', message, done: updated, total: wanted };
  }
  const partition = partitionOf(workload);
  const follow = Math.max(0, wanted - partition);
  const rolled = partition > 0 ? updated >= follow : !isBehind(workload);
  const kept = Math.min(partition, wanted);
  const following = { ...facts, wanted: follow, total: facts.total - kept };
  if (!rolled || available < wanted) return waiting(following, describe(following));
  const message = kept > 0 && isBehind(workload) ? `${count(kept, 'pod')} kept on the old template (partition ${partition})` : '';
  return { state: 'done', message, done: follow, total: follow };
}

function factsOf(workload: Workload): Facts {
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = workload.status ?? {};
  return { wanted: replicasOf(workload), total: replicas, updated: updatedReplicas, available: availableReplicas };
}

function waiting(facts: Facts, message: string): Rollout {
  return { state: 'waiting', message, done: Math.max(0, Math.min(facts.updated, facts.available, facts.wanted)), total: facts.wanted };
}

function describe({ wanted, total, updated, available }: Facts): string {
  const old = total - updated;
  const parts = [`${updated} of ${count(wanted, 'pod')} updated`, `${available} available`];
  return [...parts, ...(old > 0 ? [`${old} old still there`] : [])].join(', ');
}

/** With what the Deployment says of pods that could not even be made, such as a quota. */
function withTrouble(workload: Workload, message: string): string {
  const failure = workload.status?.conditions?.find(({ type, status }) => type === 'ReplicaFailure' && status === 'True');
  return failure?.message ? `${message}; ${failure.message}` : message;
}

function progressOf({ status }: Workload) {
  return status?.conditions?.find(({ type }) => type === 'Progressing');
}

function isObserved({ metadata, status }: Workload): boolean {
  return (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0);
}

function isBehind({ status }: Workload): boolean {
  return status?.currentRevision !== status?.updateRevision;
}

function isOnDelete({ spec }: Workload): boolean {
  return spec?.updateStrategy?.type === 'OnDelete';
}

function partitionOf({ spec }: Workload): number {
  return spec?.updateStrategy?.rollingUpdate?.partition ?? 0;
}

/** The API server writes whole seconds. */
function wholeSecond(time: Date): number {
  return Math.floor(time.getTime() / 1000) * 1000;
}
