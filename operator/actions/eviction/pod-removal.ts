import { isStatus } from '../../kube/error.ts';
import type { Pod } from '../../kube/pod.ts';
import { podTopic } from '../../kube/topics.ts';
import type { Seconds } from '../../lib/next.ts';
import type { ActionContext, Plan, Progress, Target } from '../action.ts';
import { failed, type Known, UNKNOWN_WHOSE } from '../outcome.ts';
import { timeLeft } from '../time-left.ts';
import { describeBlockers, mainCause, mergeBlockers } from './blockers.ts';
import { memoryOf, type RequestMemory } from './memory.ts';
import { planPods } from './pod-plan.ts';
import { type Round, runRound } from './round.ts';
import { knownBlockers, standingOf } from './standing.ts';

/** What the actions Evict and DeletePod are asked to do. */
export interface PodRemoval {
  readonly namespace: string;
  readonly podName: string;
  readonly uid?: string | undefined;
  readonly gracePeriodSeconds?: number | undefined;
  readonly timeoutSeconds: Seconds;
}

/** The two ways in which a pod can be asked to go. */
export type RemovalVerb = 'evict' | 'delete';

const DONE: Readonly<Record<RemovalVerb, string>> = { evict: 'evicted', delete: 'deleted' };

const PLANNED = { evict: 'Evict', delete: 'Delete' } as const;

/** Waiting is woken by the watch; so long at most, should the watch be silent. */
const LOOK_AGAIN: Seconds = 600;

/** The pod as a target. */
export function podTarget({ namespace, podName }: PodRemoval): Target {
  return { kind: 'Pod', namespace, name: podName };
}

/** Asks the pod to go once, and waits until its UID has gone: by UID, never by name (FIELD.md K21, K25, A13, A14). */
export async function removePod(params: PodRemoval, context: ActionContext, verb: RemovalVerb): Promise<Progress> {
  const memory = memoryOf(context.cluster);
  const mine = memory.request(context);
  const pod = await findPod(params, context);
  if (!pod) {
    const asked = wasAsked(params.uid ?? context.targetUID, mine, context);
    memory.forget(context);
    return gone(params, context, asked, verb);
  }
  const { gracePeriodSeconds } = params;
  const { cluster } = context;
  const remove: Round['remove'] =
    verb === 'evict'
      ? (identity, signal) => cluster.evict(identity, gracePeriodSeconds, signal)
      : (identity, signal) => cluster.deletePod(identity, gracePeriodSeconds, signal);
  const round: Round = { context, memory, mine, remove, guarded: verb === 'evict' };
  const expired = timeLeft(context, params.timeoutSeconds) <= 0;
  if (!expired && isToBeAsked(pod, mine.accepted)) {
    const failure = await runRound([pod], round);
    if (failure) return failure;
  }
  const progress = report(pod, params, round, verb);
  if (!expired) return progress;
  memory.forget(context);
  const message = `${formatPod(params)} is still there after ${params.timeoutSeconds} s: ${progress.message}`;
  const blockers = progress.blockers ?? [];
  return failed('Timeout', message, { result: resultOf(progress.result?.asked as Known, pod.uid, false), blockers });
}

/** What would happen to the pod now; reads only, and never waits (FIELD.md K30, F4). */
export async function planForPod(params: PodRemoval, context: ActionContext, verb: RemovalVerb): Promise<Plan> {
  const pod = await findPod(params, context);
  const name = formatPod(params);
  if (!pod) return { change: 0, skip: [`${name}: already gone`], blocked: [] };
  if (pod.deletionTimestamp !== undefined) return { change: 0, skip: [`${name}: already terminating`], blocked: [] };
  const planned = planPods([pod], { verb: PLANNED[verb], gracePeriodSeconds: params.gracePeriodSeconds }, context);
  return { change: 1, skip: [], ...planned };
}

/** The pod with the UID that is meant, else nothing: another UID under the name means that it has gone (FIELD.md K27, E6). */
async function findPod(params: PodRemoval, context: ActionContext): Promise<Pod | undefined> {
  const { namespace, podName } = params;
  const { cluster, signal } = context;
  const uid = params.uid ?? context.targetUID;
  const seen = cluster.view.pod(namespace, podName);
  // The watch is believed that it is there, because a waiting request must cost nothing and an eviction names the UID; only that it has gone is asked.
  if (seen?.uid === uid) return seen;
  try {
    const pod = await cluster.getPod(namespace, podName, signal);
    return pod.uid === uid ? pod : undefined;
  } catch (error) {
    if (isStatus(error, 404)) return undefined;
    throw error;
  }
}

function isToBeAsked(pod: Pod, accepted: ReadonlySet<string>): boolean {
  return pod.deletionTimestamp === undefined && !accepted.has(pod.uid);
}

function report(pod: Pod, params: PodRemoval, round: Round, verb: RemovalVerb): Extract<Progress, { state: 'running' }> {
  const { context, mine } = round;
  const pending = isToBeAsked(pod, mine.accepted);
  const { blockers: found, topics, orAfter, trouble } = standingOf(pending ? [pod] : [], round);
  const blockers = context.signal.aborted
    ? knownBlockers(pending ? [pod] : [], round)
    : mergeBlockers(found, context.before.blockers, context.now);
  const known = wasAsked(pod.uid, mine, context);
  // That it stays proves that it was not asked, or was refused.
  const asked = pending && known === 'Unknown' ? false : known;
  const left = Math.max(0, timeLeft(context, params.timeoutSeconds));
  const trying = `${formatPod(params)} could not be ${DONE[verb]} yet`;
  return {
    state: 'running',
    reason: pending ? (mainCause(blockers) ?? trouble ?? 'InProgress') : 'WaitingForPods',
    message: pending ? describeBlockers(blockers) || trying : `${formatPod(params)} is shutting down`,
    next: { kind: 'when', changed: [podTopic(params.namespace, params.podName), ...topics], orAfter: Math.min(LOOK_AGAIN, orAfter, left) },
    blockers,
    result: resultOf(asked, pod.uid, false),
  };
}

/** Whether this action made the pod go; unknown after an attempt without a record, unless the pod was not there when the action began. */
function wasAsked(uid: string, { absent, accepted, unheard }: RequestMemory, { before, resumed, targetUID }: ActionContext): Known {
  if ((accepted.has(uid) && !absent.has(uid)) || before.result.asked === true) return true;
  return unheard.has(uid) || (resumed && uid !== '' && uid === targetUID) ? 'Unknown' : false;
}

function gone(params: PodRemoval, context: ActionContext, asked: Known, verb: RemovalVerb): Progress {
  const unknown = context.targetUID === '' ? 'was already gone' : 'is gone';
  const whose = asked === 'Unknown' ? `; ${UNKNOWN_WHOSE}` : '';
  const message = `${formatPod(params)} ${asked === true ? DONE[verb] : unknown}${whose}`;
  return { state: 'succeeded', message, result: resultOf(asked, params.uid ?? context.targetUID, true) };
}

function resultOf(asked: Known, uid: string, isGone: boolean) {
  return { changed: asked, asked, uid, gone: isGone };
}

function formatPod({ namespace, podName }: PodRemoval): string {
  return `pod ${namespace}/${podName}`;
}
