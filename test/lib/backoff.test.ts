import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Backoff, reconnectBackoff } from '../../operator/lib/backoff.ts';

test('delays stay within a bound that starts at the first, doubles and stops at the last', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.01, max: 2, noNaN: true }), fc.integer({ min: 2, max: 60 }), (initial, max) => {
      const backoff = new Backoff({ first: initial, most: max });
      for (let n = 0; n < 20; n++) {
        const delay = backoff.next();
        expect(delay).toBeGreaterThanOrEqual(0);
        expect(delay).toBeLessThanOrEqual(Math.min(max, initial * 2 ** n) + 0.001);
      }
    }),
  );
});

test('after a reset the bound is the first again', () => {
  const backoff = new Backoff({ first: 0.1, most: 100 });
  for (let n = 0; n < 15; n++) backoff.next();
  backoff.reset();
  expect(backoff.next()).toBeLessThanOrEqual(0.101);
});

test('delays are spread, so that many clients do not come back together', () => {
  const delays = Array.from({ length: 50 }, () => {
    const backoff = reconnectBackoff();
    for (let n = 0; n < 4; n++) backoff.next();
    return backoff.next();
  });
  expect(new Set(delays.map((delay) => delay.toFixed(2))).size).toBeGreaterThan(10);
  expect(Math.max(...delays)).toBeLessThanOrEqual(5);
});

test('by default waits double from 1 s to 60 s (optimizer.md 1)', () => {
  const backoff = new Backoff({ random: () => 0.999_999 });
  expect(Array.from({ length: 9 }, () => Math.round(backoff.next()))).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
});
