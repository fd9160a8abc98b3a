const NAMED = 3;

/** The first three names in order, then a count: `shop/a, shop/b, shop/c and 4 more` (API.md, messages; FIELD.md M20). */
export function listNames(names: readonly string[]): string {
  const sorted = names.toSorted(byText);
  const rest = sorted.length - NAMED;
  const named = sorted.slice(0, NAMED).join(', ');
  return rest > 0 ? `${named} and ${rest} more` : named;
}

/** Orders texts by code unit, the same on every machine. */
export function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** `1 pod`, `2 pods`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
