import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { KEEP_AWAKE, LAST_ACTIVITY, WAKE_REQUESTED } from '../../operator/api/session.ts';
import { type ApiProxy, startApiProxy } from '../cluster/api-proxy.ts';
import { controlPlane } from '../cluster/shared.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { type OperatorProcess, startOperator } from './operator-process.ts';
import { useScene } from './scene.ts';
import { claimOf, inSessionPhase, SessionRig, type StoredSession } from './session-objects.ts';

const scene = useScene('session-life');
const rig = new SessionRig(scene);
const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
/** Pods as metrics.k8s.io has them; undefined: it is not served. */
let metrics: (() => unknown) | undefined;
let proxy: ApiProxy;
let operator: OperatorProcess;

beforeAll(async () => {
  await scene.tenant.createNodes(1);
  await rig.template('firefox');
  proxy = await startApiProxy(controlPlane);
  proxy.fault(({ path }) =>
    metrics && path.startsWith(`/apis/metrics.k8s.io/v1beta1/namespaces/${scene.namespace}/pods`)
      ? { kind: 'answer', status: 200, body: { items: metrics() } }
      : undefined,
  );
  await start();
});
afterAll(async () => {
  await operator?.stop('SIGKILL');
  await proxy?.close();
  await controlPlane.api.remove(`${CRDS}/sessions.stream.space`);
  await rig.clear();
});

async function start(): Promise<void> {
  const own = await controlPlane.serviceAccountKubeconfig(scene.namespace, 'cloudoptim-operator');
  operator = await startOperator({ kubeconfig: await proxy.kubeconfig(own), namespace: scene.namespace });
}

const now = () => new Date().toISOString();
const runs = inSessionPhase('Running');
const idle = (session: StoredSession) => claimOf(session, 'Idle');

const create = (name: string, spec: Record<string, unknown>, annotations: Record<string, string> = {}) =>
  rig.create(name, spec, { annotations });
const until = (name: string, look: (session: StoredSession) => unknown) => rig.until(name, look, 30_000);

const annotate = (name: string, annotations: Record<string, string | null>) =>
  controlPlane.api.patch(rig.path('sessions', name), { metadata: { annotations } });

/** The control plane's own kind, as far as it matters here. */
async function streamSpaceSessions(): Promise<void> {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  await controlPlane.api.call('POST', CRDS, {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'sessions.stream.space' },
    spec: {
      group: 'stream.space',
      scope: 'Namespaced',
      names: { plural: 'sessions', singular: 'session', kind: 'Session' },
      versions: [{ name: 'v1alpha1', served: true, storage: true, schema }],
    },
  });
  for (const [file, plural] of [
    ['role.yaml', 'roles'],
    ['role-binding.yaml', 'rolebindings'],
  ] as const) {
    // Written for the namespace of the operator, which is another one here.
    const text = await readFile(join(import.meta.dirname, '../../config/rbac-stream-space', file), 'utf8');
    const object: unknown = parse(text.replaceAll('namespace: cloudoptim', `namespace: ${scene.namespace}`));
    await controlPlane.api.create(`/apis/rbac.authorization.k8s.io/v1/namespaces/${scene.namespace}/${plural}`, object);
  }
  const list = `/apis/stream.space/v1alpha1/namespaces/${scene.namespace}/sessions`;
  await waitFor(async () => (await controlPlane.api.call('GET', list)).status === 200, { what: 'the kind is served' });
}

async function eventsOf(name: string): Promise<{ reason: string; message: string }[]> {
  const { items } = await controlPlane.api.get<{ items: { reason: string; message: string; involvedObject: { name: string } }[] }>(
    `/api/v1/namespaces/${scene.namespace}/events`,
  );
  return items.filter(({ involvedObject }) => involvedObject.name === name);
}

test('idle by its annotation it is hibernated without an edit of its spec, spared while its user keeps it awake, and woken on request', async () => {
  const used = { [LAST_ACTIVITY]: now() };
  await Promise.all([
    create('idle', { idleTimeout: '3s' }, used),
    create('kept', { idleTimeout: '3s' }, { ...used, [KEEP_AWAKE]: 'true' }),
    create('mistyped', { idleTimeout: '3s' }, { ...used, [KEEP_AWAKE]: 'ture' }),
    create('mute', { idleTimeout: '3s' }),
    create('wrong', { idleTimeout: '3s' }, { [LAST_ACTIVITY]: 'yesterday' }),
  ]);
  const asleep = await until('idle', inSessionPhase('Hibernated'));
  expect(asleep.status).toMatchObject({
    desired: 'Hibernated',
    lastActivityTime: expect.stringMatching(/Z$/),
    override: { state: 'Hibernated', reason: 'Idle', by: 'operator', generation: 1 },
  });
  expect(asleep.metadata.generation).toBe(1);
  expect(asleep.spec?.state).toBe('Running');
  expect(idle(asleep)).toBeUndefined();
  const [event] = (await eventsOf('idle')).filter(({ reason }) => reason === 'Idle');
  expect(event?.message).toMatch(/^nobody used it for 3s \(spec.idleTimeout\), by Annotation: hibernated; .*kubectl annotate .* idle /);

  // Their time is over as well.
  const others = await Promise.all(
    ['kept', 'mistyped', 'mute', 'wrong'].map((name) => until(name, (session) => runs(session) && idle(session))),
  );
  expect(others.map((session) => idle(session))).toMatchObject([
    { status: 'False', reason: 'KeptAwake' },
    { status: 'Unknown', reason: 'InvalidAnnotation', message: expect.stringMatching(/cloudoptim.io\/keep-awake is "ture"/) },
    { status: 'Unknown', reason: 'SignalMissing', message: expect.stringContaining('cloudoptim.io/last-activity') },
    { status: 'Unknown', reason: 'InvalidAnnotation', message: expect.stringMatching(/of the Session is "yesterday".*RFC 3339/) },
  ]);

  // As its user is told to.
  await annotate('idle', { [WAKE_REQUESTED]: 'now' });
  const told = await until('idle', (session) => claimOf(session, 'WakeRequested'));
  expect(told.status?.phase).toBe('Hibernated');
  await annotate('idle', { [WAKE_REQUESTED]: now() });
  const awake = await until('idle', (session) => runs(session) && !session.status?.override);
  expect(claimOf(awake, 'WakeRequested')).toBeUndefined();

  // What is no longer kept, or can be read now, follows.
  await annotate('kept', { [KEEP_AWAKE]: null });
  await annotate('mute', { [LAST_ACTIVITY]: now() });
  for (const name of ['kept', 'mute', 'idle']) await until(name, ({ status }) => status?.override?.reason === 'Idle');
});

test('its maximum duration stops it and leaves its home, unless it is kept awake', async () => {
  await rig.volume('brief-home');
  await Promise.all([
    create('brief', { maxDuration: '3s', home: { enabled: true } }),
    create('brief-kept', { maxDuration: '3s' }, { [KEEP_AWAKE]: new Date(Date.now() + 3_600_000).toISOString() }),
  ]);
  const stopped = await until('brief', inSessionPhase('Stopped'));
  expect(stopped.status?.override).toMatchObject({ state: 'Stopped', reason: 'MaxDurationReached', by: 'operator' });
  expect(stopped.spec?.state).toBe('Running');
  expect(await rig.exists('persistentvolumeclaims', 'brief-home')).toBe(true);
  expect((await eventsOf('brief')).map(({ reason }) => reason)).toContain('MaxDurationReached');
  const kept = await until('brief-kept', runs);
  expect(idle(kept)).toMatchObject({ status: 'False', reason: 'KeptAwake' });
  await annotate('brief-kept', { [KEEP_AWAKE]: 'false' });
  await until('brief-kept', ({ status }) => status?.override?.reason === 'MaxDurationReached');
});

test('a stopped session goes after its time, one that Argo CD keeps does not', async () => {
  await rig.volume('over-home');
  const spec = { ttlAfterStopped: '2s', home: { enabled: true, retain: 'AfterTTL' } };
  await Promise.all([
    create('over', spec),
    create('tracked', { ...spec, state: 'Stopped' }, { 'argocd.argoproj.io/tracking-id': 'app:cloudoptim.io/Session:desks/tracked' }),
    create('stays', { state: 'Stopped' }),
  ]);
  await until('over', runs);
  expect(await rig.exists('persistentvolumeclaims', 'over-home')).toBe(true);
  await rig.edit('over', { state: 'Stopped' });
  await until('over', inSessionPhase('Stopped'));
  expect(await rig.exists('persistentvolumeclaims', 'over-home')).toBe(true);
  await rig.gone('over');
  // Marked by its deletion; a volume that is in use nowhere goes at once.
  await waitFor(async () => !(await rig.exists('persistentvolumeclaims', 'over-home')), { what: 'its home is gone' });
  for (const name of ['tracked', 'stays'])
    expect((await until(name, inSessionPhase('Stopped'))).metadata).not.toHaveProperty('deletionTimestamp');
});

test('the annotation of its pod counts, and what the control plane keeps of its users, where the cluster has that', async () => {
  await streamSpaceSessions();
  await rig.template('both', { idle: { signals: ['Annotation', 'StreamSpaceSession'] } });
  await create('seen', { idleTimeout: '5s', templateRef: { name: 'both' } });
  const { status } = await until('seen', (session) => runs(session) && idle(session));
  expect(idle({ status } as StoredSession)).toMatchObject({ status: 'Unknown', reason: 'SignalMissing' });
  expect(idle({ status } as StoredSession)?.message).toMatch(
    /Annotation: neither .*; StreamSpaceSession: sessions.stream.space "seen" not found/,
  );
  // It is looked for again when it starts anew.
  await rig.edit('seen', { state: 'Hibernated' });
  await until('seen', inSessionPhase('Hibernated'));
  await controlPlane.api.create(`/apis/stream.space/v1alpha1/namespaces/${scene.namespace}/sessions`, {
    apiVersion: 'stream.space/v1alpha1',
    kind: 'Session',
    metadata: { name: 'seen' },
    status: { lastActivity: now() },
  });
  await rig.edit('seen', { state: 'Running' });
  const woken = await until('seen', runs);
  await controlPlane.api.patch(rig.at('pods', String(woken.status?.podName)), { metadata: { annotations: { [LAST_ACTIVITY]: now() } } });
  const asleep = await until('seen', ({ status }) => status?.override);
  expect(asleep.status).toMatchObject({ override: { reason: 'Idle' }, lastActivityTime: expect.any(String) });
});

test('where metrics.k8s.io is not served a session that needs it counts as used, and the API server is asked once', async () => {
  await rig.template('measured', { idle: { signals: ['CPU', 'Annotation'] } });
  await create('unmeasured', { idleTimeout: '2s', templateRef: { name: 'measured' } }, { [LAST_ACTIVITY]: now() });
  const session = await until('unmeasured', (each) => idle(each)?.reason === 'SignalMissing');
  expect(idle(session)?.message).toMatch(/CPU: metrics.k8s.io/);
  const asked = () => proxy.requests.filter(({ path }) => path.startsWith('/apis/metrics.k8s.io/')).length;
  await waitFor(() => asked() > 0, { what: 'it is asked for' });
  expect(asked()).toBe(1);
});

test('what it uses is shown, and no use of processor time hibernates it', async () => {
  await rig.template('cpu', { idle: { signals: ['CPU'] } });
  const templateRef = { name: 'cpu' };
  await Promise.all([create('lazy', { idleTimeout: '5s', templateRef }), create('busy', { idleTimeout: '60s', templateRef })]);
  const pods = await Promise.all(['lazy', 'busy'].map(async (name) => (await until(name, runs)).status?.podName ?? ''));
  await operator.stop();
  const usage = (name: string) => (name.startsWith('busy-') ? { cpu: '400m', memory: '900Mi' } : { cpu: '5m', memory: '300Mi' });
  metrics = () => pods.map((name) => ({ metadata: { name }, timestamp: now(), containers: [{ usage: usage(name) }] }));
  await start();
  expect((await until('busy', ({ status }) => status?.lastActivityTime)).status).toMatchObject({ usage: { cpu: '400m', memory: '900Mi' } });
  const lazy = await until('lazy', ({ status }) => status?.override);
  expect(lazy.status?.override?.reason).toBe('Idle');
  expect(lazy.status).not.toHaveProperty('lastActivityTime');
});
