import { expect, test } from 'vitest';
import { INTENT, KEEP_AWAKE, SESSION_PHASES, type SessionOverride, WAKE_REQUESTED } from '../../operator/api/session.ts';
import type { Reading } from '../../operator/sessions/signals.ts';
import { before, judged, type LifeCase, NOON, sessionOf } from './life-session.ts';

const idleFor = (minutes: number): Reading => ({ kind: 'used', signal: 'Annotation', at: before(minutes) });
const both = { idleTimeout: '30m', maxDuration: '2h' };
const later = before(-30).toISOString();
const runningFor = (minutes: number) => ({ activeSince: before(minutes).toISOString(), phaseSince: before(minutes).toISOString() });

const stalled = {
  type: 'Stalled',
  status: 'True',
  reason: 'StartTimeout',
  message: '',
  lastTransitionTime: before(60).toISOString(),
} as const;

/** Of a session with idleTimeout 30m and maxDuration 2h: what it is and since when, how long it is idle, and what follows. */
const table: readonly [string, LifeCase, number, object][] = [
  ['both to come', { spec: both, status: runningFor(60) }, 10, { dueIn: 20 * 60 }],
  ['the duration comes first', { spec: both, status: runningFor(110) }, 10, { dueIn: 10 * 60 }],
  ['idle', { spec: both, status: runningFor(60) }, 31, { decision: { override: { state: 'Hibernated', reason: 'Idle' } } }],
  ['over', { spec: both, status: runningFor(120) }, 10, { decision: { override: { state: 'Stopped', reason: 'MaxDurationReached' } } }],
  ['over and idle: stopped', { spec: both, status: runningFor(120) }, 90, { decision: { override: { state: 'Stopped' } } }],
  ['over while it starts', { spec: both, status: { phase: 'Starting' } }, 0, { decision: { override: { state: 'Stopped' } } }],
  ['over while it wakes', { spec: both, status: { phase: 'Waking' } }, 0, { decision: { override: { state: 'Stopped' } } }],
  ['idle while it starts', { spec: both, status: { phase: 'Starting', ...runningFor(60) } }, 90, { claims: [], dueIn: 3600 }],
  ['kept', { spec: both, annotations: { [KEEP_AWAKE]: 'true' } }, 90, { claims: [{ status: 'False', reason: 'KeptAwake' }] }],
  ['kept until later', { spec: both, annotations: { [KEEP_AWAKE]: later } }, 90, { claims: [{ reason: 'KeptAwake' }], dueIn: 1800 }],
  ['kept until earlier', { spec: both, annotations: { [KEEP_AWAKE]: before(1).toISOString() } }, 90, { decision: { kind: 'override' } }],
  [
    'kept by who knows what',
    { spec: both, annotations: { [KEEP_AWAKE]: 'plz' } },
    90,
    { claims: [{ status: 'Unknown', reason: 'InvalidAnnotation' }] },
  ],
  [
    'kept, without an idleTimeout',
    { spec: { maxDuration: '2h' }, annotations: { [KEEP_AWAKE]: 'true' } },
    90,
    { claims: [{ type: 'Idle', reason: 'KeptAwake' }] },
  ],
  [
    'kept by who knows what, without an idleTimeout',
    { spec: { maxDuration: '2h' }, annotations: { [KEEP_AWAKE]: 'plz' } },
    90,
    { claims: [{ type: 'Idle', status: 'Unknown', reason: 'InvalidAnnotation', message: expect.stringContaining('"plz"') }] },
  ],
  ['kept from nothing', { annotations: { [KEEP_AWAKE]: 'true' } }, 90, { claims: [] }],
  [
    'over while its lost pod is waited for',
    { spec: both, status: { phase: 'Failed' } },
    0,
    { decision: { override: { state: 'Stopped' } } },
  ],
  ['failed for good', { spec: both, status: { phase: 'Failed', conditions: [stalled] } }, 90, { claims: [] }],
  ['being deleted', { spec: both, metadata: { deletionTimestamp: later } }, 90, { claims: [] }],
];

test.each(table)('%s', (_, facts, idle, expected) => {
  const verdict = judged(sessionOf(facts), [idleFor(idle)]);
  expect(verdict).toMatchObject(expected);
  expect('decision' in verdict).toBe('decision' in expected);
  expect('dueIn' in verdict).toBe('dueIn' in expected);
});

test('an override says who, when and for which generation, and its message says how the session runs again', () => {
  const { decision } = judged(sessionOf({ spec: both }), [idleFor(0)]);
  expect(decision).toEqual({
    kind: 'override',
    override: { state: 'Stopped', reason: 'MaxDurationReached', by: 'operator', at: NOON.toISOString(), generation: 3 },
    message: expect.stringMatching(/^it ran for 2h \(spec.maxDuration\): stopped; it runs again after kubectl annotate .* anna -n desks /),
  });
});

test('an override is later than what an action asked for, even where the clock of that was ahead', () => {
  const annotations = { [INTENT]: `${before(-3).toISOString()} desks/wake-anna` };
  expect(judged(sessionOf({ spec: both, annotations })).decision).toMatchObject({ override: { at: before(-3).toISOString() } });
});

test.each(SESSION_PHASES.filter((phase) => !['Starting', 'Waking', 'Running', 'Failed'].includes(phase)))(
  '%s: nothing ends it',
  (phase) => {
    expect(judged(sessionOf({ spec: both, status: { phase } }), [idleFor(90)])).toEqual({ claims: [] });
  },
);

test.each(['Hibernated', 'Stopped'] as const)('on its way to %s nothing else ends it', (desired) => {
  expect(judged(sessionOf({ spec: both }), [idleFor(90)], { desired })).toEqual({ claims: [] });
});

const override: SessionOverride = { state: 'Hibernated', reason: 'Idle', by: 'operator', at: before(10).toISOString(), generation: 3 };
const slept = (annotation: string | undefined, more: Partial<SessionOverride> = {}): LifeCase => ({
  status: { phase: 'Hibernated', override: { ...override, ...more } },
  annotations: annotation === undefined ? {} : { [WAKE_REQUESTED]: annotation },
});

test.each<[string, LifeCase, object]>([
  ['asleep', slept(undefined), { claims: [] }],
  ['woken', slept(before(5).toISOString()), { claims: [], decision: { kind: 'wake', message: 'woken from Idle on request' } }],
  ['woken from another sleep', slept(before(50).toISOString()), { claims: [] }],
  ['a wish that cannot be read', slept('now'), { claims: [{ type: 'WakeRequested', status: 'False', reason: 'InvalidAnnotation' }] }],
  ['the spec was edited since', slept('now', { generation: 2 }), { claims: [] }],
])('%s', (_, facts, expected) => {
  const verdict = judged(sessionOf(facts), [], { desired: 'Hibernated' });
  expect(verdict).toMatchObject(expected);
  expect('decision' in verdict).toBe('decision' in expected);
});

const ttl = { ttlAfterStopped: '1h' };
const stoppedFor = (minutes: number, phase: 'Stopped' | 'Failed' | 'Hibernated' = 'Stopped') => ({
  phase,
  phaseSince: before(minutes).toISOString(),
});

test.each<[string, LifeCase, object]>([
  ['for ever', { status: stoppedFor(9000) }, { claims: [] }],
  ['for ever, said so', { spec: { ttlAfterStopped: '' }, status: stoppedFor(9000) }, { claims: [] }],
  ['for a while', { spec: ttl, status: stoppedFor(20) }, { claims: [], dueIn: 2400 }],
  ['long enough', { spec: ttl, status: stoppedFor(60) }, { claims: [], decision: { kind: 'remove' } }],
  [
    'failed for good, long enough',
    { spec: ttl, status: { ...stoppedFor(60, 'Failed'), conditions: [stalled] } },
    { claims: [], decision: { kind: 'remove' } },
  ],
  ['failed, but being repaired', { spec: ttl, status: stoppedFor(60, 'Failed') }, { claims: [] }],
  ['hibernated', { spec: ttl, status: stoppedFor(9000, 'Hibernated') }, { claims: [] }],
  ['at once', { spec: { ttlAfterStopped: '0s' }, status: stoppedFor(0) }, { claims: [], decision: { kind: 'remove' } }],
  ['kept by Argo CD', { spec: ttl, status: stoppedFor(60), annotations: { 'argocd.argoproj.io/tracking-id': 'a' } }, { claims: [] }],
  [
    'kept by Flux',
    { spec: ttl, status: stoppedFor(60), metadata: { labels: { 'kustomize.toolkit.fluxcd.io/name': 'a' } } },
    { claims: [] },
  ],
  ['being deleted', { spec: ttl, status: stoppedFor(60), metadata: { deletionTimestamp: later } }, { claims: [] }],
])('stopped sessions stay: %s', (_, facts, expected) => {
  expect(judged(sessionOf(facts))).toEqual(expected);
});

test('a wake comes before the removal, also of a session that a limit stopped', () => {
  const facts = slept(before(1).toISOString(), { state: 'Stopped' });
  const session = sessionOf({ ...facts, spec: ttl, status: { ...stoppedFor(60), override: { ...override, state: 'Stopped' } } });
  expect(judged(session, [], { desired: 'Stopped' }).decision?.kind).toBe('wake');
});
