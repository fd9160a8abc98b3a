import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually, useScene } from './scene.ts';
import { claimOf, inSessionPhase, RUNS, SessionRig, type StoredSession } from './session-objects.ts';

const scene = useScene('trouble');
const rig = new SessionRig(scene);
const IMAGE = 'lscr.io/linuxserver/firefox:latest';

beforeAll(async () => {
  await rig.bareNode();
  await rig.template('firefox');
  await scene.operator();
});

afterAll(() => rig.clear());

const ready = (session: StoredSession) => claimOf(session, 'Ready');
const waits = (container: string, reason: string, message: string, more: object = {}) => ({
  containerStatuses: [
    { name: container, image: IMAGE, imageID: '', ready: false, restartCount: 0, state: { waiting: { reason, message } }, ...more },
  ],
});

/** Nothing of a failed start stays but the home. */
async function expectCleared(name: string): Promise<void> {
  await eventually(() => rig.exists('services', name)).toBe(false);
  // Nobody plays the kubelet of its pod: the foreground deletion would wait for it.
  await rig.letPodsGo(name);
  await eventually(() => rig.exists('deployments', name)).toBe(false);
}

test.each([
  ['InvalidImageName', 'couldn’t parse image name', `the image ${IMAGE} cannot be pulled: couldn’t parse image name`],
  ['CreateContainerConfigError', 'secret "tokens" not found', 'the container cannot be made: secret "tokens" not found'],
])('%s fails at once, with the words of the kubelet', async (reason, words, message) => {
  const name = reason.toLowerCase();
  await rig.create(name);
  await rig.podStatus(name, waits('session', reason, words));
  const failed = await rig.until(name, inSessionPhase('Failed'));
  expect(claimOf(failed, 'Stalled')).toMatchObject({ status: 'True', reason, message, observedGeneration: 1 });
  expect(ready(failed)).toMatchObject({ status: 'False', reason, message });
  await expectCleared(name);
});

test('an image that cannot be pulled is named at once, and has failed after a minute; asked for anew it starts anew', async () => {
  await rig.create('pull');
  await rig.podStatus('pull', waits('session', 'ErrImagePull', 'manifest unknown'));
  const seen = await rig.until('pull', (session) => ready(session)?.reason === 'ErrImagePull');
  expect(seen.status?.phase).toBe('Starting');
  expect(ready(seen)).toMatchObject({ status: 'Unknown', message: `the image ${IMAGE} cannot be pulled: manifest unknown` });
  expect(claimOf(seen, 'ImagePulled')).toMatchObject({ status: 'False', reason: 'ErrImagePull' });
  await rig.age('pull', 61);
  await rig.podStatus('pull', waits('session', 'ImagePullBackOff', 'Back-off pulling image'));
  const failed = await rig.until('pull', inSessionPhase('Failed'));
  expect(claimOf(failed, 'Stalled')).toMatchObject({ reason: 'ImagePullBackOff' });
  await expectCleared('pull');
  await scene.cp.api.patch(rig.path('sessions', 'pull'), {
    metadata: { annotations: { 'cloudoptim.io/intent': `${new Date().toISOString()} ${scene.namespace}/again` } },
  });
  await rig.until('pull', inSessionPhase('Starting'));
  await rig.podStatus('pull', RUNS);
  const running = await rig.until('pull', inSessionPhase('Running'));
  expect(running.status).toMatchObject({ podIP: '10.1.2.3', nodeName: expect.stringMatching(/^bare-/) });
});

test('a container that crashes says so, with its exit code', async () => {
  await rig.create('crash');
  const lastState = { terminated: { exitCode: 137, reason: 'OOMKilled' } };
  await rig.podStatus('crash', waits('session', 'CrashLoopBackOff', 'back-off 10s', { restartCount: 3, lastState }));
  const seen = await rig.until('crash', (session) => ready(session)?.reason === 'CrashLoopBackOff');
  expect(ready(seen)?.message).toMatch(/^the container has crashed 3 times, last with exit code 137 \(OOMKilled\): kubectl logs crash-/);
  await rig.age('crash', 61);
  await rig.podStatus('crash', waits('session', 'CrashLoopBackOff', 'back-off 20s', { restartCount: 4, lastState }));
  await rig.until('crash', inSessionPhase('Failed'));
  await rig.edit('crash', { tags: ['edited'] });
  await rig.until('crash', inSessionPhase('Starting'));
});

test('one that no node takes waits with the words of the scheduler, until its deadline', async () => {
  await rig.template('big', { startDeadline: '4s' });
  await rig.create('big', { templateRef: { name: 'big' }, resources: { cpu: '1000' } });
  const seen = await rig.until('big', (session) => ready(session)?.reason === 'Unschedulable');
  expect(seen.status?.phase).toBe('Starting');
  expect(ready(seen)?.message).toContain('Insufficient cpu');
  expect(claimOf(seen, 'PodScheduled')).toMatchObject({ status: 'False', reason: 'Unschedulable' });
  const failed = await rig.until('big', inSessionPhase('Failed'));
  expect(claimOf(failed, 'Stalled')).toMatchObject({
    reason: 'Unschedulable',
    message: expect.stringMatching(/^not ready within 4 s: no node takes its pod: .*Insufficient cpu/),
  });
});

test('a home without a volume is named, with its StorageClass; it is kept when the start fails', async () => {
  await rig.template('homeless', { startDeadline: '4s', home: { storageClassName: 'gold' } });
  await rig.create('homeless', { templateRef: { name: 'homeless' }, home: { enabled: true } });
  const seen = await rig.until('homeless', (session) => claimOf(session, 'HomeBound')?.status === 'Unknown');
  expect(claimOf(seen, 'HomeBound')).toMatchObject({
    reason: 'WaitingForVolume',
    message: 'the claim homeless-home (StorageClass gold) is Pending',
  });
  const failed = await rig.until('homeless', inSessionPhase('Failed'));
  expect(claimOf(failed, 'Stalled')?.message).toContain('the claim homeless-home (StorageClass gold) is Pending');
  await eventually(() => rig.exists('deployments', 'homeless')).toBe(false);
  expect(await rig.exists('persistentvolumeclaims', 'homeless-home')).toBe(true);
});

test('what the API server refuses is told in its words', async () => {
  const labels = { app: 'streamspace-session', session: 'odd' };
  const template = { metadata: { labels: { other: 'selector' } }, spec: { containers: [{ name: 'session', image: IMAGE }] } };
  const spec = { replicas: 0, selector: { matchLabels: { other: 'selector' } }, template };
  await scene.cp.api.create(rig.at('deployments'), { metadata: { name: 'odd', labels }, spec });
  await rig.create('odd');
  const failed = await rig.until('odd', inSessionPhase('Failed'));
  expect(claimOf(failed, 'Stalled')).toMatchObject({ reason: 'InvalidWorkload', message: expect.stringContaining('spec.selector') });
});

test('a quota that refuses the pod is told in its words', async () => {
  await scene.cp.api.create(`/api/v1/namespaces/${scene.namespace}/resourcequotas`, {
    metadata: { name: 'small' },
    spec: { hard: { 'requests.memory': '100Gi' } },
  });
  await rig.create('greedy', { resources: { memory: '200Gi' } });
  const seen = await rig.until('greedy', (session) => ready(session)?.reason === 'PodRefused');
  expect(ready(seen)?.message).toContain('exceeded quota');
});

test('F11 a wake that fails goes back to hibernated, says why, and is tried again when somebody asks', async () => {
  await rig.template('sleepy', { startDeadline: '4s' });
  await rig.create('sleepy', { templateRef: { name: 'sleepy' } });
  await rig.podStatus('sleepy', RUNS);
  await rig.until('sleepy', inSessionPhase('Running'));
  await rig.edit('sleepy', { state: 'Hibernated' });
  await rig.until('sleepy', inSessionPhase('Hibernating'));
  await rig.letPodsGo('sleepy');
  await rig.until('sleepy', inSessionPhase('Hibernated'));
  await rig.edit('sleepy', { state: 'Running' });
  await rig.podStatus('sleepy', waits('session', 'CreateContainerConfigError', 'secret "gone" not found'));
  const back = await rig.until('sleepy', ({ status }) => status?.override?.reason === 'WakeFailed');
  expect(ready(back)).toMatchObject({
    status: 'False',
    reason: 'WakeFailed',
    message: 'the container cannot be made: secret "gone" not found',
  });
  await rig.letPodsGo('sleepy');
  const hibernated = await rig.until('sleepy', inSessionPhase('Hibernated'));
  expect(ready(hibernated)).toMatchObject({ reason: 'WakeFailed', message: expect.stringContaining('secret "gone"') });
  expect(claimOf(hibernated, 'Stalled')?.status).toBe('True');
  expect(hibernated.spec.state).toBe('Running');
  await scene.cp.api.patch(rig.path('sessions', 'sleepy'), {
    metadata: { annotations: { 'cloudoptim.io/wake-requested-at': new Date().toISOString() } },
  });
  await rig.until('sleepy', inSessionPhase('Waking'));
  await rig.podStatus('sleepy', RUNS);
  await rig.until('sleepy', inSessionPhase('Running'));
});

test('a pod that is lost shows within 2 s, is a failure after half a minute, and ends as one when it is back', async () => {
  await rig.create('lost');
  const pod = await rig.podStatus('lost', RUNS);
  await rig.until('lost', inSessionPhase('Running'));
  await scene.cp.api.remove(rig.at('pods', pod), { gracePeriodSeconds: 0 });
  const seen = await rig.until('lost', (session) => claimOf(session, 'Available')?.status === 'False', 2000);
  expect(ready(seen)).toMatchObject({ status: 'False', reason: 'PodLost' });
  expect(seen.status).toMatchObject({ phase: 'Running' });
  expect(seen.status).not.toHaveProperty('url');
  await rig.age('lost', 31);
  await rig.podStatus('lost', waits('session', 'ContainerCreating', ''));
  await scene.cp.api.patch(rig.path('sessions', 'lost'), { metadata: { annotations: { looked: 'at' } } });
  const failed = await rig.until('lost', inSessionPhase('Failed'));
  expect(claimOf(failed, 'Stalled')).toBeUndefined();
  expect(claimOf(failed, 'Reconciling')?.status).toBe('True');
  expect(await rig.exists('deployments', 'lost')).toBe(true);
  await rig.podStatus('lost', RUNS);
  const again = await rig.until('lost', inSessionPhase('Running'));
  expect(again.status).toHaveProperty('url');
});
