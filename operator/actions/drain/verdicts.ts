import type { Pod } from '../../kube/pod.ts';
import type { JsonObject } from '../../lib/json.ts';
import { byText, listNames } from '../listing.ts';
import type { Held, PodVerdict, RefusalClass, SkipClass } from './filters.ts';

/** The pods of a node, sorted by what the filters say of them. */
export interface Sorted {
  readonly go: readonly Pod[];
  /** Those of `go` that are waited for instead of asked to go, by UID. */
  readonly held: ReadonlyMap<string, Held>;
  /** The order of those of `go` that have another than 0, by UID. */
  readonly orders: ReadonlyMap<string, number>;
  readonly skipped: readonly (PodVerdict & { readonly decision: 'skip' })[];
  readonly refused: readonly (PodVerdict & { readonly decision: 'refuse' })[];
  /** Every warning of every filter, with its pods, sorted (FIELD.md K8, K17). */
  readonly warnings: readonly string[];
}

const REFUSALS: Readonly<Record<RefusalClass, string>> = {
  daemonSet: 'pods of a DaemonSet (set ignoreDaemonSets: true to leave them)',
  daemonSetGone: 'pods whose DaemonSet is gone (set force: true to delete them)',
  doNotDisrupt: 'pods that must not be disrupted (set ignoreDoNotDisrupt: true to evict them)',
  emptyDir: 'pods with emptyDir data (set deleteEmptyDirData: true to lose it)',
  unmanaged: 'pods without a controller (set force: true to delete them)',
};

const SKIPS: Readonly<Record<SkipClass, string>> = {
  namespace: 'its namespace is left alone',
  terminating: 'it should have ended long ago',
  daemonSet: 'it belongs to a DaemonSet',
  mirror: 'it is a static pod',
  rule: 'a rule leaves it alone',
  drainLabel: 'its label cluster.x-k8s.io/drain leaves it alone',
};

/** Sorts the verdicts of all pods of a node. */
export function sortVerdicts(verdicts: readonly PodVerdict[]): Sorted {
  // Named once each: comparing makes the names of hundreds of pods thousands of times.
  const named = verdicts.map((verdict) => ({ name: nameOf(verdict.pod), verdict }));
  const ordered = named.sort((a, b) => byText(a.name, b.name)).map(({ verdict }) => verdict);
  const warned = groupBy(ordered.flatMap(({ pod, warnings }) => warnings.map((warning) => [warning, nameOf(pod)] as const)));
  const going = ordered.filter((verdict) => verdict.decision === 'pass');
  return {
    go: going.map(({ pod }) => pod),
    held: new Map(going.flatMap(({ pod, held }) => (held ? [[pod.uid, held] as const] : []))),
    orders: new Map(going.flatMap(({ pod, order }) => (order === 0 ? [] : [[pod.uid, order] as const]))),
    skipped: ordered.filter((verdict) => verdict.decision === 'skip'),
    refused: ordered.filter((verdict) => verdict.decision === 'refuse'),
    warnings: warned.map(([warning, names]) => `${warning}: ${listNames(names)}`),
  };
}

/** Per class of refusal the option that changes the outcome and the pods (FIELD.md K16, K14). */
export function describeRefusals(refused: Sorted['refused']): string {
  const named = refused.map(({ why, pod, detail }) => [REFUSALS[why], detail ? `${nameOf(pod)} (${detail})` : nameOf(pod)] as const);
  return groupBy(named)
    .map(([text, names]) => `${text}: ${listNames(names)}`)
    .join('; ');
}

/** One line per refused pod, for a plan. */
export function refusalLines(refused: Sorted['refused']): readonly string[] {
  return refused.map(({ why, pod, detail }) => `${nameOf(pod)}: ${REFUSALS[why]}${detail ? `: ${detail}` : ''}`);
}

/** One line per pod that stays, for a plan. */
export function skipLines(skipped: Sorted['skipped']): readonly string[] {
  return skipped.map(({ why, pod }) => `${nameOf(pod)}: ${SKIPS[why]}`);
}

/** How many pods stay, per class; classes without pods are left out. */
export function skipCounts(skipped: Sorted['skipped']): JsonObject {
  const counts = new Map<SkipClass, number>();
  for (const { why } of skipped) counts.set(why, (counts.get(why) ?? 0) + 1);
  return Object.fromEntries([...counts].toSorted(([a], [b]) => byText(a, b)));
}

/** `namespace/name`. */
export function nameOf({ namespace, name }: Pod): string {
  return `${namespace}/${name}`;
}

function groupBy(pairs: readonly (readonly [string, string])[]): readonly (readonly [string, readonly string[]])[] {
  const groups = new Map<string, string[]>();
  for (const [key, value] of pairs) groups.set(key, [...(groups.get(key) ?? []), value]);
  return [...groups].toSorted(([a], [b]) => byText(a, b));
}
