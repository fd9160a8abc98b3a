import type { EmptyDir, Pod } from '../../kube/pod.ts';

/** A terminating pod is not waited for any longer so many whole seconds after its grace period ended (FIELD.md K9). */
const SKIP_TERMINATING_AFTER = 60;

/** Why a pod stays although the drain goes on. */
export type SkipClass = 'namespace' | 'terminating' | 'daemonSet' | 'mirror';
/** Why a pod forbids the whole drain. */
export type RefusalClass = 'daemonSet' | 'daemonSetGone' | 'emptyDir' | 'unmanaged';

/** What one filter says of one pod. */
type FilterAnswer =
  | { readonly decision: 'pass'; readonly warning?: string }
  | { readonly decision: 'skip'; readonly why: SkipClass; readonly warning?: string }
  | { readonly decision: 'refuse'; readonly why: RefusalClass; readonly detail?: string };

/** What all filters together say: the first that does not let the pod pass decides (K7), every warning is kept (K8). */
export type PodVerdict = FilterAnswer & { readonly pod: Pod; readonly warnings: readonly string[] };

/** What the filters need to know beside the pod. */
export interface FilterFacts {
  readonly force: boolean;
  readonly ignoreDaemonSets: boolean;
  readonly deleteEmptyDirData: boolean;
  readonly skipNamespaces: readonly string[];
  readonly now: Date;
  /** Whether the DaemonSet of this pod's controller reference exists (K11). */
  readonly daemonSetExists: (namespace: string, name: string) => boolean;
}

type Filter = (pod: Pod, facts: FilterFacts) => FilterAnswer;

const PASS: FilterAnswer = { decision: 'pass' };

/** Kubectl's filters in kubectl's order (K7), after the namespaces that a backend wants left alone. */
const FILTERS: readonly Filter[] = [leftAlone, terminating, daemonSet, mirror, localStorage, unmanaged];

/** Whether a drain evicts this pod, leaves it, or is forbidden by it. */
export function judgePod(pod: Pod, facts: FilterFacts): PodVerdict {
  const warnings: string[] = [];
  for (const filter of FILTERS) {
    const answer = filter(pod, facts);
    if ('warning' in answer && answer.warning !== undefined) warnings.push(answer.warning);
    if (answer.decision !== 'pass') return { ...answer, pod, warnings };
  }
  return { decision: 'pass', pod, warnings };
}

/** Whether the controller of the pod is a DaemonSet of exactly apps/v1 (K10). */
export function isOfDaemonSet({ controller }: Pod): boolean {
  return controller?.kind === 'DaemonSet' && controller.apiVersion === 'apps/v1';
}

/** Succeeded or Failed: nothing is lost when it goes (K10, K14, K15). */
export function isFinished({ phase }: Pod): boolean {
  return phase === 'Succeeded' || phase === 'Failed';
}

function leftAlone(pod: Pod, { skipNamespaces }: FilterFacts): FilterAnswer {
  return skipNamespaces.includes(pod.namespace) ? { decision: 'skip', why: 'namespace' } : PASS;
}

function terminating(pod: Pod, { now }: FilterFacts): FilterAnswer {
  const seconds = secondsTerminating(pod, now);
  if (seconds === undefined || seconds <= SKIP_TERMINATING_AFTER) return PASS;
  return {
    decision: 'skip',
    why: 'terminating',
    warning: `not waiting for pods that should have ended over ${SKIP_TERMINATING_AFTER} s ago`,
  };
}

/** Whole seconds since the grace period ended; the API server sets the timestamp to request time plus grace (K9). */
function secondsTerminating({ deletionTimestamp }: Pod, now: Date): number | undefined {
  return deletionTimestamp === undefined ? undefined : Math.trunc((now.getTime() - Date.parse(deletionTimestamp)) / 1000);
}

function daemonSet(pod: Pod, facts: FilterFacts): FilterAnswer {
  if (!isOfDaemonSet(pod) || isFinished(pod)) return PASS;
  if (!facts.daemonSetExists(pod.namespace, pod.controller?.name ?? '')) {
    return facts.force
      ? { decision: 'pass', warning: 'deleting pods whose DaemonSet is gone' }
      : { decision: 'refuse', why: 'daemonSetGone' };
  }
  if (!facts.ignoreDaemonSets) return { decision: 'refuse', why: 'daemonSet' };
  return { decision: 'skip', why: 'daemonSet', warning: 'leaving pods of DaemonSets' };
}

function mirror(pod: Pod): FilterAnswer {
  return pod.mirror ? { decision: 'skip', why: 'mirror' } : PASS;
}

function localStorage(pod: Pod, { deleteEmptyDirData }: FilterFacts): FilterAnswer {
  if (pod.emptyDirs.length === 0 || isFinished(pod)) return PASS;
  if (!deleteEmptyDirData) return { decision: 'refuse', why: 'emptyDir', detail: pod.emptyDirs.map(describeVolume).join(', ') };
  return { decision: 'pass', warning: 'deleting emptyDir data of pods' };
}

function unmanaged(pod: Pod, { force }: FilterFacts): FilterAnswer {
  if (pod.controller || isFinished(pod)) return PASS;
  return force ? { decision: 'pass', warning: 'deleting pods without a controller' } : { decision: 'refuse', why: 'unmanaged' };
}

function describeVolume({ name, medium, sizeLimit }: EmptyDir): string {
  const facts = [medium, sizeLimit && `at most ${sizeLimit}`].filter(Boolean).join(', ');
  return facts ? `${name}: ${facts}` : name;
}
