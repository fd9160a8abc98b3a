import { isStatus } from '../kube/error.ts';
import type { KubeObject, ObjectMeta } from '../kube/object.ts';
import type { JsonObject } from '../lib/json.ts';
import { type ActionContext, formatTarget, type Plan, type Progress, type Target } from './action.ts';
import { fencedPatch } from './fenced-patch.ts';
import { diffLabels, isEmpty, type LabelChange, type Labels, labelsPatch } from './label-diff.ts';
import { count, listNames } from './listing.ts';
import { isMeant } from './node-target.ts';
import { type Failure, failed, type Known, UNKNOWN_WHOSE } from './outcome.ts';
import { targetRef } from './target-ref.ts';

/** What the action Label is asked to do. */
export interface LabelRequest {
  readonly target: Target;
  readonly set: Labels;
  readonly remove: readonly string[];
}

/** Writes only the labels that differ, reads them back from the answer, and writes nothing when none does (FIELD.md M15). */
export async function labelObject(request: LabelRequest, context: ActionContext): Promise<Progress> {
  const read = async () => {
    const found = await readTarget(request, context);
    return 'failure' in found ? found : { state: found.metadata };
  };
  const diff = (state: ObjectMeta) => diffLabels(state.labels ?? {}, request.set, request.remove);
  const change = (state: ObjectMeta) => {
    const changes = diff(state);
    return isEmpty(changes) ? undefined : { metadata: { labels: labelsPatch(changes) } };
  };
  const written = await fencedPatch({ ref: targetRef(request.target), read, change }, context);
  if ('failure' in written) return written.failure;
  const name = formatTarget(request.target);
  const changes = diff(written.from);
  if (!written.answer && context.resumed)
    return { state: 'succeeded', message: `${name} has these labels; ${UNKNOWN_WHOSE}`, result: resultOf(changes, 'Unknown') };
  if (!written.answer) return { state: 'succeeded', message: `${name} already has these labels`, result: resultOf(changes, false) };
  const ignored = diffLabels(written.answer.metadata.labels ?? {}, request.set, request.remove);
  if (!isEmpty(ignored)) {
    const keys = listNames([...Object.keys(ignored.set), ...ignored.removed]);
    return failed('NotKept', `the API server took the change but ${name} did not keep it: ${keys}`, { result: resultOf(changes, true) });
  }
  return { state: 'succeeded', message: `${name} ${describe(changes)}`, result: resultOf(changes, true) };
}

/** What would change, label by label. */
export async function planLabels(request: LabelRequest, context: ActionContext): Promise<Plan> {
  const found = await readTarget(request, context);
  const name = formatTarget(request.target);
  if ('failure' in found) return { change: 0, skip: [], blocked: [`${name}: ${found.failure.message}`] };
  const changes = diffLabels(found.metadata.labels ?? {}, request.set, request.remove);
  if (isEmpty(changes)) return { change: 0, skip: [`${name}: already has these labels`], blocked: [] };
  return { change: 1, skip: [], blocked: [] };
}

async function readTarget(request: LabelRequest, context: ActionContext): Promise<KubeObject | { readonly failure: Failure }> {
  const name = formatTarget(request.target);
  try {
    const found = await context.cluster.get(targetRef(request.target), context.signal);
    if (isTarget(request.target, found, context)) return found;
    return { failure: failed('TargetReplaced', `${name} is another one: ${describeOther(found, context)}`) };
  } catch (error) {
    if (isStatus(error, 404)) return { failure: failed('TargetNotFound', `${name} not found`) };
    throw error;
  }
}

/** The same object, and for a node the same machine (FIELD.md F2, M10). */
function isTarget({ kind }: Target, { metadata, spec }: KubeObject, context: ActionContext): boolean {
  const providerID = typeof spec?.providerID === 'string' ? spec.providerID : '';
  return kind === 'Node' ? isMeant({ uid: metadata.uid, providerID }, context) : metadata.uid === context.targetUID;
}

function describeOther({ metadata: { uid } }: KubeObject, { targetUID, targetProviderID }: ActionContext): string {
  if (uid === targetUID) return `its provider ID is not ${targetProviderID}`;
  return `its UID is ${uid}, ${targetUID === '' ? 'it did not exist when the action started' : `the action is meant for ${targetUID}`}`;
}

function resultOf(changes: LabelChange, changed: Known): JsonObject {
  return { changed, ...changes };
}

function describe({ set, removed }: LabelChange): string {
  const parts = [`${count(Object.keys(set).length, 'label')} set`, `${count(removed.length, 'label')} removed`];
  return parts.filter((part) => !part.startsWith('0 ')).join(', ');
}
