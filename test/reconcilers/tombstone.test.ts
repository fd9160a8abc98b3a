import { expect, test } from 'vitest';
import { readTombstone, specDigest, tombstoneOf } from '../../operator/api/tombstone.ts';
import { reportOf, reportOfEnding } from '../../operator/sync/report-text.ts';
import { finished, NOON, source } from './objects.ts';

test.each(['Succeeded', 'Failed', 'Cancelled', 'Expired', 'Planned'] as const)(
  'the tombstone of a mirrored action that ended %s tells a backend what the object told',
  (phase) => {
    const object = finished({ spec: { source }, status: { phase }, reason: phase === 'Failed' ? 'Timeout' : 'Done' });
    const read = readTombstone(JSON.stringify(tombstoneOf(object)));
    expect(read).toMatchObject({ uid: 'uid-a', phase, finishedAt: NOON, source, ran: true });
    expect(read && reportOfEnding(read)).toEqual(reportOf(object));
    expect(reportOf(object)).toMatchObject({ taskID: 't-1', result: { changed: true } });
  },
);

test.each(['Pending', 'Queued', 'Running', 'Suspended'] as const)('what is %s has no tombstone', (phase) => {
  expect(tombstoneOf(finished({ status: { phase, finishedAt: undefined } }))).toBeUndefined();
});

test('what never started has not run; what was already executed has', () => {
  const never = { startedAt: undefined };
  expect(tombstoneOf(finished({ status: { ...never, phase: 'Cancelled' } }))).toMatchObject({ ran: false });
  expect(tombstoneOf(finished({ status: never, reason: 'AlreadyExecuted' }))).toMatchObject({ ran: true });
});

test('a huge result keeps its numbers and texts, and says that it is not whole', () => {
  const result = {
    evicted: 3,
    verified: true,
    remainingPods: Array.from({ length: 900 }, (_, index) => `ns/pod-${index}`),
    note: 'x'.repeat(9000),
  };
  const text = JSON.stringify(tombstoneOf(finished({ status: { result } })));
  expect(text.length).toBeLessThan(1000);
  expect(readTombstone(text)?.result).toEqual({ evicted: 3, verified: true, truncated: true });
});

const spec = finished().spec ?? {};

test.each([
  ['suspend', { suspend: true }, true],
  ['cancel', { cancel: true }, true],
  ['approval', { approval: 'Approved' }, true],
  ['ttlSecondsAfterFinished', { ttlSecondsAfterFinished: 5 }, true],
  ['parameters', { cordon: { nodeName: 'n2' } }, false],
  ['a parameter more', { cordon: { nodeName: 'n1', reason: 'x' } }, false],
  ['mode', { mode: 'Plan' }, false],
  ['deadline', { deadline: NOON }, false],
  ['targetUID', { targetUID: 'x' }, false],
  ['source', { source }, false],
])('another %s is the same request or not', (_, change, same) => {
  expect(specDigest({ spec: { ...spec, ...change } }) === specDigest({ spec })).toBe(same);
});

test('the order of members says nothing, that of a list does', () => {
  const digest = (label: object) => specDigest({ spec: { action: 'Label', label } });
  expect(digest({ name: 'a', set: { x: '1', y: '2' } })).toBe(digest({ set: { y: '2', x: '1' }, name: 'a' }));
  expect(digest({ remove: ['a', 'b'] })).not.toBe(digest({ remove: ['b', 'a'] }));
});

test.each(['', '{', 'null', '[]', '{}', '{"uid":"x"}'])('%j is no tombstone', (text) => {
  expect(readTombstone(text)).toBeUndefined();
});
