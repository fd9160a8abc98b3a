import type { ActionContext, Plan, PlannedPod } from '../action.ts';
import { RequestMemory } from '../eviction/memory.ts';
import { planPods } from '../eviction/pod-plan.ts';
import { readTargetNode } from '../node-target.ts';
import type { Held, SkipClass } from './filters.ts';
import { type DrainRequest, lookFresh } from './look.ts';
import { refusalCause } from './refusal-blockers.ts';
import { nameOf, refusalLines, type Sorted, skipLines } from './verdicts.ts';

const STAYS: Readonly<Record<SkipClass, string>> = {
  namespace: 'NamespaceLeftAlone',
  terminating: 'TerminatingTooLong',
  daemonSet: 'DaemonSet',
  mirror: 'StaticPod',
  rule: 'Rule',
  drainLabel: 'DrainLabel',
};

/** Which pods would go, stay, forbid the drain, or have to wait for their budget; reads only (FIELD.md K29, K30, F4). */
export async function planDrain(params: DrainRequest, context: ActionContext): Promise<Plan> {
  const found = await readTargetNode(params.nodeName, context);
  if ('failure' in found) return { change: 0, skip: [], blocked: [`node/${params.nodeName}: ${found.failure.message}`] };
  // A memory of its own: a plan must not change what a drain that runs beside it remembers.
  const look = await lookFresh(params, context, new RequestMemory());
  const { go, held, skipped, refused } = look;
  const asked = go.filter((pod) => !held.has(pod.uid));
  const planned = planPods(asked, { verb: 'Evict', gracePeriodSeconds: params.gracePeriodSeconds }, context);
  const { budgets, volumes, estimateSeconds } = planned;
  const waiting = heldPods(look);
  const blocked = [...planned.blocked, ...waiting.map(({ pod, reason }) => `${pod}: ${WAITS[reason]}`)];
  const pods = [...inOrder(planned.pods, look), ...waiting];
  const skip = skipLines(skipped);
  // One pod that forbids the drain keeps all of them: the table shows what would become of the others without it.
  if (refused.length > 0) return { change: 0, skip, blocked: refusalLines(refused), pods: table(pods, look), budgets, volumes };
  // Nobody knows when a pod ends by itself, nor how long the pods of an order take that others wait for.
  const known = waiting.length === 0 && look.orders.size === 0;
  const time = estimateSeconds === undefined || !known ? {} : { estimateSeconds };
  return { change: go.length, skip, blocked, pods: table(pods, look), budgets, volumes, ...time };
}

type Waiting = PlannedPod & { readonly reason: Held['cause'] };

const WAITS: Readonly<Record<Held['cause'], string>> = {
  DoNotDisrupt: 'not to be disrupted yet',
  WaitingForCompletion: 'left to end by itself',
};

/** The pods that are waited for instead of asked to go. */
function heldPods({ go, held }: Sorted): readonly Waiting[] {
  return go.flatMap((pod) => {
    const why = held.get(pod.uid);
    return why ? [{ pod: nameOf(pod), verdict: 'Wait' as const, reason: why.cause }] : [];
  });
}

/** Pods of a later order wait until all of the first have gone (FIELD.md M8); in which round they go then is not reckoned. */
function inOrder(planned: readonly PlannedPod[], { go, orders }: Sorted): readonly PlannedPod[] {
  if (orders.size === 0) return planned;
  const orderOf = new Map(go.map((pod) => [nameOf(pod), orders.get(pod.uid) ?? 0]));
  const first = Math.min(...orderOf.values());
  return planned.map((pod) => (orderOf.get(pod.pod) === first ? pod : { pod: pod.pod, verdict: 'Wait', reason: 'LaterOrder' }));
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
