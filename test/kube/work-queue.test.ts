import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { WorkQueue, type WorkQueueOptions } from '../../operator/kube/work-queue.ts';

/** A queue whose passes end when told. */
function makeQueue(options: Partial<WorkQueueOptions> = {}) {
  const passes: string[] = [];
  const ends: (() => void)[] = [];
  const handle = (key: string) => {
    passes.push(key);
    return new Promise<void>((resolve) => ends.push(resolve));
  };
  const queue = new WorkQueue({ width: 1, handle, ...options });
  /** Ends the oldest pass that is under way and lets the next begin. */
  const end = async () => {
    ends.shift()?.();
    await settle();
  };
  return { queue, passes, end };
}

/** Lets everything run that waits for promises only. */
async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

test('nothing is handled before the queue is opened; what was added before is', async () => {
  const { queue, passes } = makeQueue();
  queue.add('a');
  await settle();
  expect([passes, queue.depth]).toEqual([[], 1]);
  queue.open();
  await settle();
  expect([passes, queue.depth]).toEqual([['a'], 0]);
});

test('a key added many times while it waits is handled once', async () => {
  const { queue, passes, end } = makeQueue();
  for (let n = 0; n < 5; n++) queue.add('a');
  queue.open();
  await end();
  await end();
  expect(passes).toEqual(['a']);
});

test('a key added during its pass is handled once more afterwards, never beside it', async () => {
  const { queue, passes, end } = makeQueue({ width: 8 });
  queue.open();
  queue.add('a');
  await settle();
  queue.add('a');
  queue.add('a');
  await settle();
  expect(passes).toEqual(['a']);
  await end();
  expect(passes).toEqual(['a', 'a']);
  await end();
  await end();
  expect(passes).toHaveLength(2);
});

test('a key whose pass has been chosen but not begun is handled again, because the pass may have looked already', async () => {
  const { queue, passes, end } = makeQueue();
  queue.open();
  queue.add('a');
  queue.add('a');
  await end();
  await end();
  expect(passes).toEqual(['a', 'a']);
});

test('as many passes as the width run at the same time', async () => {
  const { queue, passes, end } = makeQueue({ width: 3 });
  for (const key of 'abcde') queue.add(key);
  queue.open();
  await settle();
  expect(passes).toEqual(['a', 'b', 'c']);
  await end();
  expect(passes).toEqual(['a', 'b', 'c', 'd']);
});

test('the lowest rank goes first, within a rank the oldest; who was told no rank is in the middle', async () => {
  const ranks: Record<string, number> = { urgent: 1, urgent2: 1, late: 10 };
  const { queue, passes, end } = makeQueue({ rank: (key) => ranks[key] ?? 5 });
  for (const key of ['late', 'x', 'urgent', 'y', 'urgent2']) queue.add(key);
  queue.open();
  for (let n = 0; n < 5; n++) await end();
  expect(passes).toEqual(['urgent', 'urgent2', 'x', 'y', 'late']);
});

test('a key that always comes back waits behind those of its rank that are there', async () => {
  const { queue, passes, end } = makeQueue();
  queue.open();
  queue.add('busy');
  await settle();
  for (const key of ['a', 'b', 'c']) queue.add(key);
  for (let n = 0; n < 4; n++) {
    queue.add('busy');
    await end();
  }
  expect(passes).toEqual(['busy', 'a', 'b', 'c', 'busy']);
});

test('a pass asked for later comes then', async () => {
  const { queue, passes } = makeQueue();
  queue.open();
  queue.addAfter('a', 10);
  await vi.advanceTimersByTimeAsync(9_999);
  expect(passes).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(passes).toEqual(['a']);
});

test.each([
  ['a sooner one', 20, 5, 5],
  ['a later one', 5, 20, 20],
])('the newest delay counts, also %s', async (_, first, second, at) => {
  const { queue, passes } = makeQueue();
  queue.open();
  queue.addAfter('a', first);
  queue.addAfter('a', second);
  await vi.advanceTimersByTimeAsync(at * 1000 - 1);
  expect(passes).toEqual([]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(passes).toEqual(['a']);
});

test('a pass now replaces the later one, as a new look decides anew', async () => {
  const { queue, passes, end } = makeQueue();
  queue.open();
  queue.addAfter('a', 10);
  queue.add('a');
  await end();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(passes).toEqual(['a']);
});

test.each([0, -1])('a delay of %d is a pass at once', async (after) => {
  const { queue, passes } = makeQueue();
  queue.open();
  queue.addAfter('a', after);
  await vi.advanceTimersByTimeAsync(1);
  expect(passes).toEqual(['a']);
});

test.each([1e9, Number.POSITIVE_INFINITY])('a delay of %d seconds does not overflow into a pass at once', async (after) => {
  const { queue, passes } = makeQueue();
  queue.open();
  queue.addAfter('a', after);
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(passes).toEqual([]);
  await queue.close();
});

test('closing waits for the passes under way, starts none, and forgets what waits and what was asked for later', async () => {
  const { queue, passes, end } = makeQueue({ width: 2 });
  queue.open();
  for (const key of ['a', 'b', 'c']) queue.add(key);
  await settle();
  queue.add('a');
  queue.addAfter('d', 1);
  const closed = vi.fn();
  void queue.close().then(closed);
  await end();
  expect(closed).not.toHaveBeenCalled();
  await end();
  expect(closed).toHaveBeenCalledOnce();
  queue.add('e');
  queue.addAfter('f', 0);
  await vi.advanceTimersByTimeAsync(10_000);
  expect([passes, queue.depth]).toEqual([['a', 'b'], 0]);
});

test('a queue that nothing runs in closes at once', async () => {
  const { queue } = makeQueue();
  queue.add('a');
  await queue.close();
});
