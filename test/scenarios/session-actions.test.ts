import { beforeAll, describe, expect, test } from 'vitest';
import { condition, inPhase, type Stored } from './objects.ts';
import type { OperatorProcess } from './operator-process.ts';
import { useScene } from './scene.ts';
import { inSessionPhase, SessionRig } from './session-objects.ts';

const scene = useScene('oa');
const rig = new SessionRig(scene);

let operator: OperatorProcess;

beforeAll(async () => {
  await scene.tenant.createNodes(1);
  await rig.template('firefox');
  await rig.template('huge', { resources: { cpu: '1000', memory: '1Gi' } });
  operator = await scene.operator();
});

const REQUEST = { user: 'ada', templateRef: { name: 'firefox' } };
const HUGE = { user: 'ada', templateRef: { name: 'huge' } };
const INTENT = 'cloudoptim.io/intent';

type Verb = 'Start' | 'Stop' | 'Hibernate' | 'Wake';

function ask(name: string, verb: Verb, session: string, params: object = {}, more: object = {}): Promise<Stored> {
  return scene.actions.create(name, {
    action: `Session${verb}`,
    [`session${verb}`]: { sessionRef: { name: session }, ...params },
    ...more,
  });
}

/** Asks, and waits until it has succeeded. */
async function done(name: string, verb: Verb, session: string, params: object = {}): Promise<Stored> {
  await ask(name, verb, session, params);
  return scene.actions.until(name, inPhase('Succeeded'));
}

const waitsFor = (reason: string) => (object: Stored) => object.status?.phase === 'Running' && condition(object, 'Ready').reason === reason;

/** A Session, as another manager than ours has applied it. */
async function applied(name: string, spec: object): Promise<{ code: number; stderr: string }> {
  const object = { apiVersion: 'cloudoptim.io/v1alpha1', kind: 'Session', metadata: { name, namespace: scene.namespace }, spec };
  const args = ['apply', '--server-side', '--field-manager=gitops', '--filename=-'];
  const { code, stderr } = await scene.cp.kubectl(args, { input: JSON.stringify(object) });
  return { code, stderr };
}

test('the life of a session by four actions, and each of them once more', async () => {
  const started = await done('life-start', 'Start', 'life', { session: { ...REQUEST, home: { enabled: false }, sessionID: 'Ada@1' } });
  const session = await rig.get('life');
  expect(started.status).toMatchObject({
    target: 'session/life',
    result: {
      session: 'life',
      sessionID: 'Ada@1',
      uid: session.metadata.uid,
      before: 'Absent',
      changed: true,
      created: true,
      state: 'Running',
      podName: session.status?.podName,
      port: 3000,
      service: 'life',
    },
  });
  expect((await done('life-start-2', 'Start', 'life', { session: REQUEST })).status?.result).toMatchObject({ changed: false });
  await done('life-sleep', 'Hibernate', 'life');
  expect((await rig.get('life')).status).toMatchObject({ phase: 'Hibernated' });
  expect((await rig.deployment('life')).spec.replicas).toBe(0);
  expect((await done('life-sleep-2', 'Hibernate', 'life')).status?.result).toMatchObject({ changed: false, state: 'Hibernated' });
  expect((await done('life-wake', 'Wake', 'life')).status?.result).toMatchObject({ before: 'Hibernated', state: 'Running', port: 3000 });
  await done('life-sleep-3', 'Hibernate', 'life');
  expect((await done('life-start-3', 'Start', 'life')).status?.result).toMatchObject({
    before: 'Hibernated',
    created: false,
    state: 'Running',
  });
  expect((await done('life-stop', 'Stop', 'life')).status?.result).toMatchObject({ changed: true, state: 'Stopped' });
  expect(await rig.exists('deployments', 'life')).toBe(false);
  expect((await done('life-stop-2', 'Stop', 'life')).status?.result).toMatchObject({ changed: false, state: 'Stopped' });
  for (const verb of ['Hibernate', 'Wake'] as const) {
    await ask(`life-${verb.toLowerCase()}-stopped`, verb, 'life');
    expect(condition(await scene.actions.until(`life-${verb.toLowerCase()}-stopped`, inPhase('Failed')), 'Ready').reason).toBe(
      'SessionStopped',
    );
  }
  expect((await done('life-start-4', 'Start', 'life')).status?.result).toMatchObject({ before: 'Stopped', state: 'Running' });
  expect((await done('none-stop', 'Stop', 'nobody')).status?.result).toMatchObject({ state: 'Absent', changed: false });
  await ask('none-wake', 'Wake', 'nobody');
  expect(condition(await scene.actions.until('none-wake', inPhase('Failed')), 'Ready')).toMatchObject({
    reason: 'TargetNotFound',
    message: 'session/nobody not found',
  });
});

test('only the Session is written, by its own manager, and neither Deployment nor pod', async () => {
  const managers = async (path: string) => {
    const { metadata } = await scene.cp.api.get<{ metadata: { managedFields: { manager: string }[] } }>(path);
    return metadata.managedFields.map(({ manager }) => manager);
  };
  await done('managed-start', 'Start', 'managed', { session: REQUEST });
  await done('managed-sleep', 'Hibernate', 'managed');
  expect(await managers(rig.path('sessions', 'managed'))).toContain('cloudoptim-session-actions');
  expect(await managers(rig.at('deployments', 'managed'))).not.toContain('cloudoptim-session-actions');
});

test('kubectl get oa says why a session does not start; too late, the start fails, and the session is stopped', async () => {
  await ask('stuck', 'Start', 'stuck', { session: HUGE, timeoutSeconds: 4 });
  await scene.actions.until('stuck', waitsFor('Unschedulable'));
  const { stdout } = await scene.cp.kubectl(['-n', scene.namespace, 'get', 'oa', 'stuck', '--no-headers']);
  expect(stdout).toMatch(/^stuck\s+SessionStart\s+session\/stuck\s+Running\s+Unschedulable\s/);
  const failed = await scene.actions.until('stuck', inPhase('Failed'));
  expect(condition(failed, 'Ready').reason).toBe('Timeout');
  expect(condition(failed, 'Ready').message).toMatch(
    /^session\/stuck is not Running after 4 s: Unschedulable: .*; session\/stuck is stopped, its home kept$/,
  );
  await rig.until('stuck', inSessionPhase('Stopped'));
  expect(await rig.exists('deployments', 'stuck')).toBe(false);
});

describe('stopped in the middle', () => {
  test.each([
    ['cancelled', (name: string) => scene.actions.patch(name, { cancel: true })],
    ['deleted', (name: string) => scene.actions.remove(name)],
  ] as const)('a start that is %s leaves nothing running', async (how, end) => {
    const name = `start-${how}`;
    await ask(name, 'Start', name, { session: HUGE });
    await scene.actions.until(name, waitsFor('Unschedulable'));
    await end(name);
    await rig.until(name, inSessionPhase('Stopped'));
    if (how === 'deleted') return scene.actions.gone(name);
    const ended = await scene.actions.until(name, inPhase('Cancelled'));
    expect(condition(ended, 'Ready').message).toBe(`stopped: spec.cancel was set; session/${name} is stopped, its home kept`);
  });

  test('a wake that is cancelled leaves the session hibernated', async () => {
    await rig.create('sleepy', { ...HUGE, state: 'Hibernated' });
    await rig.until('sleepy', inSessionPhase('Hibernated'));
    await ask('sleepy-wake', 'Wake', 'sleepy');
    await scene.actions.until('sleepy-wake', waitsFor('Unschedulable'));
    await scene.actions.patch('sleepy-wake', { cancel: true });
    const ended = await scene.actions.until('sleepy-wake', inPhase('Cancelled'));
    expect(condition(ended, 'Ready').message).toBe('stopped: spec.cancel was set; session/sleepy is to be Hibernated again, as before');
    await rig.until('sleepy', inSessionPhase('Hibernated'));
  });

  test('suspended before the start nothing is asked; suspended while it waits the session goes on', async () => {
    await ask('held', 'Start', 'held', { session: REQUEST }, { suspend: true });
    await scene.actions.until('held', inPhase('Suspended'));
    expect((await scene.cp.api.call('GET', rig.path('sessions', 'held'))).status).toBe(404);
    await scene.actions.patch('held', { suspend: false });
    await scene.actions.until('held', inPhase('Succeeded'));
    await ask('held-huge', 'Start', 'held-huge', { session: HUGE });
    await scene.actions.until('held-huge', waitsFor('Unschedulable'));
    await scene.actions.patch('held-huge', { suspend: true });
    await scene.actions.until('held-huge', inPhase('Suspended'));
    const [room = ''] = await scene.tenant.createNodes(1, { cpu: '8000' });
    await rig.until('held-huge', inSessionPhase('Running'));
    await scene.actions.patch('held-huge', { suspend: false });
    expect((await scene.actions.until('held-huge', inPhase('Succeeded'))).status?.result).toMatchObject({ state: 'Running' });
    await done('held-huge-stop', 'Stop', 'held-huge');
    await scene.cp.api.remove(`/api/v1/nodes/${room}`);
  });
});

describe('one overrules the other', () => {
  test('a stop does not wait for a start that is under way, and ends it', async () => {
    await ask('hasty-start', 'Start', 'hasty', { session: HUGE });
    await scene.actions.until('hasty-start', waitsFor('Unschedulable'));
    expect((await done('hasty-stop', 'Stop', 'hasty')).status?.result).toMatchObject({ before: 'Running', state: 'Stopped' });
    const failed = await scene.actions.until('hasty-start', inPhase('Failed'));
    expect(condition(failed, 'Ready')).toMatchObject({
      reason: 'Superseded',
      message: `session/hasty is not to be Running any more: overruled by ${scene.namespace}/hasty-stop`,
    });
    expect((await rig.get('hasty')).spec.state).toBe('Stopped');
  });

  test('a person who edits spec.state ends the action that wants something else', async () => {
    await ask('edited-start', 'Start', 'edited', { session: HUGE });
    await scene.actions.until('edited-start', waitsFor('Unschedulable'));
    await rig.edit('edited', { state: 'Hibernated' });
    expect(condition(await scene.actions.until('edited-start', inPhase('Failed')), 'Ready').message).toBe(
      'session/edited is not to be Running any more: overruled by an edit of its spec',
    );
    await rig.until('edited', inSessionPhase('Hibernated'));
  });
});

test('M36 GitOps owns spec.state: actions work, a sync fights nobody, and a later edit wins', async () => {
  const spec = { ...REQUEST, state: 'Running' };
  expect(await applied('git', spec)).toEqual({ code: 0, stderr: '' });
  await rig.until('git', inSessionPhase('Running'));
  await done('git-sleep', 'Hibernate', 'git');
  const asleep = await rig.get('git');
  expect(asleep.spec.state).toBe('Running');
  expect(asleep.status?.override).toMatchObject({ state: 'Hibernated', reason: 'Asked', by: `${scene.namespace}/git-sleep` });
  expect(await applied('git', spec)).toEqual({ code: 0, stderr: '' });
  expect((await rig.get('git')).status).toMatchObject({ phase: 'Hibernated', desired: 'Hibernated' });
  await done('git-wake', 'Wake', 'git');
  expect((await rig.get('git')).metadata.generation).toBe(asleep.metadata.generation);
  await done('git-stop', 'Stop', 'git');
  expect(await applied('git', { ...spec, idleTimeout: '8h' })).toEqual({ code: 0, stderr: '' });
  await rig.until('git', inSessionPhase('Running'));
  expect(await applied('git', { ...spec, idleTimeout: '8h', state: 'Hibernated' })).toEqual({ code: 0, stderr: '' });
  await rig.until('git', inSessionPhase('Hibernated'));
});

test('a plan says what would change and writes nothing', async () => {
  await ask('plan-start', 'Start', 'planned', { session: REQUEST }, { mode: 'Plan' });
  expect((await scene.actions.until('plan-start', inPhase('Planned'))).status?.plan).toEqual({
    change: 1,
    changes: ['session/planned: absent → Running'],
    skip: [],
    blocked: [],
  });
  expect((await scene.cp.api.call('GET', rig.path('sessions', 'planned'))).status).toBe(404);
});

test('what cannot be a Session is refused in words', async () => {
  await ask('bad-name', 'Start', 'no.such.name', { session: REQUEST });
  const failed = await scene.actions.until('bad-name', inPhase('Failed'));
  expect(condition(failed, 'Ready')).toMatchObject({
    reason: 'InvalidSpec',
    message: expect.stringContaining('metadata.name must be at most 58'),
  });
});

test('F1 N11 killed while it waits, the next process goes on with the same Session', async () => {
  await ask('killed', 'Start', 'killed', { session: HUGE });
  await scene.actions.until('killed', waitsFor('Unschedulable'));
  const { metadata } = await rig.get('killed');
  await operator.stop('SIGKILL');
  await scene.tenant.createNodes(1, { cpu: '8000' });
  operator = await scene.operator();
  expect((await scene.actions.until('killed', inPhase('Succeeded'))).status?.result).toMatchObject({ uid: metadata.uid, created: true });
  expect((await rig.get('killed')).metadata.annotations?.[INTENT]).toBe(metadata.annotations?.[INTENT]);
});

test('without room a start fails at once and leaves nothing behind', async () => {
  await operator.stop('SIGKILL');
  operator = await scene.operator({ MAX_SESSIONS: '1' });
  await ask('full', 'Start', 'full', { session: REQUEST });
  const failed = await scene.actions.until('full', inPhase('Failed'));
  expect(condition(failed, 'Ready')).toMatchObject({
    reason: 'CapacityReached',
    message: expect.stringMatching(/^session\/full: capacity \d+\/1: /),
  });
  expect((await scene.cp.api.call('GET', rig.path('sessions', 'full'))).status).toBe(404);
});
