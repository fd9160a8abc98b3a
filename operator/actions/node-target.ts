import { isStatus } from '../kube/error.ts';
import type { Node } from '../kube/node.ts';
import type { ActionContext, Plan } from './action.ts';
import { type Failure, failed } from './outcome.ts';

/** The node that is meant, or why there is none. */
export type TargetNode = { readonly node: Node } | { readonly failure: Failure };

/** Reads the node fresh and checks that it is the one that is meant, not a namesake (FIELD.md F2, M10). */
export async function readTargetNode(name: string, context: ActionContext): Promise<TargetNode> {
  try {
    return checkNode(await context.cluster.getNode(name, context.signal), context);
  } catch (error) {
    if (isStatus(error, 404)) return { failure: nodeAbsent(name) };
    throw error;
  }
}

/** Whether this is the node that is meant: the same UID, not only the same name. */
function checkNode(node: Node, context: ActionContext): TargetNode {
  if (node.uid === context.targetUID) return { node };
  const message =
    context.targetUID === ''
      ? `node ${node.name} did not exist when the action started, and appeared since`
      : `node ${node.name} was replaced: its UID is ${node.uid}, the action is meant for ${context.targetUID}`;
  return { failure: failed('TargetReplaced', message) };
}

/** Said only when the API server says so: backends act on it (optimizer.md B3-7). */
function nodeAbsent(name: string): Failure {
  return failed('TargetNotFound', `node ${name} not found`);
}

/** The plan of an action that changes one node, or leaves it alone for the reason that `skipped` gives. */
export async function planForNode(name: string, context: ActionContext, skipped: (node: Node) => string | undefined): Promise<Plan> {
  const found = await readTargetNode(name, context);
  if ('failure' in found) return { change: 0, skip: [], blocked: [`node/${name}: ${found.failure.message}`] };
  const reason = skipped(found.node);
  return reason === undefined ? { change: 1, skip: [], blocked: [] } : { change: 0, skip: [reason], blocked: [] };
}
