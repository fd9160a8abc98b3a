import type { Pod } from '../../kube/pod.ts';
import type { ActionContext } from '../action.ts';
import type { RequestMemory } from '../eviction/memory.ts';
import type { Sorted } from './verdicts.ts';

/** The pods that have to leave, by what happens to them now. */
export interface Turn {
  /** To be asked to go now. */
  readonly pending: readonly Pod[];
  /** Asked to go, by us or by somebody else, and not gone yet. */
  readonly leaving: readonly Pod[];
  /** Waited for, not asked. */
  readonly held: readonly Pod[];
  /** Not yet their turn: pods of a later order, and the operator's own. */
  readonly later: readonly Pod[];
}

/**
 * Whose turn it is: of the pods that have not gone those of the lowest order (FIELD.md M8, A22), the operator's own when all others have gone: the
 * next process then finds nothing left to do (A30, X13).
 */
export function turnOf({ go, held, orders }: Sorted, context: ActionContext, mine: RequestMemory): Turn {
  const others = go.filter((pod) => !isOwnPod(pod, context));
  const candidates = others.length > 0 ? others : go;
  const lowest = candidates.reduce((least, pod) => Math.min(least, orders.get(pod.uid) ?? 0), Number.POSITIVE_INFINITY);
  const eligible = new Set(candidates.filter((pod) => (orders.get(pod.uid) ?? 0) === lowest).map((pod) => pod.uid));
  const turn = { pending: [] as Pod[], leaving: [] as Pod[], held: [] as Pod[], later: [] as Pod[] };
  for (const pod of go) {
    if (isLeaving(pod, mine)) turn.leaving.push(pod);
    else if (!eligible.has(pod.uid)) turn.later.push(pod);
    else if (held.has(pod.uid)) turn.held.push(pod);
    else turn.pending.push(pod);
  }
  return turn;
}

/** Whether this is the pod of this very process. */
export function isOwnPod(pod: Pod, { ownPod }: ActionContext): boolean {
  return pod.namespace === ownPod?.namespace && pod.name === ownPod.name;
}

/** A terminating pod was asked, be it by us before a restart or by somebody else (FIELD.md I5, E1). */
function isLeaving(pod: Pod, { accepted }: RequestMemory): boolean {
  return pod.deletionTimestamp !== undefined || accepted.has(pod.uid);
}
