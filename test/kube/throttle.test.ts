import { expect, test } from 'vitest';
import { ApiError } from '../../operator/kube/error.ts';
import { Throttle } from '../../operator/kube/throttle.ts';

const never = new AbortController().signal;

/** A throttle whose clock a test sets. */
function throttled() {
  const time = { now: 100 };
  return { time, throttle: new Throttle(() => time.now) };
}

function busy(retryAfter?: number, causes: { reason: string }[] = []): ApiError {
  return new ApiError({ status: 429, reason: 'TooManyRequests', message: 'slow down', causes, ...(retryAfter ? { retryAfter } : {}) });
}

function refuse(throttle: Throttle, kind: string, error: ApiError): Promise<unknown> {
  return expect(throttle.run(kind, () => Promise.reject(error), never)).rejects.toBe(error);
}

const answer = () => Promise.resolve('answered');

test('a kind that was refused is not sent before its time is over, and says how long it still takes', async () => {
  const { time, throttle } = throttled();
  await refuse(throttle, 'POST pods/eviction', busy(10));
  time.now = 104;
  let sent = 0;
  const again = throttle.run('POST pods/eviction', async () => void sent++, never);
  await expect(again).rejects.toMatchObject({ status: 429, message: 'slow down', retryAfter: 6 });
  expect(sent).toBe(0);
  expect(await throttle.run('GET nodes', answer, never)).toBe('answered');
  time.now = 110;
  expect(await throttle.run('POST pods/eviction', answer, never)).toBe('answered');
});

test.each([
  ['a budget that says when', busy(10, [{ reason: 'DisruptionBudget' }])],
  ['no time', busy()],
  ['another refusal with a time', new ApiError({ status: 503, reason: '', message: 'x', retryAfter: 10 })],
])('%s holds back nobody else', async (_, error) => {
  const { throttle } = throttled();
  await refuse(throttle, 'POST pods/eviction', error);
  expect(await throttle.run('POST pods/eviction', answer, never)).toBe('answered');
});

test('each refusal halves how many go at a time, those of one moment once and never below four; answers widen it again', async () => {
  const { time, throttle } = throttled();
  expect(throttle.width).toBe(24);
  await refuse(throttle, 'a', busy());
  await refuse(throttle, 'b', busy());
  expect(throttle.width).toBe(12);
  for (let n = 0; n < 5; n++) {
    time.now += 1;
    await refuse(throttle, 'a', busy());
  }
  expect(throttle.width).toBe(4);
  for (let n = 0; n < 30; n++) await throttle.run('a', answer, never);
  expect(throttle.width).toBe(24);
});

test('no more than that are under way; the others follow in order, and who gives up is not sent', async () => {
  const { time, throttle } = throttled();
  for (let n = 0; n < 4; n++) {
    time.now += 1;
    await refuse(throttle, 'a', busy());
  }
  const sent: number[] = [];
  const ends = Array.from({ length: 8 }, () => Promise.withResolvers<void>());
  const impatient = new AbortController();
  const runs = ends.map(({ promise }, index) => {
    const send = () => {
      sent.push(index);
      return promise;
    };
    return throttle.run('a', send, index === 5 ? impatient.signal : never);
  });
  await Promise.resolve();
  expect(sent).toEqual([0, 1, 2, 3]);
  impatient.abort(new Error('enough'));
  await expect(runs[5]).rejects.toThrow('enough');
  for (const { resolve } of ends) resolve();
  await Promise.all(runs.filter((_, index) => index !== 5));
  expect(sent).toEqual([0, 1, 2, 3, 4, 6, 7]);
});
