import { expect, test } from 'vitest';
import { parseRetryAfter } from '../../operator/lib/retry-after.ts';

const now = new Date('2026-03-01T12:00:00Z');

test.each<[string | undefined, number | undefined]>([
  [undefined, undefined],
  ['', undefined],
  ['0', 0],
  ['1', 1],
  [' 30 ', 30],
  ['120', 120],
  ['1234567890', 3600],
  ['-5', undefined],
  ['1.5', 1.5],
  ['soon', undefined],
  ['soon 5', undefined],
  ['2026-03-01', undefined],
  ['Sun, 01 Mar 2026 12:00:10 GMT', 10],
  ['Sunday, 01-Mar-26 12:00:10 GMT', 10],
  ['Sun, 01 Mar 2026 11:59:00 GMT', 0],
  ['Mon, 02 Mar 2026 12:00:00 GMT', 3600],
  ['Sun, 99 Foo 2026 11:59:00 GMT', undefined],
])('Retry-After %j asks for %s', (header, seconds) => {
  expect(parseRetryAfter(header, undefined, now)).toBe(seconds);
});
