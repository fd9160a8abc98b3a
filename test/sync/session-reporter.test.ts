import { expect, onTestFinished, test } from 'vitest';
import type { Session, SessionStatus } from '../../operator/api/session.ts';
import { BackendError, type SessionFacts } from '../../operator/backends/backend.ts';
import { objectStore } from '../../operator/kube/standing-watches.ts';
import { SessionReporter, type SessionReporterOptions } from '../../operator/sync/session-reporter.ts';
import { controlPlane, tenant } from '../cluster/shared.ts';
import { clientOf } from '../kube/clients.ts';

const { namespace } = await tenant('session-reporter');
const path = `/apis/cloudoptim.io/v1alpha1/namespaces/${namespace}/sessions`;
const away = new BackendError('no connection', { status: 0 });

/** A reporter over a store that a test fills, and what its backend was told. */
function stage(options: Partial<SessionReporterOptions> = {}) {
  const told: SessionFacts[] = [];
  const failures: unknown[] = [];
  const store = objectStore<Session>();
  const backend = { down: false };
  const reporter = new SessionReporter({
    name: 'prod',
    client: clientOf(controlPlane),
    store,
    commandedSince: () => false,
    tell: async (session) => {
      if (backend.down) throw away;
      told.push(session);
    },
    onFailure: (_, error) => failures.push(error),
    ...options,
  });
  const unlisten = store.onChange((before, after) => reporter.notice(before, after));
  onTestFinished(async () => {
    unlisten();
    await reporter.close(0);
  });

  async function create(name: string, status: Partial<SessionStatus> = {}, spec = {}): Promise<Session> {
    const body = { metadata: { name }, spec: { user: 'ada', template: { image: 'x' }, backendRef: { name: 'prod' }, ...spec } };
    const made = await controlPlane.api.create<Session>(path, { apiVersion: 'cloudoptim.io/v1alpha1', kind: 'Session', ...body });
    return Object.keys(status).length > 0 ? become(made, status) : put(made);
  }

  async function become({ metadata: { name } }: Session, status: Partial<SessionStatus>): Promise<Session> {
    return put(await controlPlane.api.patch<Session>(`${path}/${name}/status`, { status }));
  }

  function put(session: Session): Session {
    store.apply(session);
    return session;
  }

  const states = (name: string) => told.filter(({ sessionID }) => sessionID === name).map(({ state }) => state);
  return { reporter, store, backend, told, failures, create, become, states };
}

const read = (name: string) => controlPlane.api.get<Session>(`${path}/${name}`);
const reported = async (name: string) => (await read(name)).status?.conditions?.find(({ type }) => type === 'Reported');
const eventually = <T>(look: () => T) => expect.poll(look, { timeout: 10_000 });

test('each settled state goes out once and is noted; what is on its way does not, another pod does', async () => {
  const { reporter, create, become, states, told, store } = stage();
  reporter.connected();
  const session = await create('life', { phase: 'Starting' });
  await become(session, { phase: 'Running', podName: 'life-1', port: 3000 });
  await eventually(async () => (await read('life')).status?.reported).toMatchObject({ state: 'Running', podName: 'life-1' });
  expect(told).toEqual([{ sessionID: 'life', state: 'Running', active: true, podName: 'life-1', port: 3000, message: '' }]);
  expect(await reported('life')).toMatchObject({ status: 'True', reason: 'Taken', message: 'the backend was told Running' });
  // Neither a repeat of the watch nor another field is news.
  await become(session, { lastActivityTime: '2026-11-21T12:00:00Z' });
  await become(session, { phase: 'Running', podName: 'life-2' });
  await eventually(() => states('life')).toEqual(['Running', 'Running']);
  await become(session, { phase: 'Hibernating' });
  await become(session, { phase: 'Hibernated', podName: '' });
  await eventually(() => states('life')).toEqual(['Running', 'Running', 'Hibernated']);
  expect(reporter.lag).toBe(0);
  await eventually(() => store.get(`${namespace}/life`)?.status?.reported?.state).toBe('Hibernated');
});

test('sessions of others are nobody’s business here', async () => {
  const { reporter, create, told } = stage();
  reporter.connected();
  await create('foreign', { phase: 'Running' }, { backendRef: { name: 'other' } });
  await create('own', { phase: 'Running' });
  await eventually(() => told.length).toBe(1);
});

test('what is to be stopped is not told as running, even where the watch is behind', async () => {
  const { reporter, create, store, told } = stage();
  reporter.connected();
  const behind = await create('late');
  await controlPlane.api.patch(`${path}/late/status`, { status: { phase: 'Running' } });
  const stopped = await controlPlane.api.patch<Session>(`${path}/late`, { spec: { state: 'Stopped' } });
  // The watch has seen it run, and not yet that it is to be stopped.
  const { resourceVersion } = behind.metadata;
  store.apply({
    ...behind,
    metadata: { ...behind.metadata, resourceVersion: `${Number(resourceVersion) + 1}` },
    status: { phase: 'Running' },
  });
  await eventually(() => store.get(`${namespace}/late`)?.metadata.resourceVersion).toBe(stopped.metadata.resourceVersion);
  expect(told).toEqual([]);
  expect(reporter.lag).toBe(0);
});

test('what nobody could be told is shown, and goes out when there is a connection, whatever else waits', async () => {
  const { reporter, backend, create, become, states, failures } = stage();
  reporter.connected();
  const known = await create('known', { phase: 'Running' });
  await eventually(() => reported('known')).toMatchObject({ status: 'True' });
  backend.down = true;
  await become(known, { phase: 'Hibernated' });
  await eventually(() => reported('known')).toMatchObject({ status: 'False', reason: 'Unreachable' });
  expect((await read('known')).status?.reported?.state).toBe('Running');
  backend.down = false;
  reporter.connected();
  await eventually(() => reported('known')).toMatchObject({ status: 'True', message: 'the backend was told Hibernated' });
  expect(states('known')).toEqual(['Running', 'Hibernated']);
  expect(failures).toEqual([]);
});

test('a restart tells nothing twice, and what changed meanwhile at once; everything else once, later, unless a task came', async () => {
  const first = stage();
  first.reporter.connected();
  for (const name of ['same', 'other', 'asked']) await first.create(name, { phase: 'Running', podName: name });
  for (const name of ['same', 'other', 'asked']) await eventually(() => reported(name)).toMatchObject({ status: 'True' });

  const second = stage({ resyncAfter: 0.5, commandedSince: (sessionID) => sessionID === 'asked' });
  for (const name of ['same', 'other', 'asked']) second.store.apply(await read(name));
  await second.become(await read('other'), { phase: 'Failed' });
  expect(second.told).toEqual([]);
  const startedAt = performance.now();
  second.reporter.connected();
  await eventually(() => second.states('other')).toEqual(['Failed']);
  await eventually(() => second.states('same')).toEqual(['Running']);
  expect(performance.now() - startedAt).toBeGreaterThan(490);
  expect(second.states('asked')).toEqual([]);
});

test('after a task its session is told once more, unless it was told since', async () => {
  const { reporter, create, states } = stage();
  reporter.connected();
  const before = Date.now();
  await create('tasked', { phase: 'Hibernated' });
  await eventually(() => reported('tasked')).toMatchObject({ status: 'True' });
  await reporter.settle('tasked', before, { state: 'Stopped', message: '' });
  expect(states('tasked')).toEqual(['Hibernated']);
  await reporter.settle('tasked', Date.now() + 1, { state: 'Stopped', message: '' });
  expect(states('tasked')).toEqual(['Hibernated', 'Hibernated']);
});

test('a task about a session that is not there tells what is known, and rejects while nobody hears it', async () => {
  const { reporter, backend, told } = stage();
  reporter.connected();
  await reporter.settle('nobody', 0, { state: 'Stopped', message: 'absent' });
  await reporter.settle('nobody', 0, { message: 'unknown' });
  expect(told).toEqual([{ sessionID: 'nobody', state: 'Stopped', active: false, message: 'absent' }]);
  backend.down = true;
  await expect(reporter.settle('nobody', 0, { state: 'Failed', message: 'no room' })).rejects.toBe(away);
});

test('the last word of a deleted session is said before it is gone, or kept for the next connection', async () => {
  const { reporter, backend, create, states, store } = stage();
  reporter.connected();
  const heard = await create('heard', { phase: 'Running' });
  const unheard = await create('unheard', { phase: 'Running' });
  const again = await create('again', { phase: 'Running' });
  for (const name of ['heard', 'unheard', 'again']) await eventually(() => reported(name)).toMatchObject({ status: 'True' });
  await reporter.lastWord(heard);
  // Said already: that it is gone is no news.
  store.remove(store.get(`${namespace}/heard`) as Session);
  expect(states('heard')).toEqual(['Running', 'Stopped']);
  backend.down = true;
  for (const session of [unheard, again]) {
    await reporter.lastWord(session);
    await controlPlane.api.remove(`${path}/${session.metadata.name}`);
    store.remove(store.get(`${namespace}/${session.metadata.name}`) as Session);
  }
  expect(reporter.lag).toBe(2);
  await create('again', { phase: 'Starting' });
  backend.down = false;
  reporter.connected();
  await eventually(() => reporter.lag).toBe(0);
  expect(states('unheard')).toEqual(['Running', 'Stopped']);
  expect(states('again')).toEqual(['Running']);
});

test('fifty sessions that settle at once are told once each', async () => {
  const { reporter, create, become, told } = stage();
  reporter.connected();
  const sessions = await Promise.all(Array.from({ length: 50 }, (_, index) => create(`crowd-${index}`, { phase: 'Starting' })));
  await Promise.all(sessions.map((session) => become(session, { phase: 'Running', podName: session.metadata.name })));
  await eventually(() => told.length).toBe(50);
  await eventually(() => reporter.lag).toBe(0);
  expect(new Set(told.map(({ sessionID }) => sessionID)).size).toBe(50);
});
