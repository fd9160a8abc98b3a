import { expect, test } from 'vitest';
import { askedAnewSince, desiredOf } from '../../operator/sessions/desired.ts';
import { session } from './sessions.ts';

const AT = '2026-01-01T10:00:00.000Z';
const LATER = '2026-01-01T10:00:01.000Z';
const override = (generation: number) => ({ state: 'Hibernated', reason: 'Idle', by: 'operator', at: AT, generation });

test.each([
  ['its spec', {}, {}, 'Running'],
  ['the override of this generation', { override: override(3) }, {}, 'Hibernated'],
  ['its spec after an edit', { override: override(2) }, {}, 'Running'],
  ['its spec after a wake was requested', { override: override(3) }, { 'cloudoptim.io/wake-requested-at': LATER }, 'Running'],
  ['its spec after a later intent', { override: override(3) }, { 'cloudoptim.io/intent': `${LATER} desks/wake` }, 'Running'],
  ['the override that came with the intent', { override: override(3) }, { 'cloudoptim.io/intent': `${AT} desks/sleep` }, 'Hibernated'],
  [
    'the override in spite of nonsense',
    { override: override(3) },
    { 'cloudoptim.io/wake-requested-at': 'now', 'cloudoptim.io/intent': '' },
    'Hibernated',
  ],
])('what it should be is %s', (_, status, annotations, state) => {
  expect(desiredOf(session({ status, metadata: { annotations } }))).toBe(state);
});

test('an intent, a wake or an override after a failure asks anew; those before it do not', () => {
  expect(askedAnewSince(session(), AT)).toBe(false);
  expect(askedAnewSince(session({ metadata: { annotations: { 'cloudoptim.io/intent': `${AT} a/b` } } }), AT)).toBe(false);
  expect(askedAnewSince(session({ metadata: { annotations: { 'cloudoptim.io/intent': `${LATER} a/b` } } }), AT)).toBe(true);
  expect(askedAnewSince(session({ metadata: { annotations: { 'cloudoptim.io/wake-requested-at': LATER } } }), AT)).toBe(true);
  expect(askedAnewSince(session({ status: { override: { ...override(3), at: LATER } } }), AT)).toBe(true);
});
