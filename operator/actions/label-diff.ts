import type { JsonObject } from '../lib/json.ts';
import { byText } from './listing.ts';

/** Labels by key. */
export type Labels = Readonly<Record<string, string>>;

/** The labels that differ from what was asked for; equal ones are not in it. */
export interface LabelChange {
  /** By key; `from` is null where the label was not there. */
  readonly set: Readonly<Record<string, { readonly from: string | null; readonly to: string }>>;
  readonly removed: readonly string[];
}

/** What has to change so that the labels are as asked for; an absent label needs no removal. */
export function diffLabels(now: Labels, set: Labels, remove: readonly string[]): LabelChange {
  const differing = Object.entries(set).filter(([key, to]) => labelOf(now, key) !== to);
  return {
    set: Object.fromEntries(differing.toSorted(([a], [b]) => byText(a, b)).map(([key, to]) => [key, { from: labelOf(now, key), to }])),
    removed: [...new Set(remove)].filter((key) => labelOf(now, key) !== null).toSorted(byText),
  };
}

/** Whether nothing has to change. */
export function isEmpty(change: LabelChange): boolean {
  return Object.keys(change.set).length === 0 && change.removed.length === 0;
}

/** The minimal merge patch: null removes a key (FIELD.md M15). */
export function labelsPatch({ set, removed }: LabelChange): JsonObject {
  return Object.fromEntries([...Object.entries(set).map(([key, { to }]) => [key, to]), ...removed.map((key) => [key, null])]);
}

/** A label may be called `constructor`: what objects inherit is no label. */
function labelOf(labels: Labels, key: string): string | null {
  return Object.hasOwn(labels, key) ? (labels[key] ?? null) : null;
}
