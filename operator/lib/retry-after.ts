import type { Seconds } from './next.ts';

/** `Sun, 06 Nov 1994 08:49:37 GMT`; left to itself, Date.parse takes `soon 5` for a day in May. */
const HTTP_DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*, .* GMT$/;
/** The longest wait that a Retry-After can ask for; a mistaken header must not silence the operator for days. */
const LONGEST: Seconds = 3600;

/**
 * Reads a Retry-After header, seconds or an HTTP date (RFC 9110, 10.2.3): at most an hour, a date in the past 0, anything else undefined. A date
 * counts from the answer's own Date where it has one, so that a clock that is wrong on either side does no harm.
 */
export function parseRetryAfter(header: string | undefined, date: string | undefined, now: Date): Seconds | undefined {
  const text = header?.trim() ?? '';
  if (/^\d+(\.\d+)?$/.test(text)) return Math.min(Number(text), LONGEST);
  const until = parseDate(text);
  if (until === undefined) return undefined;
  const from = parseDate(date?.trim() ?? '') ?? now.getTime();
  return Math.min(Math.max(0, (until - from) / 1000), LONGEST);
}

function parseDate(text: string): number | undefined {
  const time = HTTP_DATE.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}
