import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IDLE_SIGNALS } from '../../operator/api/session-template.ts';
import { lastActivity } from '../../operator/sessions/idle.ts';
import { missing, type Reading, readAnnotations, readTunnel } from '../../operator/sessions/signals.ts';
import { before, judged, NOON, sessionOf } from './life-session.ts';

const used = (minutes: number): Reading => ({ kind: 'used', signal: 'Annotation', at: before(minutes) });
const quiet = (minutes: number): Reading => ({ kind: 'quiet', signal: 'CPU', since: before(minutes) });
const mute = missing('CPU', 'metrics.k8s.io is not served');
const wrong = readAnnotations('soon', undefined, NOON);

/** What the signals say, since when it runs, and what follows for an idleTimeout of 30m: reason, and minutes until it can be idle. */
const table: readonly [string, readonly Reading[], number, string, number | undefined][] = [
  ['no signal', [], 120, 'SignalMissing', undefined],
  ['used just now', [used(0)], 120, 'Active', 30],
  ['used a while ago', [used(20)], 120, 'Active', 10],
  ['used long ago', [used(30)], 120, 'Idle', undefined],
  ['used before it ran', [used(90)], 10, 'Active', 20],
  ['used before it ran, long ago', [used(90)], 30, 'Idle', undefined],
  ['the newest counts', [used(90), quiet(5)], 120, 'Active', 25],
  ['the newest counts, in any order', [quiet(5), used(90)], 120, 'Active', 25],
  ['all are old', [used(90), quiet(31)], 120, 'Idle', undefined],
  ['looked at for too short a time', [quiet(29)], 120, 'Active', 1],
  ['one is missing', [used(90), mute], 120, 'SignalMissing', undefined],
  ['one is missing, another says used', [used(1), mute], 120, 'SignalMissing', undefined],
  ['one is wrong', [quiet(90), wrong], 120, 'InvalidAnnotation', undefined],
  ['one is wrong, one missing', [mute, wrong], 120, 'InvalidAnnotation', undefined],
];

test.each(table)('%s', (_, readings, runs, reason, dueIn) => {
  const status = { activeSince: before(runs).toISOString() };
  const verdict = judged(sessionOf({ spec: { idleTimeout: '30m' }, status: { ...status, phaseSince: status.activeSince } }), readings);
  const expected = { Idle: 'True', Active: 'False' }[reason] ?? 'Unknown';
  expect(verdict.claims).toMatchObject([{ type: 'Idle', status: expected, reason }]);
  expect(verdict.dueIn).toBe(dueIn === undefined ? undefined : dueIn * 60);
  expect(verdict.decision?.kind).toBe(reason === 'Idle' ? 'override' : undefined);
});

test('a wake that takes longer than the idleTimeout is no time of idleness', () => {
  const status = { activeSince: before(40).toISOString(), phaseSince: before(10).toISOString() };
  expect(judged(sessionOf({ spec: { idleTimeout: '30m' }, status }), [used(90)])).toMatchObject({ dueIn: 20 * 60 });
});

test.each(['', '0s', undefined])('an idleTimeout of %j is none', (idleTimeout) => {
  const spec = idleTimeout === undefined ? {} : { idleTimeout };
  expect(judged(sessionOf({ spec }), [used(900)])).toEqual({ claims: [] });
});

test('a signal that is missing or wrong never hibernates, whatever the others and the clock say', () => {
  const time = fc.integer({ min: -100_000, max: 100_000 }).map(before);
  const any = fc.oneof(
    fc.record({ kind: fc.constant('used' as const), signal: fc.constantFrom(...IDLE_SIGNALS), at: time }),
    fc.record({ kind: fc.constant('quiet' as const), signal: fc.constantFrom(...IDLE_SIGNALS), since: time }),
  );
  const silent = fc.constantFrom<Reading>(mute, wrong, readTunnel(undefined), { ...mute, askAgainAfter: 600 });
  const ages = fc.double({ noNaN: false });
  fc.assert(
    fc.property(fc.array(any), silent, fc.array(any), time, ages, (some, none, others, activeSince, seconds) => {
      const session = sessionOf({ spec: { idleTimeout: '1s' }, status: { activeSince: activeSince.toISOString() } });
      const verdict = judged(session, [...some, none, ...others], { age: () => seconds });
      expect(verdict.decision).toBeUndefined();
      expect(verdict.claims).toMatchObject([{ type: 'Idle', status: 'Unknown' }]);
    }),
  );
  fc.assert(
    fc.property(fc.string(), fc.option(fc.string(), { nil: undefined }), (text, other) => {
      fc.pre(Number.isNaN(Date.parse(text)));
      const verdict = judged(sessionOf({ spec: { idleTimeout: '1s' } }), [readAnnotations(text, other, NOON)]);
      expect(verdict.decision).toBeUndefined();
    }),
  );
});

test('an age that is no number is not idle', () => {
  const verdict = judged(sessionOf({ spec: { idleTimeout: '1s' } }), [used(90)], { age: () => Number.NaN });
  expect(verdict.decision).toBeUndefined();
});

const iso = (minutes: number) => before(minutes).toISOString();

test.each<[string | undefined, string | undefined, object]>([
  [undefined, undefined, { kind: 'unknown', reason: 'SignalMissing', message: expect.stringContaining('cloudoptim.io/last-activity') }],
  [iso(5), undefined, { kind: 'used', at: before(5) }],
  [undefined, iso(5), { kind: 'used', at: before(5) }],
  [iso(5), iso(9), { kind: 'used', at: before(5) }],
  [iso(9), iso(5), { kind: 'used', at: before(5) }],
  ['', undefined, { kind: 'unknown', reason: 'InvalidAnnotation', message: expect.stringContaining('of the Session is ""') }],
  [iso(5), 'soon', { kind: 'unknown', reason: 'InvalidAnnotation', message: expect.stringContaining('of the pod is "soon"') }],
  [iso(-60), iso(5), { kind: 'unknown', reason: 'InvalidAnnotation', askAgainAfter: 3600 }],
])('annotation %s of the Session, %s of the pod', (session, pod, expected) => {
  expect(readAnnotations(session, pod, NOON)).toMatchObject(expected);
});

test('a tunnel that is open tells since when nobody came, and no tunnel tells nothing', () => {
  expect(readTunnel(undefined)).toMatchObject({ kind: 'unknown', reason: 'SignalMissing' });
  expect(readTunnel({ openedAt: before(9) })).toEqual({ kind: 'quiet', signal: 'VNC', since: before(9) });
  expect(readTunnel({ openedAt: before(9), lastData: before(2) })).toEqual({ kind: 'used', signal: 'VNC', at: before(2) });
});

test('the last activity is what was seen, not what was looked for', () => {
  expect(lastActivity([used(20), quiet(5), mute])).toEqual(before(20));
  expect(lastActivity([used(20), used(7)])).toEqual(before(7));
  expect(lastActivity([quiet(5), mute])).toBeUndefined();
});
