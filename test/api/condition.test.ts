import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Condition, findCondition, isTrue, removeCondition, setCondition, setConditions } from '../../operator/api/condition.ts';
import { inconsistencies, type Summary, summarize } from '../../operator/api/summary.ts';

const early = { now: new Date('2026-01-01T00:00:00.123Z'), generation: 1 };
const late = { now: new Date('2026-01-01T00:01:00Z'), generation: 2 };
const ready = { type: 'Ready', status: 'Unknown', reason: 'Started', message: 'waits' } as const;

describe('setCondition', () => {
  test('fills in time and generation', () => {
    expect(setCondition(undefined, ready, early)).toEqual([
      { ...ready, lastTransitionTime: '2026-01-01T00:00:00Z', observedGeneration: 1 },
    ]);
  });

  test.each([
    { change: 'reason and message', claim: { ...ready, reason: 'InProgress', message: 'third' }, time: '2026-01-01T00:00:00Z' },
    { change: 'nothing', claim: ready, time: '2026-01-01T00:00:00Z' },
    { change: 'status', claim: { ...ready, status: 'True' as const }, time: '2026-01-01T00:01:00Z' },
  ])('with another $change has the transition time $time', ({ claim, time }) => {
    const list = setCondition(setCondition([], ready, early), claim, late);
    expect(list).toEqual([{ ...claim, lastTransitionTime: time, observedGeneration: 2 }]);
  });

  test('leaves out the generation of an object that has none', () => {
    expect(setCondition([], ready, { ...early, generation: undefined })[0]).not.toHaveProperty('observedGeneration');
  });

  test('cuts a message that the API server would refuse, between characters', () => {
    const message = findCondition(setCondition([], { ...ready, message: '😀'.repeat(3000) }, early), 'Ready')?.message ?? '';
    expect([...message]).toHaveLength(2048);
    expect(message.endsWith('😀…')).toBe(true);
  });

  test('sorts Stalled, Reconciling and Ready first and the rest by name', () => {
    const claims = ['Reported', 'Ready', 'Connected', 'Stalled', 'Reconciling'].map((type) => ({ ...ready, type }));
    const types = setConditions([], claims, early).map((each) => each.type);
    expect(types).toEqual(['Stalled', 'Reconciling', 'Ready', 'Connected', 'Reported']);
  });
});

test('removeCondition takes away that one; isTrue reads a status', () => {
  const list = setConditions([], [ready, { ...ready, type: 'Reported', status: 'True' }], early);
  expect(removeCondition(list, 'Ready').map((each) => each.type)).toEqual(['Reported']);
  expect([isTrue(list, 'Reported'), isTrue(list, 'Ready'), isTrue(undefined, 'Ready')]).toEqual([true, false, false]);
});

describe('summarize', () => {
  test.each<[Summary['state'], Record<string, string>]>([
    ['Working', { Reconciling: 'True', Ready: 'Unknown' }],
    ['Waiting', { Ready: 'Unknown' }],
    ['Retrying', { Reconciling: 'True', Ready: 'False' }],
    ['Done', { Ready: 'True' }],
    ['Failed', { Stalled: 'True', Ready: 'False' }],
  ])('%s says %o', (state, expected) => {
    const list = summarize([], { state, reason: 'Started', message: '' }, early);
    expect(Object.fromEntries(list.map((each) => [each.type, each.status]))).toEqual(expected);
  });

  const claim = fc.record({
    state: fc.constantFrom<Summary['state']>('Working', 'Waiting', 'Retrying', 'Done', 'Failed'),
    reason: fc.constantFrom('Started', 'Done'),
    message: fc.string(),
  });

  test('any chain of summaries ends in a consistent set that keeps the conditions of others', () => {
    fc.assert(
      fc.property(fc.array(claim, { minLength: 1 }), (chain) => {
        const reported = setCondition([], { ...ready, type: 'Reported' }, early);
        const list = chain.reduce<readonly Condition[]>((sum, each) => summarize(sum, each, late), reported);
        expect(inconsistencies(list)).toEqual([]);
        expect(findCondition(list, 'Reported')).toEqual(reported[0]);
      }),
    );
  });

  test('the same summary again changes nothing', () => {
    fc.assert(
      fc.property(claim, (each) => {
        const once = summarize([], each, early);
        expect(summarize(once, each, { ...early, now: late.now })).toEqual(once);
      }),
    );
  });
});

test.each<[string, readonly (readonly [string, Condition['status']])[]]>([
  ['Ready is missing', [['Reported', 'True']]],
  [
    'Stalled is there without being True',
    [
      ['Stalled', 'False'],
      ['Ready', 'False'],
    ],
  ],
  [
    'Reconciling is there without being True',
    [
      ['Reconciling', 'Unknown'],
      ['Ready', 'Unknown'],
    ],
  ],
  [
    'Stalled and Reconciling are there together',
    [
      ['Stalled', 'True'],
      ['Reconciling', 'True'],
      ['Ready', 'False'],
    ],
  ],
  [
    'Stalled is there while Ready is not False',
    [
      ['Stalled', 'True'],
      ['Ready', 'Unknown'],
    ],
  ],
  [
    'Reconciling is there while Ready is True',
    [
      ['Reconciling', 'True'],
      ['Ready', 'True'],
    ],
  ],
  ['Ready is False, and neither Stalled nor Reconciling says what comes next', [['Ready', 'False']]],
  [
    'a type is there twice',
    [
      ['Ready', 'True'],
      ['Ready', 'True'],
    ],
  ],
])('inconsistencies finds that %s', (problem, pairs) => {
  const list = pairs.map(([type, status]) => ({ ...ready, type, status, lastTransitionTime: '2026-01-01T00:00:00Z' }));
  expect(inconsistencies(list)).toContain(problem);
});
