import { expect, test } from 'vitest';
import { Backoff } from '../../../operator/backends/transport/backoff.ts';

test('waits double from 1 s to 60 s and start over after a reset', () => {
  const backoff = new Backoff({ random: () => 0.999_999 });
  const waits = Array.from({ length: 9 }, () => Math.round(backoff.next()));
  expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
  backoff.reset();
  expect(Math.round(backoff.next())).toBe(1);
});

test('jitter is full: anything from nothing to the whole wait', () => {
  expect(new Backoff({ random: () => 0 }).next()).toBe(0);
  expect(new Backoff({ first: 8, random: () => 0.25 }).next()).toBe(2);
});
