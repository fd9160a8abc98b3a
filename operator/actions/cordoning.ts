import type { Node } from '../kube/node.ts';
import { NODES } from '../kube/resources.ts';
import type { JsonObject } from '../lib/json.ts';
import type { ActionContext } from './action.ts';
import { fencedPatch } from './fenced-patch.ts';
import { readTargetNode } from './node-target.ts';
import { type Failure, failed, type Known } from './outcome.ts';

/** Says on the node which action cordoned it (FIELD.md M13, A34, F9). */
export const CORDONED_BY = 'cloudoptim.io/cordoned-by';
/** Says on the node why it was cordoned. */
const CORDON_REASON = 'cloudoptim.io/cordon-reason';

/** What cordoning or uncordoning found and did. */
export interface Cordoned {
  readonly changed: Known;
  readonly previouslyUnschedulable: Known;
  /** The action that had or has cordoned it; empty when it was none of ours, `Unknown` when that is not known any more. */
  readonly cordonedBy: string;
}

/** The result members of Cordon, Uncordon and Drain. */
export function cordonResult({ changed, previouslyUnschedulable, cordonedBy }: Cordoned): JsonObject {
  return { changed, previouslyUnschedulable, cordonedBy };
}

/**
 * Cordons the node unless it is, and returns only when the API server confirmed it (FIELD.md K1, K2, K34). A cordon of this very action,
 * written before a crash, counts as changed: it was this action that did it.
 */
export async function cordonNode(
  node: Node,
  context: ActionContext,
  reason: string | undefined,
): Promise<Cordoned | { readonly failure: Failure }> {
  const { actor } = context;
  const annotations = (found: Node) => ({
    [CORDONED_BY]: actor,
    ...(reason ? { [CORDON_REASON]: reason } : found.annotations[CORDON_REASON] === undefined ? {} : { [CORDON_REASON]: null }),
  });
  const change = (found: Node) =>
    found.unschedulable ? undefined : { metadata: { annotations: annotations(found) }, spec: { unschedulable: true } };
  const written = await writeNode(node, context, change);
  if ('failure' in written) return written;
  const { from, answer } = written;
  if (answer && answer.spec?.unschedulable !== true) return { failure: notKept(node.name, 'unschedulable') };
  if (answer) return { changed: true, previouslyUnschedulable: false, cordonedBy: actor };
  const cordonedBy = from.annotations[CORDONED_BY] ?? '';
  return { changed: cordonedBy === actor, previouslyUnschedulable: cordonedBy !== actor, cordonedBy };
}

/**
 * Uncordons the node unless it is schedulable, and takes our annotations away. An uncordon leaves no mark: after an attempt without a record it is
 * unknown who made a schedulable node so.
 */
export async function uncordonNode(node: Node, context: ActionContext): Promise<Cordoned | { readonly failure: Failure }> {
  const change = (found: Node) => {
    if (!found.unschedulable) return undefined;
    const ours = [CORDONED_BY, CORDON_REASON].filter((key) => found.annotations[key] !== undefined);
    const annotations = Object.fromEntries(ours.map((key) => [key, null]));
    return { ...(ours.length > 0 ? { metadata: { annotations } } : {}), spec: { unschedulable: null } };
  };
  const written = await writeNode(node, context, change);
  if ('failure' in written) return written;
  const { from, answer } = written;
  if (answer?.spec?.unschedulable === true) return { failure: notKept(node.name, 'schedulable') };
  if (!answer && context.resumed) return { changed: 'Unknown', previouslyUnschedulable: 'Unknown', cordonedBy: 'Unknown' };
  return { changed: answer !== undefined, previouslyUnschedulable: from.unschedulable, cordonedBy: from.annotations[CORDONED_BY] ?? '' };
}

function writeNode(node: Node, context: ActionContext, change: (found: Node) => { metadata?: JsonObject; spec: JsonObject } | undefined) {
  const read = async () => {
    const found = await readTargetNode(node.name, context);
    return 'failure' in found ? found : { state: found.node };
  };
  return fencedPatch({ ref: { resource: NODES, name: node.name }, read, change }, context, node);
}

/** Something in the API server's admission undid the write (FIELD.md M15: read back). */
function notKept(name: string, state: string): Failure {
  return failed('NotKept', `the API server took the change but node ${name} did not become ${state}`);
}
