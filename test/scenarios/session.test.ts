import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../cluster/wait-for.ts';
import { eventually, useScene } from './scene.ts';
import { claimOf, inSessionPhase, SessionRig } from './session-objects.ts';

const scene = useScene('session');
const rig = new SessionRig(scene);

beforeAll(async () => {
  await scene.tenant.createNodes(1);
  await rig.template('firefox');
  await scene.operator();
});

afterAll(() => rig.clear());

/** The writes of the operator on everything of this name, Events too, oldest first. */
async function writesOn(...names: readonly string[]): Promise<string[]> {
  const requests = (await scene.requests()).filter(({ verb }) => ['create', 'update', 'patch', 'delete'].includes(verb));
  return requests.flatMap(({ verb, objectRef: { resource = '', subresource = '', name = '' } = {} }) => {
    const isOf = names.some((each) => name === each || name.startsWith(`${each}.`));
    return isOf ? [`${verb} ${resource}${subresource && `/${subresource}`}`] : [];
  });
}

const isReady = (name: string) => rig.until(name, inSessionPhase('Running'));

test('M36 applied with kubectl it starts: what it is shows in its columns, and a start costs its objects and four writes', async () => {
  const manifest = `apiVersion: cloudoptim.io/v1alpha1
kind: Session
metadata: { name: ada, namespace: ${scene.namespace} }
spec: { user: ada, templateRef: { name: firefox }, home: { enabled: true } }
`;
  await rig.volume('ada-home');
  const { code, stderr } = await scene.cp.kubectl(['apply', '-f', '-'], { input: manifest });
  expect([code, stderr]).toEqual([0, '']);
  const waited = await scene.cp.kubectl([
    'wait',
    '--for=condition=Ready',
    'sessions.cloudoptim.io/ada',
    '-n',
    scene.namespace,
    '--timeout=20s',
  ]);
  expect(waited.stdout).toContain('condition met');
  const { stdout } = await scene.cp.kubectl(['get', 'sessions.cloudoptim.io', 'ada', '-n', scene.namespace]);
  const [header = '', row = ''] = stdout.split('\n').map((line) => line.replace(/ +/g, ' ').trim());
  expect(header).toBe('NAME STATE DESIRED READY REASON USER TEMPLATE AGE');
  expect(row).toMatch(/^ada Running Running True Running ada firefox \d+s$/);
  const session = await rig.get('ada');
  expect(session.status).toMatchObject({
    observedGeneration: 1,
    url: `http://ada.${scene.namespace}.svc.cluster.local:3000`,
    port: 3000,
    claimName: 'ada-home',
    image: 'lscr.io/linuxserver/firefox:latest',
    startSeconds: expect.any(Number),
    activeSince: expect.any(String),
    nodeName: expect.stringContaining(scene.namespace),
  });
  expect(session.status?.conditions?.map(({ type, status, observedGeneration }) => [type, status, observedGeneration])).toEqual(
    ['Ready', 'Available', 'HomeBound', 'ImagePulled', 'PodScheduled'].map((type) => [type, 'True', 1]),
  );
  await eventually(() => writesOn('ada', 'ada-home')).toContain('create events');
  expect((await writesOn('ada', 'ada-home')).toSorted()).toEqual(
    [
      'patch sessions',
      'patch sessions/status',
      'patch persistentvolumeclaims',
      'patch services',
      'patch deployments',
      'patch sessions/status',
      'create events',
    ].toSorted(),
  );
});

test('A54 hibernated no pod is left; it wakes with the template as it is then, and stopped nothing is left but its home', async () => {
  await rig.volume('bob-home');
  await rig.template('bob');
  await rig.create('bob', { user: 'Bob O’Hara', templateRef: { name: 'bob' }, home: { enabled: true } });
  await isReady('bob');
  await rig.edit('bob', { state: 'Hibernated' });
  const hibernated = await rig.until('bob', inSessionPhase('Hibernated'));
  expect(hibernated.status).toMatchObject({ desired: 'Hibernated', hibernation: { replicas: 1, reason: 'Asked' }, claimName: 'bob-home' });
  for (const member of ['url', 'podName', 'podIP', 'nodeName']) expect(hibernated.status).not.toHaveProperty(member);
  expect(claimOf(hibernated, 'Ready')).toMatchObject({ status: 'True', reason: 'Hibernated', observedGeneration: 2 });
  expect(claimOf(hibernated, 'HomeBound')?.status).toBe('True');
  expect((await rig.deployment('bob')).spec.replicas).toBe(0);
  expect(await rig.pods('bob')).toEqual([]);
  await scene.cp.api.patch(rig.path('sessiontemplates', 'bob'), { spec: { env: [{ name: 'NEW', value: '1' }] } });
  await rig.edit('bob', { state: 'Running' });
  const woken = await isReady('bob');
  expect(woken.status).toMatchObject({ wakeSeconds: expect.any(Number) });
  expect(woken.status).not.toHaveProperty('hibernation');
  const { spec, metadata } = await rig.deployment('bob');
  expect(spec.template.spec.containers[0]?.env).toContainEqual({ name: 'NEW', value: '1' });
  expect(metadata.labels).toMatchObject({
    app: 'streamspace-session',
    session: 'bob',
    template: 'bob',
    user: expect.stringMatching(/^Bob-O-Hara-/),
  });
  expect(metadata.annotations).toMatchObject({ 'cloudoptim.io/user': 'Bob O’Hara' });
  await rig.edit('bob', { state: 'Stopped' });
  await rig.until('bob', inSessionPhase('Stopped'));
  expect(await rig.exists('deployments', 'bob')).toBe(false);
  expect(await rig.exists('services', 'bob')).toBe(false);
  expect(await rig.exists('persistentvolumeclaims', 'bob-home')).toBe(true);
  await rig.edit('bob', { state: 'Running' });
  await isReady('bob');
});

test('one that was never started is hibernated or stopped without making anything', async () => {
  await rig.create('idle', { state: 'Hibernated' });
  await rig.create('off', { state: 'Stopped' });
  await rig.until('idle', inSessionPhase('Hibernated'));
  await rig.until('off', inSessionPhase('Stopped'));
  expect(await writesOn('idle', 'off')).toEqual(['patch sessions/status', 'patch sessions/status']);
  await scene.cp.api.remove(rig.path('sessions', 'idle'));
  await rig.gone('idle');
});

test('A47 what somebody changes or deletes comes back, what others add stays, and a session in order is not written to', async () => {
  await rig.create('cleo');
  await isReady('cleo');
  const image = async () => (await rig.deployment('cleo')).spec.template.spec.containers[0]?.image;
  const containers = [{ name: 'session', image: 'example.invalid/other' }];
  await scene.cp.api.call(
    'PATCH',
    rig.at('deployments', 'cleo'),
    { metadata: { labels: { mine: 'yes' } }, spec: { template: { spec: { containers } } } },
    {
      type: 'application/strategic-merge-patch+json',
    },
  );
  await eventually(image).toBe('lscr.io/linuxserver/firefox:latest');
  expect((await rig.deployment('cleo')).metadata.labels.mine).toBe('yes');
  await scene.cp.api.remove(rig.at('services', 'cleo'));
  await waitFor(() => rig.exists('services', 'cleo'));
  await scene.cp.api.remove(rig.at('deployments', 'cleo'));
  await waitFor(() => rig.exists('deployments', 'cleo'));
  // Without its label it is not watched any more; it is found all the same.
  await scene.cp.api.patch(rig.at('services', 'cleo'), { metadata: { labels: { app: null } } });
  await eventually(
    async () => (await scene.cp.api.get<{ metadata: { labels: object } }>(rig.at('services', 'cleo'))).metadata.labels,
  ).toMatchObject({
    app: 'streamspace-session',
  });
  await isReady('cleo');
  await rig.until('cleo', (session) => claimOf(session, 'Ready')?.status === 'True');
  const before = await writesOn('cleo');
  const { metadata } = await rig.get('cleo');
  // A pass over it, which has nothing to do.
  await scene.cp.api.patch(rig.path('sessions', 'cleo'), { metadata: { annotations: { looked: 'at' } } });
  await rig.create('after-cleo');
  await isReady('after-cleo');
  expect(await writesOn('cleo')).toEqual(before);
  expect((await rig.get('cleo')).metadata.generation).toBe(metadata.generation);
});

test('a template that is edited leaves a running session alone; other resources of its own start it anew', async () => {
  await rig.template('tools');
  await rig.create('dora', { templateRef: { name: 'tools' } });
  await isReady('dora');
  const { metadata } = await rig.deployment('dora');
  await scene.cp.api.patch(rig.path('sessiontemplates', 'tools'), { spec: { image: 'example.invalid/newer' } });
  await rig.create('after-dora');
  await isReady('after-dora');
  expect((await rig.deployment('dora')).metadata.generation).toBe(metadata.generation);
  await rig.edit('dora', { resources: { cpu: '200m' } });
  const again = await rig.until('dora', ({ status }) => status?.phase === 'Running' && status.observedGeneration === 2);
  expect((await rig.deployment('dora')).metadata.generation).toBeGreaterThan(metadata.generation);
  expect(again.status).toMatchObject({ phase: 'Running' });
});

test('what belongs to somebody else is never taken over, and says so', async () => {
  const { stdout } = await scene.cp.kubectl(['create', 'deployment', 'eve', '--image=example.invalid/hers', '-n', scene.namespace]);
  expect(stdout).toContain('created');
  const { metadata } = await rig.deployment('eve');
  await rig.create('eve');
  const failed = await rig.until('eve', inSessionPhase('Failed'));
  expect(claimOf(failed, 'Stalled')).toMatchObject({
    status: 'True',
    reason: 'NameTaken',
    message: expect.stringContaining('Deployment eve'),
  });
  await eventually(() => rig.exists('services', 'eve')).toBe(false);
  await scene.cp.api.remove(rig.path('sessions', 'eve'));
  await rig.gone('eve');
  const after = await rig.deployment('eve');
  expect([after.metadata.uid, after.metadata.generation, after.metadata.labels]).toEqual([
    metadata.uid,
    metadata.generation,
    { app: 'eve' },
  ]);
});

test('A53 a template that is missing is named and waited for', async () => {
  await rig.create('fay', { templateRef: { name: 'later' } });
  const pending = await rig.until('fay', inSessionPhase('Pending'));
  expect(claimOf(pending, 'Ready')).toMatchObject({
    status: 'Unknown',
    reason: 'TemplateMissing',
    message: expect.stringContaining('SessionTemplate later'),
  });
  await rig.template('later');
  await isReady('fay');
});

test.each([
  ['user', { user: 'eve' }],
  ['templateRef', { templateRef: { name: 'other' } }],
  ['home', { home: { enabled: true } }],
  ['sessionID', { sessionID: 'another' }],
])('spec.%s is immutable, and the refusal says why', async (field, change) => {
  const name = `fixed-${field.toLowerCase()}`;
  await rig.create(name, { state: 'Stopped' });
  await expect(rig.edit(name, change)).rejects.toThrow(new RegExp(`spec\\.${field}.* is immutable, .*: make another Session`));
});

test.each([
  ['Always', true, true],
  ['AfterTTL', true, false],
  ['WithSession', false, false],
])('the home with retain %s: there after a stop %s, after the deletion %s', async (retain, afterStop, afterDeletion) => {
  const name = `home-${retain.toLowerCase()}`;
  await rig.volume(`${name}-home`);
  await rig.create(name, { home: { enabled: true, retain } });
  await isReady(name);
  await rig.edit(name, { state: 'Stopped' });
  await rig.until(name, inSessionPhase('Stopped'));
  expect(await rig.exists('persistentvolumeclaims', `${name}-home`)).toBe(afterStop);
  await scene.cp.api.remove(rig.path('sessions', name));
  await rig.gone(name);
  expect(await rig.exists('persistentvolumeclaims', `${name}-home`)).toBe(afterDeletion);
});

test('deleted while it runs everything of it goes first; a home that somebody asks to delete goes too', async () => {
  await rig.volume('gus-home');
  await rig.create('gus', { home: { enabled: true } }, { annotations: { 'cloudoptim.io/delete-home': 'true' } });
  await isReady('gus');
  const { code } = await scene.cp.kubectl(['delete', 'sessions.cloudoptim.io', 'gus', '-n', scene.namespace, '--timeout=20s']);
  expect(code).toBe(0);
  for (const plural of ['deployments', 'services'] as const) expect(await rig.exists(plural, 'gus')).toBe(false);
  expect(await rig.exists('persistentvolumeclaims', 'gus-home')).toBe(false);
  expect(await rig.pods('gus')).toEqual([]);
});
