import type { ActionContext } from '../action.ts';
import { cordonOwner, uncordonNode } from '../cordoning.ts';
import { memoryOf } from '../eviction/memory.ts';
import { readTargetNode } from '../node-target.ts';
import type { DrainRequest } from './look.ts';

/** Undoes the drain's own cordon, and only its own, where that was asked for (FIELD.md K33, A27, A35). */
export async function undoCordon({ nodeName, uncordonOnFailure }: DrainRequest, context: ActionContext): Promise<string | undefined> {
  memoryOf(context.cluster).forget(context);
  if (!uncordonOnFailure || context.targetUID === '') return undefined;
  const found = await readTargetNode(nodeName, context);
  if ('failure' in found) return undefined;
  if (!found.node.unschedulable) return undefined;
  const by = cordonOwner(found.node);
  if (by !== context.actor) return `node ${nodeName} stays cordoned: it was cordoned by ${by || 'someone else'}`;
  const undone = await uncordonNode(found.node, context);
  return 'failure' in undone ? `node ${nodeName} stays cordoned: ${undone.failure.message}` : `node ${nodeName} uncordoned again`;
}
