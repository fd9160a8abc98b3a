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

function checkNode(node: Node, context: ActionContext): TargetNode {
  return isMeant(node, context) ? { node } : { failure: failed('TargetReplaced', describeReplaced(node, context)) };
}

/**
 * Whether this is the node that is meant: the same UID, not only the same name, and the same machine. The provider ID may be filled in after the
 * start; once there it never changes, so only one that was recorded is compared.
 */
export function isMeant({ uid, providerID }: Pick<Node, 'uid' | 'providerID'>, { targetUID, targetProviderID }: ActionContext): boolean {
  return uid === targetUID && (targetProviderID === undefined || providerID === targetProviderID);
}

function describeReplaced({ name, uid, providerID }: Node, { targetUID, targetProviderID }: ActionContext): string {
  if (targetUID === '') return `node ${name} did not exist when the action started, and appeared since`;
  if (uid !== targetUID) return `node ${name} was replaced: its UID is ${uid}, the action is meant for ${targetUID}`;
  return `node ${name} was replaced: its provider ID is ${providerID || 'empty'}, the action is meant for ${targetProviderID}`;
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
