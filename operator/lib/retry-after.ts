import type { Seconds } from './next.ts';

/** Reads a Retry-After header: seconds or an HTTP date (RFC 9110, 10.2.3); anything else is undefined, a date in the past 0. */
export function parseRetryAfter(header: string | undefined, now: Date = new Date()): Seconds | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text);
  const date = Date.parse(text);
  return Number.isNaN(date) || !/[a-z]/i.test(text) ? undefined : Math.max(0, (date - now.getTime()) / 1000);
}
