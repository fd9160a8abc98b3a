import type { Budget } from '../../kube/budget.ts';
import type { Pod } from '../../kube/pod.ts';
import type { ActionContext, Plan } from '../action.ts';
import { RequestMemory } from '../eviction/memory.ts';
import { budgetsOf, guardOf } from '../eviction/round.ts';
import { neverSatisfiable } from '../eviction/standing.ts';
import { readTargetNode } from '../node-target.ts';
import { type DrainRequest, lookFresh } from './look.ts';
import { nameOf, refusalLines, skipLines } from './verdicts.ts';

/** Which pods would go, stay, forbid the drain, or have to wait for their budget; reads only (FIELD.md K29, K30, F4). */
export async function planDrain(params: DrainRequest, context: ActionContext): Promise<Plan> {
  const found = await readTargetNode(params.nodeName, context);
  if ('failure' in found) return { change: 0, skip: [], blocked: [`node/${params.nodeName}: ${found.failure.message}`] };
  // A memory of its own: a plan must not change what a drain that runs beside it remembers.
  const { go, skipped, refused } = await lookFresh(params, context, new RequestMemory());
  const skip = skipLines(skipped);
  if (refused.length > 0) return { change: 0, skip, blocked: refusalLines(refused) };
  return { change: go.length, skip, blocked: delays(go, context) };
}

/** Adds up what the budgets allow, because a dry run of the API server does not count down (FIELD.md E12). */
function delays(pods: readonly Pod[], { cluster }: ActionContext): readonly string[] {
  const left = new Map<string, number>();
  return pods.flatMap((pod) => {
    const budgets = budgetsOf(pod, cluster.view);
    if (budgets.length > 1 && (pod.phase === 'Running' || pod.phase === 'Unknown')) {
      return [`${nameOf(pod)}: selected by more than one disruption budget: ${budgets.map((budget) => budget.name).join(', ')}`];
    }
    const budget = guardOf(pod, budgets);
    if (!budget || pod.deletionTimestamp !== undefined) return [];
    const allowed = left.get(budget.uid) ?? budget.disruptionsAllowed;
    left.set(budget.uid, allowed - 1);
    return allowed > 0 ? [] : [`${nameOf(pod)}: ${delay(budget)}`];
  });
}

function delay(budget: Budget): string {
  const { namespace, name, desiredHealthy, currentHealthy } = budget;
  if (neverSatisfiable(budget))
    return `budget ${namespace}/${name} never allows a disruption: all ${desiredHealthy} expected pods are needed`;
  return `waits for budget ${namespace}/${name}: ${desiredHealthy} healthy pods needed, ${currentHealthy} there`;
}
