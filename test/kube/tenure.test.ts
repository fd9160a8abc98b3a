import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { NotLeading } from '../../operator/kube/fence.ts';
import { Tenure } from '../../operator/kube/tenure.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const holds = (tenure: Tenure) => {
  try {
    tenure.check();
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(NotLeading);
    return false;
  }
};

test('it ends by itself when it is not extended, and an extension counts from where it was told', () => {
  const tenure = new Tenure(performance.now() / 1000 + 6);
  vi.advanceTimersByTime(5000);
  expect(holds(tenure)).toBe(true);
  tenure.extend(performance.now() / 1000 + 6);
  vi.advanceTimersByTime(5999);
  expect(tenure.signal.aborted).toBe(false);
  vi.advanceTimersByTime(1);
  expect(tenure.signal.aborted).toBe(true);
  expect(holds(tenure)).toBe(false);
});

test('a process that was stopped finds out at the next check, before any timer fires, and whoever listens hears of it first', () => {
  let now = 100;
  const tenure = new Tenure(106, () => now);
  const heard = vi.fn();
  tenure.signal.addEventListener('abort', heard);
  now = 106;
  expect(() => tenure.check()).toThrow(NotLeading);
  expect(heard).toHaveBeenCalledOnce();
});

test('a tenure that is over cannot be extended, also when nobody has noticed yet', () => {
  let now = 100;
  const tenure = new Tenure(106, () => now);
  now = 107;
  tenure.extend(120);
  expect(holds(tenure)).toBe(false);
  tenure.extend(1000);
  expect(holds(tenure)).toBe(false);
});

test('ended by somebody, it says why', () => {
  const tenure = new Tenure(Number.MAX_SAFE_INTEGER / 1e6, () => 0);
  tenure.end('op-b has taken the lead');
  tenure.end('again');
  expect(() => tenure.check()).toThrow('op-b has taken the lead');
});

test('one that begins too late never holds', () => {
  const tenure = new Tenure(5, () => 5);
  expect(tenure.signal.aborted).toBe(true);
});

test('whatever the renewals, it holds exactly until the latest moment that was granted while it held', () => {
  const step = fc.record({ wait: fc.integer({ min: 0, max: 20 }), grant: fc.integer({ min: -10, max: 20 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      let now = 0;
      const tenure = new Tenure(10, () => now);
      let until = 10;
      let over = false;
      for (const { wait, grant } of steps) {
        now += wait;
        over ||= now >= until;
        tenure.extend(now + grant);
        if (!over) until = Math.max(until, now + grant);
        over ||= now >= until;
        expect(holds(tenure)).toBe(!over);
      }
      tenure.end('done');
    }),
  );
});
