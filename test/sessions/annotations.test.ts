import { expect, test } from 'vitest';
import { KEEP_AWAKE, type SessionOverride, WAKE_REQUESTED } from '../../operator/api/session.ts';
import { keepAwake } from '../../operator/sessions/keep-awake.ts';
import { wakeCommand, wakeRequest } from '../../operator/sessions/wake-request.ts';
import { before, NOON } from './life-session.ts';

test.each<[string | undefined, object]>([
  [undefined, { kind: 'no' }],
  ['false', { kind: 'no' }],
  ['true', { kind: 'kept' }],
  [before(-30).toISOString(), { kind: 'kept', until: before(-30) }],
  [before(30).toISOString(), { kind: 'no' }],
  [NOON.toISOString(), { kind: 'no' }],
  ['', { kind: 'invalid', message: expect.stringContaining('cloudoptim.io/keep-awake is ""') }],
  ['yes', { kind: 'invalid', message: expect.stringMatching(/is "yes".*RFC 3339.*or "true"/) }],
  ['TRUE', { kind: 'invalid', message: expect.any(String) }],
  ['8h', { kind: 'invalid', message: expect.any(String) }],
])('keep-awake %j', (value, expected) => {
  expect(keepAwake({ annotations: value === undefined ? {} : { [KEEP_AWAKE]: value } }, NOON)).toEqual(expected);
});

const asleep: SessionOverride = { state: 'Hibernated', reason: 'Idle', by: 'operator', at: before(10).toISOString(), generation: 1 };

test.each<[string | undefined, SessionOverride['state'], object]>([
  [undefined, 'Hibernated', { kind: 'none' }],
  [before(9).toISOString(), 'Hibernated', { kind: 'wake' }],
  [before(9).toISOString(), 'Stopped', { kind: 'wake' }],
  [NOON.toISOString(), 'Hibernated', { kind: 'wake' }],
  // A clock that is ahead: a moment later.
  [before(-0.1).toISOString(), 'Hibernated', { kind: 'invalid', message: expect.any(String), passesIn: 6 }],
  // It woke the session from an earlier sleep.
  [before(10).toISOString(), 'Hibernated', { kind: 'none' }],
  [before(600).toISOString(), 'Hibernated', { kind: 'none' }],
  // What an override runs need not be woken.
  [before(9).toISOString(), 'Running', { kind: 'none' }],
  ['now', 'Running', { kind: 'none' }],
  ['now', 'Hibernated', { kind: 'invalid', message: expect.stringMatching(/cloudoptim.io\/wake-requested-at is "now".*RFC 3339/) }],
  ['true', 'Hibernated', { kind: 'invalid', message: expect.any(String) }],
  [before(-60).toISOString(), 'Hibernated', { kind: 'invalid', message: expect.stringContaining('yet to come'), passesIn: 3600 }],
])('wake-requested-at %j under an override %s', (value, state, expected) => {
  const annotations = value === undefined ? {} : { [WAKE_REQUESTED]: value };
  expect(wakeRequest({ annotations }, { ...asleep, state }, NOON)).toEqual(expected);
});

test('the command names the session and is one line', () => {
  expect(wakeCommand({ namespace: 'desks', name: 'anna' })).toBe(
    'kubectl annotate sessions.cloudoptim.io anna -n desks --overwrite cloudoptim.io/wake-requested-at=$(date -u +%Y-%m-%dT%H:%M:%SZ)',
  );
});
