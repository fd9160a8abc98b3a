import { expect, test } from 'vitest';
import { projectPod } from '../../operator/kube/pod.ts';

const LABELS = { app: 'streamspace-session', session: 'ada' };
const facts = (status: object, metadata: object = {}) =>
  projectPod({ metadata: { labels: LABELS, ...metadata }, spec: {}, status }).session;
const container = (state: object, more: object = {}) => ({ containerStatuses: [{ name: 'session', state, ...more }] });

test('nothing is kept of the pods of others', () => {
  expect(projectPod({ metadata: { labels: { app: 'shop' } }, status: { podIP: '10.0.0.1' } })).not.toHaveProperty('session');
});

test.each([
  ['nothing yet', {}, {}],
  ['its address', { podIP: '10.0.0.1' }, { ip: '10.0.0.1' }],
  [
    'the words of the scheduler',
    { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: 'no' }] },
    { unschedulable: { reason: 'Unschedulable', message: 'no' } },
  ],
  ['no usual wait', container({ waiting: { reason: 'ContainerCreating' } }), {}],
  [
    'an unusual one',
    container({ waiting: { reason: 'ErrImagePull', message: 'no' } }),
    { waiting: { container: 'session', reason: 'ErrImagePull', message: 'no' } },
  ],
  ['its image', container({ running: {} }), { pulled: true }],
  [
    'its crashes',
    container(
      { waiting: { reason: 'CrashLoopBackOff' } },
      { restartCount: 2, lastState: { terminated: { exitCode: 1, reason: 'Error' } } },
    ),
    {
      waiting: { container: 'session', reason: 'CrashLoopBackOff', message: '' },
      restarts: 2,
      exit: { container: 'session', code: 1, reason: 'Error' },
      pulled: true,
    },
  ],
])('of a pod of a session is kept: %s', (_, status, expected) => {
  expect(facts(status)).toEqual(expected);
});

test('its user may have told when it was last used', () => {
  expect(facts({}, { annotations: { 'cloudoptim.io/last-activity': '2026-01-01T00:00:00Z' } })).toEqual({
    lastActivity: '2026-01-01T00:00:00Z',
  });
});
