import type { EmptyDir, Pod } from '../../kube/pod.ts';
import type { Seconds } from '../../lib/next.ts';
import { isFinished } from './finished.ts';
import { hasUnreadableMark, optOutOf, protectionOf } from './opt-outs.ts';
import type { Part } from './rules.ts';

/** A terminating pod is not waited for any longer so many whole seconds after its grace period ended (FIELD.md K9). */
const SKIP_TERMINATING_AFTER = 60;

/** Why a pod stays although the drain goes on. */
export type SkipClass = 'namespace' | 'terminating' | 'daemonSet' | 'mirror' | 'rule' | 'drainLabel';
/** Why a pod forbids the whole drain. */
export type RefusalClass = 'daemonSet' | 'daemonSetGone' | 'doNotDisrupt' | 'emptyDir' | 'unmanaged';

/** Why a pod that has to leave is waited for instead of asked to go. */
export interface Held {
  readonly cause: 'WaitingForCompletion' | 'DoNotDisrupt';
  /** The annotation that asks for it. */
  readonly mark?: string;
  /** When it may be asked to go at the latest. */
  readonly until?: Date;
}

/** What one filter says of one pod. */
type FilterAnswer =
  | { readonly decision: 'pass'; readonly warning?: string; readonly held?: Held }
  | { readonly decision: 'wait'; readonly held: Held }
  | { readonly decision: 'skip'; readonly why: SkipClass; readonly warning?: string }
  | { readonly decision: 'refuse'; readonly why: RefusalClass; readonly detail?: string };

/** What all filters together say: the first that does not let the pod pass decides (K7), every warning is kept (K8). */
export type PodVerdict = Exclude<FilterAnswer, { decision: 'wait' }> & {
  readonly pod: Pod;
  readonly warnings: readonly string[];
  /** Among the pods that go, those of a lower order go first. */
  readonly order: number;
};

/** What the filters need to know beside the pod. */
export interface FilterFacts {
  readonly force: boolean;
  readonly ignoreDaemonSets: boolean;
  readonly deleteEmptyDirData: boolean;
  readonly skipNamespaces: readonly string[];
  readonly ignoreDoNotDisrupt: boolean;
  /** Whether a pod that hangs in its termination is forced in the end, and so is worth the wait. */
  readonly forces: boolean;
  readonly now: Date;
  /** What is left of the time of the whole drain. */
  readonly timeLeft: Seconds;
  /** What the rules of the drain, or the pod's own label, say of it. */
  readonly partOf: (pod: Pod) => Part;
  /** Whether the DaemonSet of this pod's controller reference exists (K11). */
  readonly daemonSetExists: (namespace: string, name: string) => boolean;
}

type Filter = (pod: Pod, facts: FilterFacts) => FilterAnswer;

const PASS: FilterAnswer = { decision: 'pass' };

/** Kubectl's filters in kubectl's order (K7), with the rules and marks of others where Cluster API has them: after the pods that stay anyway. */
const FILTERS: readonly Filter[] = [leftAlone, terminating, daemonSet, mirror, byRule, doNotDisrupt, localStorage, unmanaged];

/** Whether a drain evicts this pod, leaves it, or is forbidden by it. */
export function judgePod(pod: Pod, facts: FilterFacts): PodVerdict {
  const warnings: string[] = [];
  const { order } = facts.partOf(pod);
  let held: Held | undefined;
  for (const filter of FILTERS) {
    const answer = filter(pod, facts);
    if ('warning' in answer && answer.warning !== undefined) warnings.push(answer.warning);
    if ('held' in answer) held = answer.held;
    if (answer.decision === 'wait') break;
    if (answer.decision !== 'pass') return { ...answer, pod, warnings, order };
  }
  return { decision: 'pass', pod, warnings, order, ...(held ? { held } : {}) };
}

/** Whether the controller of the pod is a DaemonSet of exactly apps/v1 (K10). */
export function isOfDaemonSet({ controller }: Pod): boolean {
  return controller?.kind === 'DaemonSet' && controller.apiVersion === 'apps/v1';
}

function leftAlone(pod: Pod, { skipNamespaces }: FilterFacts): FilterAnswer {
  return skipNamespaces.includes(pod.namespace) ? { decision: 'skip', why: 'namespace' } : PASS;
}

function terminating(pod: Pod, { now, forces }: FilterFacts): FilterAnswer {
  const seconds = secondsTerminating(pod, now);
  if (seconds === undefined || seconds <= SKIP_TERMINATING_AFTER) return PASS;
  // Asked with no grace at all it can only hang on a finalizer, and nothing stronger is left.
  if (forces && pod.deletionGraceSeconds !== 0 && !protectionOf(pod, now)) return PASS;
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

/** A finished pod has nothing left to complete. */
function byRule(pod: Pod, { partOf }: FilterFacts): FilterAnswer {
  const { behavior, own } = partOf(pod);
  if (behavior === 'Skip') return { decision: 'skip', why: own ? 'drainLabel' : 'rule' };
  if (behavior === 'Drain' || isFinished(pod) || pod.deletionTimestamp !== undefined) return PASS;
  return { decision: 'wait', held: { cause: 'WaitingForCompletion' } };
}

/** A protection that ends in time is waited for, one that does not forbids the drain (FIELD.md M9, A32, A42). */
function doNotDisrupt(pod: Pod, { ignoreDoNotDisrupt, now, timeLeft }: FilterFacts): FilterAnswer {
  if (!pod.disruption) return PASS;
  const optOut = optOutOf(pod, now);
  if (!optOut) return hasUnreadableMark(pod) ? { decision: 'pass', warning: 'ignoring a do-not-disrupt that cannot be read' } : PASS;
  const { mark, until } = optOut;
  if (ignoreDoNotDisrupt) return { decision: 'pass', warning: 'evicting pods that must not be disrupted' };
  if (until === undefined || until.getTime() - now.getTime() >= timeLeft * 1000)
    return { decision: 'refuse', why: 'doNotDisrupt', detail: mark };
  return { decision: 'pass', held: { cause: 'DoNotDisrupt', mark, until } };
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
