import type { Seconds } from '../lib/next.ts';

/** What a duration looks like, for CEL and for TypeScript: number and unit, one or more times. */
export const DURATION_PATTERN = '^([0-9]{1,6}([.][0-9]{1,3})?(ms|s|m|h))+$';

const UNIT: Readonly<Record<string, Seconds>> = { ms: 0.001, s: 1, m: 60, h: 3600 };

/** The length of `1m30s` or `500ms`; undefined for what is no duration. */
export function parseDuration(value: string): Seconds | undefined {
  if (!new RegExp(DURATION_PATTERN).test(value)) return undefined;
  const parts = value.matchAll(/([0-9.]+)(ms|s|m|h)/g);
  return [...parts].reduce((sum, [, amount, unit]) => sum + Number(amount) * (UNIT[unit ?? ''] ?? 0), 0);
}
