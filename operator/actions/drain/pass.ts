import type { ActionContext, Progress } from '../action.ts';
import type { Blocker } from '../blocker.ts';
import { mergeBlockers } from '../eviction/blockers.ts';
import { memoryOf, type RequestMemory } from '../eviction/memory.ts';
import type { Round } from '../eviction/round.ts';
import { standingOf } from '../eviction/standing.ts';
import { readTargetNode } from '../node-target.ts';
import { type Failure, failed } from '../outcome.ts';
import { timeLeft } from '../time-left.ts';
import { addSteps, askToGo, type Step } from './escalation.ts';
import { type DrainRequest, lookAtView, lookFresh } from './look.ts';
import { type Begun, type Count, drained, leftOver, readBegun, refused, volumesIn } from './result.ts';
import { LIST_AGAIN, protectionsOf, running } from './running.ts';
import { startDrain } from './start.ts';
import { type Turn, turnOf } from './turn.ts';
import type { Sorted } from './verdicts.ts';
import { waitForVolumes } from './volumes.ts';

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
  if (look.refused.length > 0) return refused(params, counted, look);
  if (look.go.length === 0) return finish(params, context, counted, look, mine);
  const round = roundOf(params, context, mine);
  const turn = turnOf(look, context, mine);
  if (expired) {
    const why = `not done within ${params.timeoutSeconds} s`;
    return leftOver('Timeout', why, counted, look, blockersOf(turn, look, round));
  }
  const made: Step[] = [];
  const failure = await askToGo(turn, params, { round, known: counted.steps, made });
  const after = turnOf(look, context, mine);
  const now = { ...counted, steps: addSteps(counted.steps, made) };
  if (failure) return leftOver(failure.reason, failure.message, now, look, blockersOf(after, look, round));
  return running(params, round, { look, counted: now, turn: after });
}

/** No pod that has to go is left: the node is still the same, and its volumes are detached. */
async function finish(params: DrainRequest, context: ActionContext, counted: Count, look: Sorted, mine: RequestMemory): Promise<Progress> {
  const lost = await checkNode(params, context, 'fresh');
  return lost ?? (await waitForVolumes(params, context, counted, look, mine)) ?? drained(params, counted, look);
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
  return { ...begun, total, done: total - look.go.length - stuck, volumes: volumesIn(look, begun.volumes) };
}

/** What this process knows, and what the one before recorded of pods that are still there. */
function blockersOf({ pending, held }: Turn, look: Sorted, round: Round): readonly Blocker[] {
  const { before, now } = round.context;
  const found = [...standingOf(pending, round).blockers, ...protectionsOf(held, look)];
  const explained = new Set(found.map((blocker) => blocker.uid));
  const left = new Set(pending.map((pod) => pod.uid));
  const recorded = before.blockers.filter(({ uid }) => left.has(uid) && !explained.has(uid));
  return mergeBlockers([...found, ...recorded], before.blockers, now);
}
