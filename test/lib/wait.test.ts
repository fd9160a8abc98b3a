import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { abortable, orAborted } from '../../operator/lib/wait.ts';

test('a wait ends with its signal, without an error', async () => {
  const stop = new AbortController();
  const wait = abortable(3600, stop.signal);
  stop.abort();
  await wait;
  await abortable(3600, stop.signal);
});

test('a promise that never settles ends with the reason of the signal', async () => {
  const stop = new AbortController();
  const wait = orAborted(new Promise(() => {}), stop.signal);
  const reason = new Error('stop');
  stop.abort(reason);
  await expect(wait).rejects.toBe(reason);
  await expect(orAborted(new Promise(() => {}), stop.signal)).rejects.toBe(reason);
});

test('a promise that settles first wins and leaves no listener behind', async () => {
  const { signal } = new AbortController();
  await expect(orAborted(Promise.resolve('value'), signal)).resolves.toBe('value');
  await expect(orAborted(Promise.reject(new Error('own')), signal)).rejects.toThrow('own');
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});
