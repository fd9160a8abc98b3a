import { DEFAULT_GRACE_SECONDS, type Pod } from '../../kube/pod.ts';
import type { Seconds } from '../../lib/next.ts';
import type { Simulation } from './simulation.ts';

/** How long a replacement is taken to need until it is healthy and its budget lets the next round go: an assumption, nobody knows it before. */
const REPLACED_AFTER: Seconds = 30;

/**
 * Seconds until the last of these pods has gone, reckoned high: every pod uses its whole grace period, and pods of one budget go in rounds, each of
 * which takes the longest grace in it, with 30 s between two rounds for the replacements. Budgets count down side by side, so the slowest decides.
 * Undefined where some pod would never go. What nobody can know is not in it: volumes that detach slowly, webhooks, other people's drains.
 */
export function estimate(
  pods: readonly Pod[],
  { fates }: Simulation,
  gracePeriodSeconds: number | undefined,
  now: Date,
): Seconds | undefined {
  const chains = new Map<string, Seconds[]>();
  for (const pod of pods) {
    const fate = fates.get(pod.uid);
    if (fate?.round === undefined) return undefined;
    const chain = chains.get(fate.budget?.uid ?? '') ?? [];
    chains.set(fate.budget?.uid ?? '', chain);
    chain[fate.round - 1] = Math.max(chain[fate.round - 1] ?? 0, graceOf(pod, gracePeriodSeconds, now));
  }
  const lengths = [...chains.values()].map((chain) => {
    // A round in which nothing goes, because the budget allows none yet, only waits.
    const grace = Array.from(chain, (seconds) => seconds ?? 0).reduce((sum, seconds) => sum + seconds, 0);
    return grace + (chain.length - 1) * REPLACED_AFTER;
  });
  return Math.ceil(Math.max(0, ...lengths));
}

function graceOf({ deletionTimestamp, graceSeconds }: Pod, asked: number | undefined, now: Date): Seconds {
  if (deletionTimestamp !== undefined) return Math.max(0, (Date.parse(deletionTimestamp) - now.getTime()) / 1000);
  return asked ?? graceSeconds ?? DEFAULT_GRACE_SECONDS;
}
