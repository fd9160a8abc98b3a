import type { NewBlocker } from '../eviction/blockers.ts';
import type { RefusalClass } from './filters.ts';
import { nameOf, type Sorted } from './verdicts.ts';

/** Per class of refusal the cause in `status.blockers` and `status.plan.pods`, and what changes the outcome (FIELD.md F3, K16). */
const CAUSES: Readonly<Record<RefusalClass, { readonly cause: string; readonly option: string }>> = {
  daemonSet: { cause: 'DaemonSet', option: 'ignoreDaemonSets: true leaves it' },
  daemonSetGone: { cause: 'DaemonSetGone', option: 'force: true deletes it' },
  doNotDisrupt: { cause: 'DoNotDisrupt', option: 'ignoreDoNotDisrupt: true evicts it' },
  emptyDir: { cause: 'LocalStorage', option: 'deleteEmptyDirData: true lets it go, and its data is lost' },
  unmanaged: { cause: 'NoController', option: 'force: true deletes it, and nothing makes it again' },
};

/** The CamelCase cause of a refusal. */
export function refusalCause(why: RefusalClass): string {
  return CAUSES[why].cause;
}

/** The pods that forbid a drain as data: nothing is tried again, so no next try is named. */
export function refusalBlockers(refused: Sorted['refused']): readonly NewBlocker[] {
  return refused.map(({ why, pod, detail }) => {
    const { cause, option } = CAUSES[why];
    return { pod: nameOf(pod), uid: pod.uid, cause, detail: detail ? `${option}: ${detail}` : option };
  });
}
