import { expect, test } from 'vitest';
import { projectCoreEvent } from '../../operator/kube/cluster-event.ts';

test('an Event of a component that counts by itself', () => {
  const raw = {
    metadata: {
      uid: 'e1',
      namespace: 'shop',
      name: 'web-1.17f',
      resourceVersion: '8',
      creationTimestamp: '2026-01-01T00:00:00Z',
      managedFields: [],
    },
    reason: 'Evicted',
    type: 'Warning',
    message: 'The node was low on resource: memory.',
    involvedObject: { kind: 'Pod', namespace: 'shop', name: 'web-1', uid: 'u1' },
    source: { component: 'kubelet', host: 'worker-3' },
    count: 3,
    firstTimestamp: '2026-01-01T00:00:00Z',
    lastTimestamp: '2026-01-01T00:05:00Z',
    eventTime: null,
  };
  expect(projectCoreEvent(raw)).toEqual({
    uid: 'e1',
    namespace: 'shop',
    name: 'web-1.17f',
    resourceVersion: '8',
    reason: 'Evicted',
    type: 'Warning',
    message: 'The node was low on resource: memory.',
    involvedObject: { kind: 'Pod', namespace: 'shop', name: 'web-1' },
    source: 'kubelet',
    count: 3,
    at: new Date('2026-01-01T00:05:00Z'),
  });
});

test('an Event of events.k8s.io counts in its series', () => {
  const event = projectCoreEvent({
    reportingComponent: 'default-scheduler',
    source: {},
    eventTime: '2026-01-01T00:00:00.123456Z',
    series: { count: 7, lastObservedTime: '2026-01-01T00:02:00.000000Z' },
  });
  expect(event).toMatchObject({ source: 'default-scheduler', count: 7, at: new Date('2026-01-01T00:02:00Z') });
});

test.each([
  ['lastTimestamp', { lastTimestamp: '2026-01-01T00:00:05Z', firstTimestamp: '2026-01-01T00:00:04Z' }, 5000],
  ['eventTime', { lastTimestamp: null, eventTime: '2026-01-01T00:00:03Z' }, 3000],
  ['firstTimestamp', { firstTimestamp: '2026-01-01T00:00:02Z' }, 2000],
  ['creation', { lastTimestamp: 'yesterday', metadata: { creationTimestamp: '2026-01-01T00:00:01Z' } }, 1000],
  ['nothing', {}, undefined],
])('the time by %s', (_by, raw, milliseconds) => {
  expect(projectCoreEvent(raw).at?.getTime()).toBe(
    milliseconds === undefined ? undefined : Date.parse('2026-01-01T00:00:00Z') + milliseconds,
  );
});

test.each([null, undefined, {}, { metadata: {}, involvedObject: {} }])('%j is an Event of which nothing is known', (raw) => {
  expect(projectCoreEvent(raw)).toMatchObject({
    uid: '',
    reason: '',
    type: 'Normal',
    count: 1,
    involvedObject: { kind: '', namespace: '', name: '' },
  });
});

test.each([
  ['short', 'a', 'a'],
  ['exact', 'a'.repeat(1024), 'a'.repeat(1024)],
  ['long', 'a'.repeat(1025), `${'a'.repeat(1023)}…`],
  ['cut inside a character of two units', `${'a'.repeat(1022)}😀😀`, `${'a'.repeat(1022)}…`],
  ['half a character', 'a\ud83d', 'a\ufffd'],
])('a %s message', (_what, message, expected) => {
  expect(projectCoreEvent({ message }).message).toBe(expected);
});
