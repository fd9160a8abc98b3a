import { describe, expect, test } from 'vitest';
import type { SessionFacts } from '../../../operator/backends/backend.ts';
import { AGENT, endOf, startAdapterRig } from './adapter-rig.ts';

const calm = new AbortController().signal;
const running = (sessionID: string, more: Partial<SessionFacts> = {}): SessionFacts => ({
  sessionID,
  state: 'Running',
  active: true,
  port: 3000,
  podName: `${sessionID}-7d9`,
  message: '',
  ...more,
});

test('the whole life of a session moves the rows of the control plane', async () => {
  const { cp, adapter, tasks, connected, until } = await startAdapterRig();
  await connected();
  const { session, command } = cp.users.create({ user: 'admin', template: 'firefox' });
  const id = session?.id ?? '';
  const start = await until(() => tasks[0]);
  expect(start).toMatchObject({ kind: 'action', id: command?.id, action: 'SessionStart', sessionID: id });
  const finish = async (index: number, facts: SessionFacts) => {
    const task = await until(() => tasks[index]);
    adapter.accepted?.(task.id);
    await adapter.reportSession?.(facts, calm);
    expect(await adapter.report(endOf(task.id, { result: { sessionID: id } }), calm)).toEqual({ taken: true });
  };
  await finish(0, running(id));
  expect((await cp.ended(command)).history).toEqual(['pending', 'sent', 'ack', 'completed']);
  expect(cp.session(id)).toMatchObject({ state: 'running', podName: `${id}-7d9`, url: expect.any(String) });
  cp.users.hibernate(id);
  await finish(1, { ...running(id), state: 'Hibernated' });
  await cp.state(id, 'hibernated');
  cp.users.wake(id);
  await finish(2, running(id));
  await cp.state(id, 'running');
  cp.users.delete(id);
  await finish(3, { ...running(id), state: 'Stopped' });
  await cp.state(id, 'terminated');
  expect(tasks.map((task) => task.kind === 'action' && task.action)).toEqual([
    'SessionStart',
    'SessionHibernate',
    'SessionWake',
    'SessionStop',
  ]);
  expect(cp.violations).toEqual([]);
});

test('a failed start is failed with its cause', async () => {
  const { cp, adapter, tasks, connected, until } = await startAdapterRig();
  await connected();
  const { session, command } = cp.users.create({ user: 'admin', template: 'firefox' });
  const task = await until(() => tasks[0]);
  adapter.accepted?.(task.id);
  await adapter.reportSession?.({ sessionID: session?.id ?? '', state: 'Failed', active: false, message: '' }, calm);
  await adapter.report(endOf(task.id, { outcome: 'Failed', reason: 'ImagePull', message: 'the image cannot be pulled' }), calm);
  expect(await cp.ended(command)).toMatchObject({ status: 'failed', error: 'the image cannot be pulled' });
  await cp.state(session?.id ?? '', 'failed');
  expect(cp.violations).toEqual([]);
});

test('ten commands in one frame, and a bad document among them', async () => {
  const { cp, tasks, contacts, connected, until } = await startAdapterRig();
  await connected();
  const connection = cp.hub.get(AGENT);
  connection?.stall(true);
  for (let index = 0; index < 10; index += 1) {
    cp.administrator.command(AGENT, 'stop_session', { sessionId: `s${index}` }, `c${index}`);
    if (index === 5) connection?.sendRaw('{"type":"comm');
  }
  await until(() => [...cp.database.commands.values()].every(({ status }) => status === 'sent'));
  connection?.stall(false);
  await until(() => tasks.length === 10);
  expect(tasks.map(({ id }) => id).sort()).toEqual(Array.from({ length: 10 }, (_, index) => `c${index}`));
  expect(cp.heard.sockets[0]?.sent.at(-1)?.documents).toBe(11);
  expect(contacts.filter(({ kind }) => kind === 'malformed')).toEqual([
    { kind: 'malformed', message: 'a document of 13 characters is not JSON' },
  ]);
});

test('a frame of 25 MB, and commands around it', async () => {
  const { cp, tasks, connected, until } = await startAdapterRig();
  await connected();
  cp.administrator.command(AGENT, 'stop_session', { sessionId: 'small' });
  cp.administrator.command(AGENT, 'start_session', {
    sessionId: 'big',
    user: 'ada',
    template: 'firefox',
    templateManifest: { spec: { baseImage: 'i', icon: 'x'.repeat(25_000_000) } },
  });
  cp.administrator.command(AGENT, 'stop_session', { sessionId: 'small' });
  await until(() => tasks.length === 3, 'three tasks', 20_000);
  expect(tasks.map((task) => task.sessionID).sort()).toEqual(['big', 'small', 'small']);
  expect(cp.heard.sockets).toHaveLength(1);
});

test('commands that repeat are repeated, and invalid ones are tasks too', async () => {
  const { cp, tasks, contacts, connected, until } = await startAdapterRig();
  await connected();
  const document = (commandId: unknown, action: string, payload: unknown) => ({
    type: 'command',
    timestamp: 'x',
    payload: { commandId, action, payload },
  });
  const connection = cp.hub.get(AGENT);
  connection?.send(document('c1', 'stop_session', { sessionId: 's' }));
  connection?.send(document('c1', 'stop_session', { sessionId: 's' }));
  connection?.send(document('c2', 'start_session', {}));
  connection?.send(document('c3', 'dance', {}));
  connection?.send(document(undefined, 'stop_session', { sessionId: 's' }));
  await until(() => tasks.length === 4 && contacts.some(({ kind }) => kind === 'malformed'));
  expect(tasks.map(({ kind, id }) => `${kind} ${id}`)).toEqual(['action c1', 'action c1', 'invalid c2', 'invalid c3']);
});

test('ping is answered by pong', async () => {
  const { cp, connected, until } = await startAdapterRig();
  await connected();
  cp.hub.get(AGENT)?.send({ type: 'ping', timestamp: new Date().toISOString(), payload: {} });
  await until(() => cp.heard.of('pong').length === 1);
  expect(cp.violations).toEqual([]);
});

test('a start of minutes blocks nothing: nobody takes the commands, and heartbeats and pongs go on', async () => {
  const { cp, adapter, connected, until } = await startAdapterRig({
    reading: false,
    server: { timings: { serverPing: 30 } },
    tuning: { connection: { ping: 0.03, silence: 0.5 } },
  });
  const stop = new AbortController();
  const reader = adapter.tasks(stop.signal)[Symbol.asyncIterator]();
  const first = reader.next();
  await connected();
  for (let index = 0; index < 200; index += 1) cp.administrator.command(AGENT, 'stop_session', { sessionId: `s${index}` });
  await first;
  await until(() => (cp.heard.sockets[0]?.pongs ?? 0) > 30);
  await adapter.heartbeat.beat('healthy', calm);
  expect(cp.heard.sockets).toHaveLength(1);
  const seen = [await first];
  while (seen.length < 200) seen.push(await reader.next());
  stop.abort();
  expect(new Set(seen.map(({ value }) => value?.id)).size).toBe(200);
});

describe('without a connection', () => {
  test('reports are thrown back, and go out once it is there', async () => {
    const { cp, adapter, connected, until } = await startAdapterRig();
    await connected();
    await cp.crash();
    await until(() => cp.heard.sockets[0]?.closedAt);
    await expect(adapter.report(endOf('c1'), calm)).rejects.toMatchObject({ name: 'BackendError', status: 0 });
    await expect(adapter.reportSession?.(running('s'), calm)).rejects.toMatchObject({ name: 'BackendError', status: 0 });
    adapter.accepted?.('c1');
    await cp.restart();
    await connected();
    await adapter.report(endOf('c1'), calm);
    await until(() => cp.heard.of('complete').length === 1);
    expect(cp.heard.of('ack')).toEqual([]);
  });

  test('what the control plane has not read when the connection ends is thrown back', async () => {
    const { cp, adapter, connected } = await startAdapterRig({ tuning: { connection: { ping: 3600, silence: 0.3 } } });
    await connected();
    cp.hub.get(AGENT)?.silence();
    await Promise.all([
      expect(adapter.report(endOf('c1'), calm)).rejects.toMatchObject({ name: 'BackendError', status: 0 }),
      expect(adapter.reportSession?.(running('s'), calm)).rejects.toMatchObject({ name: 'BackendError', status: 0 }),
      expect(adapter.report(endOf('c2'), AbortSignal.timeout(20))).rejects.toMatchObject({ name: 'BackendError' }),
    ]);
    expect(cp.heard.of('complete')).toEqual([]);
  });

  test('hundreds of reports at once are each confirmed', async () => {
    const { cp, adapter, connected } = await startAdapterRig();
    await connected();
    const all = Array.from({ length: 500 }, (_, index) => adapter.report(endOf(`c${index}`), calm));
    await Promise.all(all);
    expect(cp.heard.of('complete')).toHaveLength(500);
  });

  test('a session on its way has nothing to tell', async () => {
    const { adapter } = await startAdapterRig({ reading: false });
    const { state: _, ...moving } = running('s');
    await adapter.reportSession?.(moving, calm);
  });
});

describe('while nobody takes commands', () => {
  test('nothing is placed here, and what comes anyway is turned away with the truth', async () => {
    const { cp, adapter, sessions, stop, connected, until } = await startAdapterRig();
    sessions.push({ ...running('known'), state: 'Hibernated', active: false });
    await connected();
    await stop();
    await adapter.heartbeat.beat('healthy', calm);
    expect(cp.database.agents.get(AGENT)?.status).toBe('draining');
    const start = { sessionId: 'new', user: 'ada', template: 'firefox' };
    const commands = [
      cp.administrator.command(AGENT, 'start_session', start),
      cp.administrator.command(AGENT, 'wake_session', { sessionId: 'known' }),
      cp.administrator.command(AGENT, 'stop_session', { sessionId: 'unknown' }),
    ];
    for (const command of commands) expect((await cp.ended(command)).error).toContain('spec.suspend');
    expect(
      cp.heard
        .of('status')
        .map(({ payload }) => `${payload.sessionId} ${payload.state}`)
        .sort(),
    ).toEqual(['known hibernated', 'new failed']);
    const again = new AbortController();
    const next = adapter.tasks(again.signal)[Symbol.asyncIterator]().next();
    await adapter.heartbeat.beat('healthy', calm);
    await until(() => cp.database.agents.get(AGENT)?.status === 'online');
    const taken = cp.administrator.command(AGENT, 'wake_session', { sessionId: 'known' });
    expect((await next).value).toMatchObject({ id: taken.id });
    again.abort();
  });

  test('what was read and not taken is turned away too', async () => {
    const { cp, adapter, connected } = await startAdapterRig({ reading: false });
    const stopping = new AbortController();
    const reader = adapter.tasks(stopping.signal)[Symbol.asyncIterator]();
    const first = reader.next();
    await connected();
    const commands = [1, 2, 3].map((index) => cp.administrator.command(AGENT, 'stop_session', { sessionId: `s${index}` }));
    const taken = await first;
    stopping.abort();
    const left = commands.filter(({ id }) => id !== taken.value?.id);
    for (const command of left) expect((await cp.ended(command)).error).toContain('before this one was recorded');
  });

  test('after stopping nothing is acknowledged any more', async () => {
    const { cp, adapter, stop, close, connected } = await startAdapterRig();
    await connected();
    await stop();
    await adapter.heartbeat.beat('stopping', calm);
    adapter.accepted?.('c1');
    await adapter.report(endOf('c1'), calm);
    await close();
    await cp.waitFor(() => cp.heard.sockets[0]?.closedAt);
    expect(cp.heard.of('complete')).toHaveLength(1);
    expect(cp.heard.of('ack')).toEqual([]);
  });
});

test('without tunnels a browser is closed at once: after start, wake, and the browser before it', async () => {
  const { cp, adapter, tasks, connected, until } = await startAdapterRig();
  await connected();
  const { session } = cp.users.create({ user: 'admin', template: 'firefox' });
  const id = session?.id ?? '';
  await until(() => tasks.length === 1);
  await adapter.reportSession?.(running(id), calm);
  await cp.state(id, 'running');
  await until(() => cp.heard.of('vnc_error').length === 1);
  for (let visits = 1; visits <= 3; visits += 1) {
    const browser = cp.users.open(id);
    await until(() => browser.closed);
    browser.detach();
    await until(() => cp.heard.of('vnc_error').length >= visits + 1);
  }
});
