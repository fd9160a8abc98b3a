import { expect, test } from 'vitest';
import { waitFor } from './wait-for.ts';

test('gives what the condition gave first, taking a throw for "not yet"', async () => {
  const answers = [() => undefined, () => false, () => Promise.reject(new Error('not there')), () => 'there'];
  expect(await waitFor(() => answers.shift()?.(), { every: 1 })).toBe('there');
});

test('zero and the empty text are values', async () => {
  expect(await waitFor(() => 0)).toBe(0);
  expect(await waitFor(() => '')).toBe('');
});

test('names the condition and the last failure when time is up', async () => {
  const look = () => Promise.reject(new Error('refused'));
  await expect(waitFor(look, { within: 5, every: 1, what: 'the sun rises' })).rejects.toThrow(
    'not within 5 ms: the sun rises; the last look failed: refused',
  );
});

test('ends when it is aborted', async () => {
  await expect(waitFor(() => false, { signal: AbortSignal.timeout(5) })).rejects.toThrow('aborted');
});
