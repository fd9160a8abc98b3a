import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseTime } from '../../operator/lib/time.ts';
import { AHEAD, anyTime, pastTime } from '../../operator/sessions/told-time.ts';
import { before, NOON } from './life-session.ts';

test.each([
  ['2026-12-01T12:00:00Z', '2026-12-01T12:00:00.000Z'],
  ['2026-12-01T14:00:00+02:00', '2026-12-01T12:00:00.000Z'],
  ['2026-12-01T12:00:00.123456789Z', '2026-12-01T12:00:00.123Z'],
  ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
])('%s is a time', (text, iso) => {
  expect(parseTime(text)?.toISOString()).toBe(iso);
});

test.each([
  '',
  'yesterday',
  '2026-12-01',
  '2026-12-01 12:00:00Z',
  '2026-12-01T12:00:00',
  '2026-12-01T12:00Z',
  '2026-02-30T12:00:00Z',
  '2026-13-01T12:00:00Z',
  '2026-12-01T25:00:00Z',
  '2026-12-01T12:00:00Z ',
  '1767225600',
  'true',
])('%j is none, and whoever wrote it hears so', (text) => {
  expect(parseTime(text)).toBeUndefined();
  expect(anyTime(text)).toEqual({ problem: expect.stringContaining('no RFC 3339 time: write one such as 2026-12-01T10:00:00Z') });
});

test('no text is too odd for it', () => {
  fc.assert(fc.property(fc.string(), (text) => void pastTime(text, NOON)));
  fc.assert(
    fc.property(fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('9999-01-01') }), (date) => {
      expect(parseTime(date.toISOString())).toEqual(date);
    }),
  );
});

test.each([
  [before(0.5), { at: before(0.5) }],
  [NOON, { at: NOON }],
  // A clock that is slightly ahead.
  [before(-1), { at: NOON }],
  [before(-1.1), { problem: expect.stringContaining('yet to come'), passesIn: 66 }],
])('what has happened is past: %s', (time, told) => {
  expect(pastTime(time.toISOString(), NOON, AHEAD)).toEqual(told);
});

test('only a part of a long wrong value is shown', () => {
  const told = anyTime('x'.repeat(10_000));
  expect('problem' in told && told.problem.length).toBeLessThan(200);
});
