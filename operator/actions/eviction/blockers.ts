import type { Blocker } from '../blocker.ts';
import { byText, listNames } from '../listing.ts';

/** At most so many causes stand in a message (FIELD.md M20). */
const CAUSES = 5;

/** The causes that a blocker can have, in the order in which one is chosen as the reason of the whole. */
const ORDER = ['DisruptionBudget', 'PDBNeverSatisfiable', 'MultiplePDBs', 'WebhookDenied', 'WebhookUnavailable', 'EvictionRefused'];

/** Causes whose detail is the refusal's own words: these may differ from try to try, and the first ones are kept. */
const TOLD = new Set(['WebhookDenied', 'WebhookUnavailable', 'EvictionRefused']);

/** A blocker before it is known since when. */
export type NewBlocker = Omit<Blocker, 'since'>;

/**
 * Sorted, one per pod, each with the time it was first seen with this cause and the next try that was due then, so that nothing changes while
 * nothing changed (FIELD.md F3).
 */
export function mergeBlockers(found: readonly NewBlocker[], before: readonly Blocker[], now: Date): readonly Blocker[] {
  const known = new Map(before.map((blocker) => [keyOf(blocker), blocker]));
  const byUID = new Map(found.map((blocker) => [blocker.uid, blocker]));
  return [...byUID.values()]
    .map((blocker) => goingOn(blocker, known.get(keyOf(blocker)), now))
    .toSorted((a, b) => byText(a.pod, b.pod) || byText(a.uid, b.uid));
}

function goingOn(found: NewBlocker, before: Blocker | undefined, now: Date): Blocker {
  if (!before) return { ...found, since: now.toISOString() };
  const same =
    found.budget === before.budget && found.currentHealthy === before.currentHealthy && found.desiredHealthy === before.desiredHealthy;
  const { detail, retryAt } = before;
  return {
    ...found,
    ...(TOLD.has(found.cause) && detail !== undefined ? { detail } : {}),
    since: before.since,
    ...(same && retryAt !== undefined ? { retryAt } : {}),
  };
}

/** The one cause that stands for all, the same for the same blockers. */
export function mainCause(blockers: readonly Blocker[]): string | undefined {
  const causes = new Set(blockers.map((blocker) => blocker.cause));
  return ORDER.find((cause) => causes.has(cause)) ?? [...causes].toSorted(byText)[0];
}

/** One steady text: names first, at most three per cause, then a count; no times in it (FIELD.md M20). */
export function describeBlockers(blockers: readonly Blocker[]): string {
  const groups = new Map<string, string[]>();
  for (const blocker of blockers) {
    const why = describeCause(blocker);
    groups.set(why, [...(groups.get(why) ?? []), blocker.pod]);
  }
  const texts = [...groups].toSorted(([a], [b]) => byText(a, b)).map(([why, pods]) => `${listNames(pods)} ${why}`);
  const rest = texts.length - CAUSES;
  return [...texts.slice(0, CAUSES), ...(rest > 0 ? [`${rest} more causes`] : [])].join('; ');
}

function describeCause({ cause, pod, budget, currentHealthy, desiredHealthy, detail }: Blocker): string {
  const namespace = pod.slice(0, pod.indexOf('/'));
  const named = budget ? `budget ${namespace}/${budget}` : 'a disruption budget';
  switch (cause) {
    case 'DisruptionBudget':
      if (desiredHealthy === undefined) return `blocked by ${named}`;
      return `blocked by ${named}: ${desiredHealthy} healthy pods needed, ${currentHealthy ?? 0} there`;
    case 'PDBNeverSatisfiable':
      return `blocked by ${named}, which never allows a disruption: all ${desiredHealthy} expected pods are healthy and all are needed`;
    case 'MultiplePDBs':
      return `selected by more than one disruption budget, which the eviction API refuses: ${budget}`;
    case 'WebhookDenied':
      return 'refused by an admission webhook or policy';
    case 'WebhookUnavailable':
      return 'held by an admission webhook that does not answer';
    case 'EvictionRefused':
      return 'refused by the API server';
    default:
      return detail === undefined ? `held back: ${cause}` : `held back: ${cause}, ${detail}`;
  }
}

function keyOf({ uid, cause }: NewBlocker): string {
  return `${uid} ${cause}`;
}
