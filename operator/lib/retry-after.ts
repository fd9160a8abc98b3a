import type { Seconds } from './next.ts';

/** `Sun, 06 Nov 1994 08:49:37 GMT`; left to itself, Date.parse takes `soon 5` for a day in May. */
const HTTP_DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*, .* GMT$/;

/** Reads a Retry-After header: seconds or an HTTP date (RFC 9110, 10.2.3); anything else is undefined, a date in the past 0. */
export function parseRetryAfter(header: string | undefined, now: Date = new Date()): Seconds | undefined {
  const text = header?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text);
  const date = HTTP_DATE.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, (date - now.getTime()) / 1000);
}
