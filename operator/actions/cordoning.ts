import type { Node } from '../kube/node.ts';
import { NODES } from '../kube/resources.ts';
import { FIELD_MANAGER } from '../kube/status.ts';
import type { JsonObject } from '../lib/json.ts';
import type { ActionContext } from './action.ts';
import { fencedPatch } from './fenced-patch.ts';
import { excludeChange, includeChange } from './load-balancers.ts';
import { readTargetNode } from './node-target.ts';
import { type Failure, failed, type Known } from './outcome.ts';

/** Says on the node which action cordoned it (FIELD.md M13, A34, F9). */
const CORDONED_BY = 'cloudoptim.io/cordoned-by';
/** Says on the node why it was cordoned. */
const CORDON_REASON = 'cloudoptim.io/cordon-reason';
/** Says on the node what it was before: always `schedulable`, because a cordon of somebody else is never taken over. */
const BEFORE_CORDON = 'cloudoptim.io/before-cordon';
const RECORD = [CORDONED_BY, CORDON_REASON, BEFORE_CORDON];

/**
 * The action, as `namespace/name`, whose cordon the node is under; empty for none or for somebody else's. The annotation alone does not tell:
 * `kubectl uncordon` leaves it, so the API server's own record of who set the field counts as well (FIELD.md K33, A35).
 */
export function cordonOwner({ unschedulable, cordonManager, annotations }: Node): string {
  const ours = unschedulable && (cordonManager === '' || cordonManager === FIELD_MANAGER);
  return ours ? (annotations[CORDONED_BY] ?? '') : '';
}

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
  exclude = false,
): Promise<Cordoned | { readonly failure: Failure }> {
  const { actor } = context;
  const annotations = (found: Node) => ({
    [CORDONED_BY]: actor,
    [BEFORE_CORDON]: 'schedulable',
    ...(reason ? { [CORDON_REASON]: reason } : found.annotations[CORDON_REASON] === undefined ? {} : { [CORDON_REASON]: null }),
  });
  const change = (found: Node) => {
    const excluded = exclude ? excludeChange(found, actor) : undefined;
    if (found.unschedulable) return excluded && { metadata: { ...excluded } };
    const metadata = { ...excluded, annotations: { ...annotations(found), ...excluded?.annotations } };
    return { metadata, spec: { unschedulable: true } };
  };
  const written = await writeNode(node, context, change);
  if ('failure' in written) return written;
  const { from, answer } = written;
  if (answer && answer.spec?.unschedulable !== true) return { failure: notKept(node.name, 'unschedulable') };
  if (answer && !from.unschedulable) return { changed: true, previouslyUnschedulable: false, cordonedBy: actor };
  const cordonedBy = cordonOwner(from);
  return { changed: cordonedBy === actor, previouslyUnschedulable: cordonedBy !== actor, cordonedBy };
}

/**
 * Uncordons the node unless it is schedulable, and takes our annotations away. An uncordon leaves no mark: after an attempt without a record it is
 * unknown who made a schedulable node so.
 */
export async function uncordonNode(node: Node, context: ActionContext): Promise<Cordoned | { readonly failure: Failure }> {
  const change = (found: Node) => {
    const included = includeChange(found);
    if (!found.unschedulable) return included && { metadata: { ...included } };
    const ours = RECORD.filter((key) => found.annotations[key] !== undefined);
    const annotations = { ...Object.fromEntries(ours.map((key) => [key, null])), ...included?.annotations };
    const metadata = Object.keys(annotations).length > 0 ? { metadata: { ...included, annotations } } : {};
    return { ...metadata, spec: { unschedulable: null } };
  };
  const written = await writeNode(node, context, change);
  if ('failure' in written) return written;
  const { from, answer } = written;
  if (answer?.spec?.unschedulable === true) return { failure: notKept(node.name, 'schedulable') };
  if (!answer && context.resumed) return { changed: 'Unknown', previouslyUnschedulable: 'Unknown', cordonedBy: 'Unknown' };
  return { changed: answer !== undefined, previouslyUnschedulable: from.unschedulable, cordonedBy: cordonOwner(from) };
}

function writeNode(node: Node, context: ActionContext, change: (found: Node) => { metadata?: JsonObject; spec?: JsonObject } | undefined) {
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
