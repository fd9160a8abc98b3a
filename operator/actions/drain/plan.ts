import type { ActionContext, Plan, PlannedPod } from '../action.ts';
import { RequestMemory } from '../eviction/memory.ts';
import { planPods } from '../eviction/pod-plan.ts';
import { readTargetNode } from '../node-target.ts';
import type { SkipClass } from './filters.ts';
import { type DrainRequest, lookFresh } from './look.ts';
import { refusalCause } from './refusal-blockers.ts';
import { nameOf, refusalLines, type Sorted, skipLines } from './verdicts.ts';

const STAYS: Readonly<Record<SkipClass, string>> = {
  namespace: 'NamespaceLeftAlone',
  terminating: 'TerminatingTooLong',
  daemonSet: 'DaemonSet',
  mirror: 'StaticPod',
};

/** Which pods would go, stay, forbid the drain, or have to wait for their budget; reads only (FIELD.md K29, K30, F4). */
export async function planDrain(params: DrainRequest, context: ActionContext): Promise<Plan> {
  const found = await readTargetNode(params.nodeName, context);
  if ('failure' in found) return { change: 0, skip: [], blocked: [`node/${params.nodeName}: ${found.failure.message}`] };
  // A memory of its own: a plan must not change what a drain that runs beside it remembers.
  const look = await lookFresh(params, context, new RequestMemory());
  const { go, skipped, refused } = look;
  const planned = planPods(go, { verb: 'Evict', gracePeriodSeconds: params.gracePeriodSeconds }, context);
  const { blocked, pods, budgets, volumes, estimateSeconds } = planned;
  const skip = skipLines(skipped);
  // One pod that forbids the drain keeps all of them: the table shows what would become of the others without it.
  if (refused.length > 0) return { change: 0, skip, blocked: refusalLines(refused), pods: table(pods, look), budgets, volumes };
  const time = estimateSeconds === undefined ? {} : { estimateSeconds };
  return { change: go.length, skip, blocked, pods: table(pods, look), budgets, volumes, ...time };
}

/** What is in the way first, because a long table is cut: who forbids it, who waits, who goes, who stays. */
function table(going: readonly PlannedPod[], { skipped, refused }: Sorted): readonly PlannedPod[] {
  return [
    ...refused.map(({ pod, why }) => ({ pod: nameOf(pod), verdict: 'Refuse' as const, reason: refusalCause(why) })),
    ...going.filter(({ verdict }) => verdict === 'Wait'),
    ...going.filter(({ verdict }) => verdict !== 'Wait'),
    ...skipped.map(({ pod, why }) => ({ pod: nameOf(pod), verdict: 'Skip' as const, reason: STAYS[why] })),
  ];
}
