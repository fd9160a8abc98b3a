import type { ActionContext, Progress } from '../action.ts';
import { cordonNode } from '../cordoning.ts';
import type { RequestMemory } from '../eviction/memory.ts';
import { count } from '../listing.ts';
import { readTargetNode } from '../node-target.ts';
import { timeLeft } from '../time-left.ts';
import { type DrainRequest, lookAtView, lookFresh } from './look.ts';
import { begunWith, drained, drainResult, leftOver, NOTHING_DONE, refused } from './result.ts';
import type { Sorted } from './verdicts.ts';
import { waitForVolumes } from './volumes.ts';

/**
 * Everything before the first eviction: a look that writes nothing, so that a drain that is not allowed leaves no cordon behind (FIELD.md I2, A5);
 * the cordon, confirmed (K1, K2); and the list that counts, made after it.
 */
export async function startDrain(params: DrainRequest, context: ActionContext, mine: RequestMemory): Promise<Progress> {
  const [found, preflight] = await Promise.all([readTargetNode(params.nodeName, context), lookBefore(params, context, mine)]);
  if ('failure' in found) return found.failure;
  if (preflight.refused.length > 0) return refused(params, undefined, preflight);
  if (timeLeft(context, params.timeoutSeconds) <= 0) {
    const counted = { ...NOTHING_DONE, total: preflight.go.length };
    return leftOver('Timeout', `the timeout of ${params.timeoutSeconds} s was over before the drain began`, counted, preflight, []);
  }
  const cordoned = await cordonNode(found.node, context, 'drain', params.excludeFromLoadBalancers);
  if ('failure' in cordoned) return cordoned.failure;
  const look = await lookFresh(params, context, mine);
  const begun = { ...begunWith(look, cordoned, found.node), done: 0 };
  if (look.refused.length > 0) return refused(params, begun, look);
  if (look.go.length === 0) return (await waitForVolumes(params, context, begun, look, mine)) ?? drained(params, begun, look);
  mine.chosen = new Set(look.go.map((pod) => pod.uid));
  return {
    state: 'running',
    reason: 'InProgress',
    message: `node ${params.nodeName} cordoned, ${count(begun.total, 'pod')} to evict`,
    // Recorded first: how many had to go is known again after a crash between two evictions.
    next: { kind: 'again', after: 0 },
    done: 0,
    total: begun.total,
    result: drainResult(begun, look),
  };
}

/** What the watch shows is enough to go on, because the list after the cordon decides; a refusal is told only on the word of a fresh list. */
async function lookBefore(params: DrainRequest, context: ActionContext, mine: RequestMemory): Promise<Sorted> {
  const seen = await lookAtView(params, context, mine);
  return seen.refused.length > 0 ? lookFresh(params, context, mine) : seen;
}
