import type { Pod } from '../../kube/pod.ts';

/** Succeeded or Failed: nothing is lost when it goes (FIELD.md K10, K14, K15). */
export function isFinished({ phase }: Pod): boolean {
  return phase === 'Succeeded' || phase === 'Failed';
}
