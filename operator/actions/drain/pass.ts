import type { Pod } from '../../kube/pod.ts';
import type { ActionContext, Progress } from '../action.ts';
import { memoryOf, type RequestMemory } from '../eviction/memory.ts';
import { type Round, runRound } from '../eviction/round.ts';
import { knownBlockers } from '../eviction/standing.ts';
import { readTargetNode } from '../node-target.ts';
import { type Failure, failed } from '../outcome.ts';
import { timeLeft } from '../time-left.ts';
import { type DrainRequest, lookAtView, lookFresh } from './look.ts';
import { type Begun, type Count, drained, leftOver, readBegun, refused } from './result.ts';
import { LIST_AGAIN, running } from './running.ts';
import { startDrain } from './start.ts';
import type { Sorted } from './verdicts.ts';

/** One pass of a drain: the state is the cluster's, so that any process can make the next one. */
export async function drainNode(params: DrainRequest, context: ActionContext): Promise<Progress> {
  const memory = memoryOf(context.cluster);
  const mine = memory.request(context);
  const begun = readBegun(context.before.result);
  const progress = begun ? await goOn(params, context, mine, begun) : await startDrain(params, context, mine);
  if (progress.state !== 'running') memory.forget(context);
  return progress;
}

async function goOn(params: DrainRequest, context: ActionContext, mine: RequestMemory, begun: Begun): Promise<Progress> {
  const lost = await checkNode(params, context);
  if (lost) return lost;
  const expired = timeLeft(context, params.timeoutSeconds) <= 0;
  const look = await lookForPods(params, context, mine, expired);
  const counted = countPods(look, begun, mine);
  if (look.refused.length > 0) return refused(params, counted, look, context);
  if (look.go.length === 0) return (await checkNode(params, context, 'fresh')) ?? drained(params, counted, look);
  const round = roundOf(params, context, mine);
  if (expired) {
    const why = `not done within ${params.timeoutSeconds} s`;
    return leftOver('Timeout', why, counted, look, knownBlockers(pending(look.go, mine), round));
  }
  const turn = ownPodLast(look.go, context);
  const failure = await runRound(pending(turn, mine), round);
  if (failure) return leftOver(failure.reason, failure.message, counted, look, knownBlockers(pending(turn, mine), round));
  return running(params, round, { look, counted, pending: pending(turn, mine) });
}

/** The watched pods guide, a fresh list concludes: nothing ends on the word of a cache (FIELD.md A12, A26). */
async function lookForPods(params: DrainRequest, context: ActionContext, mine: RequestMemory, expired: boolean): Promise<Sorted> {
  const { clock } = memoryOf(context.cluster);
  const due = mine.listedAt === undefined || clock() >= mine.listedAt + LIST_AGAIN;
  if (!due && !expired) {
    const look = await lookAtView(params, context, mine);
    if (look.go.length > 0 && look.refused.length === 0) return look;
  }
  return lookFresh(params, context, mine);
}

/** Still the same node, and still cordoned (FIELD.md M10, K2): asked of the API server only where the watch does not say so. */
async function checkNode({ nodeName }: DrainRequest, context: ActionContext, fresh?: 'fresh'): Promise<Failure | undefined> {
  const seen = context.cluster.view.node(nodeName);
  if (!fresh && seen?.uid === context.targetUID && seen.unschedulable) return undefined;
  const found = await readTargetNode(nodeName, context);
  if ('failure' in found) return found.failure;
  if (found.node.unschedulable) return undefined;
  return failed('Uncordoned', `node ${nodeName} was uncordoned by someone while it was drained`, { result: context.before.result });
}

function roundOf(params: DrainRequest, context: ActionContext, mine: RequestMemory): Round {
  const remove: Round['remove'] = (pod, signal) => context.cluster.evict(pod, params.gracePeriodSeconds, signal);
  return { context, memory: memoryOf(context.cluster), mine, remove, guarded: true };
}

/** How far it is; a pod that appeared after the first look, because it tolerates the cordon, has to go as well. */
function countPods(look: Sorted, begun: Begun, mine: RequestMemory): Count {
  const stuck = look.skipped.filter(({ why, pod }) => why === 'terminating' && mine.chosen?.has(pod.uid)).length;
  const appeared = mine.chosen ? look.go.filter((pod) => !mine.chosen?.has(pod.uid)).length : 0;
  const total = Math.max(begun.total + appeared, look.go.length + stuck);
  mine.chosen = new Set([...(mine.chosen ?? []), ...look.go.map((pod) => pod.uid)]);
  return { ...begun, total, done: total - look.go.length - stuck };
}

/** Who was not asked yet; a terminating pod was, be it by us before a restart or by somebody else (FIELD.md I5, E1). */
function pending(pods: readonly Pod[], { accepted }: RequestMemory): readonly Pod[] {
  return pods.filter((pod) => pod.deletionTimestamp === undefined && !accepted.has(pod.uid));
}

/** The operator's own pod goes when all others have gone: the next process then finds nothing left to do (FIELD.md M8, A30, X13). */
function ownPodLast(pods: readonly Pod[], { ownPod }: ActionContext): readonly Pod[] {
  const others = pods.filter((pod) => pod.namespace !== ownPod?.namespace || pod.name !== ownPod.name);
  return others.length > 0 ? others : pods;
}
