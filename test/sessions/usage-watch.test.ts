import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { PodUsage } from '../../operator/kube/usage.ts';
import { UsageWatch } from '../../operator/sessions/usage-watch.ts';
import { isNews, usageWords } from '../../operator/sessions/usage-words.ts';
import { NOON } from './life-session.ts';

beforeEach(() => void vi.useFakeTimers({ now: NOON }));
afterEach(() => void vi.useRealTimers());

const MI = 2 ** 20;
const IDLE = { cpuMillicores: 5, memoryBytes: 500 * MI };
const BUSY = { cpuMillicores: 400, memoryBytes: 500 * MI };
const followed = { pod: 'anna-1', threshold: 50, shown: usageWords(IDLE) };

/** A cluster that measures its pods each time it is asked. */
function watched(pods: () => Readonly<Record<string, typeof IDLE>> | undefined) {
  const news: string[] = [];
  const errors: unknown[] = [];
  const state = { asked: 0, measured: 0, trouble: '' };
  const read = async () => {
    state.asked += 1;
    const use = pods();
    if (!use) return undefined;
    return new Map(Object.entries(use).map(([pod, each]): [string, PodUsage] => [pod, { ...each, measured: String(state.measured++) }]));
  };
  const reader = {
    read,
    get trouble() {
      return state.trouble;
    },
  };
  const watch = new UsageWatch({
    reader,
    clock: () => new Date(),
    onNews: (session) => news.push(session),
    onError: (error) => errors.push(error),
  });
  onTestFinished(() => watch.close());
  return { watch, news, errors, state };
}

const minutes = (count: number) => vi.advanceTimersByTimeAsync(count * 60_000);
const at = (seconds: number) => new Date(NOON.getTime() + seconds * 1000);

test('one list a minute for all sessions, none while none runs', async () => {
  const { watch, state } = watched(() => ({}));
  await minutes(60);
  expect(state.asked).toBe(0);
  for (let index = 0; index < 200; index++) watch.follow(`s${index}`, { ...followed, pod: `p${index}` });
  await minutes(1);
  expect(state.asked).toBe(1);
  await minutes(10);
  expect(state.asked).toBe(11);
  for (let index = 0; index < 200; index++) watch.leave(`s${index}`);
  await minutes(60);
  expect(state.asked).toBe(11);
  watch.follow('s0', followed);
  await minutes(0.1);
  expect(state.asked).toBe(12);
  watch.close();
  await minutes(60);
  expect(state.asked).toBe(12);
});

test('it was used when it was last measured above the threshold', async () => {
  let use = BUSY;
  const { watch } = watched(() => ({ 'anna-1': use }));
  watch.follow('anna', followed);
  expect(watch.reading('anna')).toMatchObject({ kind: 'unknown', reason: 'SignalMissing' });
  await minutes(0.5);
  expect(watch.reading('anna')).toEqual({ kind: 'used', signal: 'CPU', at: at(1) });
  await minutes(1);
  expect(watch.reading('anna')).toEqual({ kind: 'used', signal: 'CPU', at: at(61) });
  use = IDLE;
  await minutes(30);
  expect(watch.reading('anna')).toEqual({ kind: 'used', signal: 'CPU', at: at(61) });
  expect(watch.usage('anna')).toMatchObject(IDLE);
});

test('never above it: quiet since the first look, and anew after a gap, in which anything may have been', async () => {
  let served = true;
  const { watch, state } = watched(() => (served ? { 'anna-1': IDLE } : undefined));
  watch.follow('anna', followed);
  await minutes(20);
  expect(watch.reading('anna')).toEqual({ kind: 'quiet', signal: 'CPU', since: at(1) });
  served = false;
  state.trouble = 'metrics.k8s.io is not served';
  await minutes(2);
  expect(watch.reading('anna').kind).toBe('quiet');
  await minutes(2);
  expect(watch.reading('anna')).toMatchObject({ kind: 'unknown', message: 'metrics.k8s.io is not served' });
  expect(watch.usage('anna')).toBeUndefined();
  served = true;
  await minutes(1);
  expect(watch.reading('anna')).toEqual({ kind: 'quiet', signal: 'CPU', since: at(24 * 60 + 1) });
});

test('a measurement that is never renewed is none', async () => {
  const { watch, state } = watched(() => ({ 'anna-1': IDLE }));
  watch.follow('anna', followed);
  await minutes(1);
  expect(watch.reading('anna').kind).toBe('quiet');
  for (let look = 0; look < 5; look++) {
    state.measured = 0;
    await minutes(1);
  }
  expect(watch.reading('anna')).toMatchObject({ kind: 'unknown', message: expect.stringContaining('no recent figures') });
});

test('another pod is another story, as is a pod that is not measured', async () => {
  const { watch } = watched(() => ({ 'anna-1': BUSY, 'anna-2': IDLE }));
  watch.follow('anna', followed);
  await minutes(1);
  watch.follow('anna', { ...followed, pod: 'anna-2' });
  expect(watch.reading('anna').kind).toBe('unknown');
  await minutes(1);
  expect(watch.reading('anna').kind).toBe('quiet');
  watch.follow('anna', { ...followed, pod: 'anna-3' });
  await minutes(10);
  expect(watch.reading('anna').kind).toBe('unknown');
});

test('only the first measurement and a noticeable difference are news', async () => {
  let use = IDLE;
  const { watch, news } = watched(() => ({ 'anna-1': use }));
  watch.follow('anna', followed);
  await minutes(10);
  expect(news).toEqual(['anna']);
  use = { ...IDLE, cpuMillicores: 45 };
  await minutes(10);
  expect(news).toEqual(['anna']);
  use = BUSY;
  await minutes(1);
  expect(news).toEqual(['anna', 'anna']);
  watch.follow('anna', { ...followed, shown: usageWords(BUSY) });
  await minutes(10);
  expect(news).toEqual(['anna', 'anna']);
});

test('why there are no figures is news to those without, once; before the first look nobody knows', async () => {
  const { watch, news, state } = watched(() => undefined);
  state.trouble = 'metrics.k8s.io is not served';
  watch.follow('anna', followed);
  expect(watch.reading('anna')).toMatchObject({ kind: 'unknown', pending: true });
  await minutes(30);
  expect(news).toEqual(['anna']);
  expect(watch.reading('anna')).toMatchObject({ kind: 'unknown', message: 'metrics.k8s.io is not served' });
  expect(watch.reading('anna')).not.toHaveProperty('pending');
  state.trouble = 'may not list pods';
  await minutes(1);
  expect(news).toEqual(['anna', 'anna']);
});

test('what throws is told, and the next minute tried again', async () => {
  let broken = true;
  const { watch, errors } = watched(() => {
    if (broken) throw new TypeError('a mistake');
    return { 'anna-1': IDLE };
  });
  watch.follow('anna', followed);
  await minutes(0.5);
  expect(errors).toEqual([new TypeError('a mistake')]);
  broken = false;
  await minutes(1);
  expect(watch.reading('anna').kind).toBe('quiet');
});

test.each([
  [
    { cpuMillicores: 156.6, memoryBytes: 1000 * MI + 1 },
    { cpu: '157m', memory: '1000Mi' },
  ],
  [
    { cpuMillicores: 0, memoryBytes: 0 },
    { cpu: '0m', memory: '0Mi' },
  ],
])('%j in words', (use, words) => {
  expect(usageWords(use)).toEqual(words);
});

test.each([
  ['nothing shown', undefined, IDLE, true],
  ['the same', IDLE, IDLE, false],
  ['breathing', IDLE, { ...IDLE, cpuMillicores: 54 }, false],
  ['used', IDLE, { ...IDLE, cpuMillicores: 56 }, true],
  ['a tenth of much', { ...IDLE, cpuMillicores: 4000 }, { ...IDLE, cpuMillicores: 3601 }, false],
  ['more than that', { ...IDLE, cpuMillicores: 4000 }, { ...IDLE, cpuMillicores: 3599 }, true],
  ['a little memory', IDLE, { ...IDLE, memoryBytes: 560 * MI }, false],
  ['more memory', IDLE, { ...IDLE, memoryBytes: 570 * MI }, true],
])('is it news? %s', (_, shown, now, expected) => {
  expect(isNews(shown && usageWords(shown), now)).toBe(expected);
});
