import type { LabelSelector, SelectorRequirement } from './budget.ts';

/**
 * Whether a policy/v1 budget's selector chooses these labels: an absent one chooses nothing, an empty one everything. A requirement that
 * is not understood makes the selector choose everything, so that a budget of a newer API is respected rather than overlooked.
 */
export function matches(selector: LabelSelector | undefined, labels: Readonly<Record<string, string>>): boolean {
  if (selector === undefined) return false;
  if (!selector.matchExpressions.every(understood)) return true;
  for (const key in selector.matchLabels) if (labelOf(labels, key) !== selector.matchLabels[key]) return false;
  return selector.matchExpressions.every((requirement) => fulfilled(requirement, labelOf(labels, requirement.key)));
}

/** The rules of `labels.Requirement.Matches` in k8s.io/apimachinery: NotIn holds for an absent label too. */
function fulfilled({ operator, values }: SelectorRequirement, value: string | undefined): boolean {
  if (operator === 'Exists') return value !== undefined;
  if (operator === 'DoesNotExist') return value === undefined;
  const listed = value !== undefined && values.includes(value);
  return operator === 'In' ? listed : !listed;
}

function understood({ operator, values }: SelectorRequirement): boolean {
  if (operator === 'In' || operator === 'NotIn') return values.length > 0;
  return operator === 'Exists' || operator === 'DoesNotExist';
}

/** A label may be called `constructor`: what objects inherit is no label. */
function labelOf(labels: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}
