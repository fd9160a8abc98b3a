import { expect, test } from 'vitest';
import { call, dial, join, obey, register, running } from './raw-agent.ts';
import { startForTest as start } from './start-for-test.ts';

const ORDER = { user: 'admin', template: 'firefox' };

test('a session lives as its agent tells: pending, running with url, hibernated, running, terminated', async () => {
  const cp = await start();
  const agent = await join(cp);
  const { status, session, command } = cp.users.create({ ...ORDER, cpu: '500m', tags: ['a'], persistentHome: true });
  expect(status).toBe(202);
  const id = session?.id ?? '';
  expect(id).toMatch(/^admin-firefox-[0-9a-f]{8}$/);
  const ordered = await agent.command('start_session');
  expect(ordered).toEqual({
    commandId: expect.stringMatching(/^cmd-[0-9a-f]{8}$/),
    action: 'start_session',
    payload: {
      sessionId: id,
      user: 'admin',
      template: 'firefox',
      templateManifest: expect.objectContaining({ kind: 'Template' }),
      namespace: 'streamspace',
      memory: '2Gi',
      cpu: '500m',
      persistentHome: true,
      idleTimeout: '',
      maxSessionDuration: '',
      tags: ['a'],
    },
  });
  expect(cp.users.hibernate(id).status).toBe(409);
  expect(cp.users.wake(id).status).toBe(409);
  obey(agent, ordered);
  expect(await cp.ended(command)).toMatchObject({ status: 'completed', history: ['pending', 'sent', 'ack', 'completed'] });
  expect(cp.session(id)).toMatchObject({ state: 'running', podName: `${id}-7d9`, url: expect.stringContaining(id) });
  expect(cp.users.hibernate(id).status).toBe(202);
  expect(cp.session(id).state).toBe('hibernating');
  expect(cp.users.hibernate(id).status).toBe(409);
  obey(agent, await agent.command('hibernate_session'));
  await cp.state(id, 'hibernated');
  expect(cp.session(id)).not.toHaveProperty('url');
  cp.users.wake(id);
  obey(agent, await agent.command('wake_session'));
  await cp.state(id, 'running');
  cp.users.delete(id);
  expect(cp.users.delete(id).status).toBe(409);
  const stop = await agent.command('stop_session');
  expect(stop.payload).toEqual({ sessionId: id, namespace: 'streamspace' });
  obey(agent, stop);
  await cp.state(id, 'terminated');
  expect(cp.users.delete(id).status).toBe(409);
  expect(cp.users.delete('nobody').status).toBe(404);
  expect(cp.session(id).history).toEqual([
    'pending',
    'running',
    'hibernating',
    'hibernated',
    'waking',
    'running',
    'terminating',
    'terminated',
  ]);
  expect(cp.violations).toEqual([]);
});

test('complete alone moves nothing, and its result is dropped; a failed session can be deleted', async () => {
  const cp = await start();
  const agent = await join(cp);
  const { session, command } = cp.users.create(ORDER);
  const id = session?.id ?? '';
  const { commandId } = await agent.command('start_session');
  agent.say('ack', { commandId });
  agent.say('complete', { commandId, result: { state: 'running' } });
  expect(JSON.stringify(await cp.ended(command))).not.toContain('"running"');
  expect(cp.session(id).state).toBe('pending');
  expect(cp.violations).toEqual([expect.stringContaining('no status running came before it')]);
  agent.say('status', { sessionId: id, state: 'failed' });
  await cp.state(id, 'failed');
  expect(cp.users.hibernate(id).status).toBe(409);
  expect(cp.users.delete(id).status).toBe(202);
});

test('any status is believed, from any agent; a url needs vncReady and a whole vncPort', async () => {
  const cp = await start();
  await join(cp, 'owner');
  const { session } = cp.users.create(ORDER);
  const id = session?.id ?? '';
  const stranger = await join(cp, 'stranger');
  stranger.say('status', { ...running(id), vncReady: false });
  await cp.state(id, 'running');
  expect(cp.session(id)).not.toHaveProperty('url');
  expect(() => cp.users.open(id)).toThrow('409');
  stranger.say('status', { ...running(id), vncPort: 0, platformMetadata: {} });
  await cp.waitFor(() => cp.session(id).podName === '');
  stranger.say('status', { ...running(id), vncPort: 3000.5 });
  stranger.say('status', running(id));
  await cp.waitFor(() => cp.session(id).url);
  stranger.say('status', { sessionId: id, state: 'dancing' });
  await cp.state(id, 'dancing');
  expect(cp.violations).toHaveLength(5);
});

test('a command is matched on its id and on the agent that answers; unknown ids are harmless', async () => {
  const cp = await start();
  const agent = await join(cp, 'owner');
  const { command } = cp.users.create(ORDER);
  const { commandId } = await agent.command('start_session');
  const stranger = await join(cp, 'stranger');
  stranger.say('failed', { commandId, error: 'not mine' });
  stranger.say('complete', { commandId: 'cmd-00000000' });
  await cp.waitFor(() => cp.heard.of('complete').length === 1);
  expect(command?.status).toBe('sent');
  agent.say('failed', { commandId, error: 'no node' });
  expect(await cp.ended(command)).toMatchObject({ status: 'failed', error: 'no node' });
});

test('what an agent says wrongly is void and listed', async () => {
  const cp = await start();
  const agent = await join(cp);
  const { command } = cp.users.create(ORDER);
  const { commandId } = await agent.command('start_session');
  const cases: [() => void, RegExp][] = [
    [() => agent.raw('{"type":"heartbeat"'), /not one JSON document/],
    [() => agent.raw('{"type":"pong"}\n{"type":"pong"}'), /not one JSON document/],
    [() => agent.say('heartbeat'), /expected object/],
    [() => agent.say('heartbeat', { capacity: { cpu: 64 } }), /capacity.cpu/],
    [() => agent.say('heartbeat', { activeSessions: '3' }), /activeSessions/],
    [() => agent.say('heartbeat', { activeSessions: 1.5 }), /activeSessions/],
    [() => agent.say('pong', {}, { timestamp: '2026-01-15 10:30' }), /timestamp: is not RFC 3339/],
    [() => agent.say('hello', {}), /its type is unknown/],
    [() => agent.say('complete', { commandId }), /was not acknowledged/],
    [() => agent.say('ack', { commandId }), /after its complete/],
    [() => agent.say('failed', { commandId, error: 'x' }), /it was complete before/],
    [() => agent.say('status', { sessionId: 's', state: 'running', vncReady: true, vncPort: 3000 }), /there is no podName/],
    [() => agent.say('status', { sessionId: 's', state: 'running', vncReady: true, vncPort: 3000 }), /nothing has changed/],
  ];
  for (const [say, words] of cases) {
    const before = cp.violations.length;
    say();
    await cp.waitFor(() => cp.violations.slice(before).some((sentence) => words.test(sentence)), `${words}`, 2000);
  }
  expect(command?.status).toBe('failed');
  expect(agent.closed).toBeUndefined();
  agent.raw(`"${'x'.repeat(512 * 1024)}"`);
  expect(await agent.end()).toBe(1009);
  await cp.waitFor(() => cp.violations.some((sentence) => sentence.includes('512 KiB')));
});

test('a heartbeat of {} suffices, sets online whatever it says, and stores capacity', async () => {
  const cp = await start();
  const agent = await join(cp);
  const row = cp.database.agents.get('k8s-test');
  const key = cp.bootstrapKey;
  const beat = (body: unknown) => call(`${cp.url}/api/v1/agents/k8s-test/heartbeat`, key, body);
  expect((await beat({ status: 'draining', activeSessions: 0 })).status).toBe(200);
  expect(row?.status).toBe('draining');
  expect(cp.users.create(ORDER).status).toBe(503);
  agent.say('heartbeat', {});
  await cp.waitFor(() => row?.status === 'online');
  agent.say('heartbeat', { status: 'draining', activeSessions: 3, capacity: { maxSessions: 7, cpu: '1', memory: '1Gi' } });
  await cp.waitFor(() => row?.capacity?.maxSessions === 7);
  expect(row?.status).toBe('online');
  expect(cp.violations).toEqual([]);
  expect((await beat({ status: 'dancing' })).status).toBe(400);
  expect((await call(`${cp.url}/api/v1/agents/nobody/heartbeat`, key, { status: 'online' })).status).toBe(404);
});

test('documents that are queued together leave in one frame, in no order', async () => {
  const cp = await start();
  const agent = await join(cp);
  for (let index = 0; index < 30; index += 1) cp.users.create(ORDER);
  await agent.waitFor(() => agent.commands.length === 30);
  expect(agent.frames.length).toBeLessThan(30);
  const ordered = [...cp.database.commands.keys()];
  expect(agent.commands.map(({ commandId }) => commandId)).not.toEqual(ordered);
  expect(agent.commands.map(({ commandId }) => commandId).sort()).toEqual(ordered.sort());
});

test('one frame per document, in order, where a test asks for it', async () => {
  const cp = await start();
  cp.hub.joins = false;
  cp.dispatcher.order = 'fifo';
  const agent = await join(cp);
  for (let index = 0; index < 30; index += 1) cp.users.create(ORDER);
  await agent.waitFor(() => agent.commands.length === 30);
  expect(agent.frames).toHaveLength(30);
  expect(agent.commands.map(({ commandId }) => commandId)).toEqual([...cp.database.commands.keys()]);
});

test('a frame may be 25 MB', async () => {
  const cp = await start();
  const agent = await join(cp);
  cp.administrator.command('k8s-test', 'start_session', { sessionId: 'big', note: 'x'.repeat(25_000_000) });
  expect((await agent.command('start_session')).payload?.note).toHaveLength(25_000_000);
});

test('a full write queue fails further commands', async () => {
  const cp = await start();
  const agent = await join(cp);
  cp.hub.get('k8s-test')?.stall(true);
  const commands = Array.from({ length: 300 }, () => cp.administrator.command('k8s-test', 'stop_session', {}));
  await cp.waitFor(() => commands.filter(({ status }) => status === 'failed').length === 44);
  cp.hub.get('k8s-test')?.stall(false);
  await agent.waitFor(() => agent.commands.length === 256);
});

test('a late `sent` overwrites a fast answer', async () => {
  const cp = await start({ timings: { sent: 100 } });
  const agent = await join(cp);
  const { command } = cp.users.create(ORDER);
  obey(agent, await agent.command('start_session'));
  await cp.waitFor(() => command?.history.at(-1) === 'sent');
  expect(command?.history).toEqual(['pending', 'ack', 'completed', 'sent']);
});

test('on a fresh database commands stay pending, and sessions work', async () => {
  const cp = await start({ freshDatabase: true });
  const agent = await join(cp);
  const { session, command } = cp.users.create(ORDER);
  obey(agent, await agent.command('start_session'));
  await cp.state(session?.id ?? '', 'running');
  expect(command?.history).toEqual(['pending']);
});

test('batch operations change rows, and no agent hears of it', async () => {
  const cp = await start();
  const agent = await join(cp);
  const ids = ['a', 'b', 'c', 'd'].map((user) => cp.users.create({ ...ORDER, user }).session?.id ?? '');
  await agent.waitFor(() => agent.commands.length === 4);
  for (const command of agent.commands) obey(agent, command);
  await Promise.all(ids.map((id) => cp.state(id, 'running')));
  const [a = '', b = '', c = '', d = ''] = ids;
  cp.users.batch('hibernate', [a, b]);
  cp.users.batch('wake', [b]);
  cp.users.batch('delete', [c]);
  cp.users.batch('terminate', [d, 'nobody']);
  expect([a, b, c].map((id) => cp.session(id).state)).toEqual(['hibernated', 'running', 'terminated']);
  expect(cp.database.sessions.has(d)).toBe(false);
  expect(agent.commands).toHaveLength(4);
});

test('sessions go to the agent that has the fewest, and to one that registered a moment ago without a socket, where they fail', async () => {
  const cp = await start();
  await join(cp, 'first');
  expect(cp.users.create(ORDER).session?.agentID).toBe('first');
  await register(cp, 'early');
  expect(cp.users.create(ORDER).session?.agentID).toBe('first');
  await register(cp, 'early');
  const { status, session } = cp.users.create(ORDER);
  expect({ status, session }).toMatchObject({ status: 503, session: { agentID: 'early', state: 'failed' } });
});

test('a key opens what it opens', async () => {
  const cp = await start();
  const own = cp.administrator.add('owner');
  const other = 'f'.repeat(64);
  expect((await register(cp, 'owner', own)).body).toMatchObject({ agentId: 'owner', status: 'online', approvalStatus: '' });
  expect((await register(cp, 'owner', own)).body).not.toHaveProperty('agent');
  expect((await register(cp, 'owner')).body).toMatchObject({ approvalStatus: 'approved', agent: { approvalStatus: '' } });
  expect((await register(cp, 'owner')).body).not.toHaveProperty('apiKey');
  expect(await register(cp, 'owner', other)).toEqual({ status: 403, body: { error: expect.any(String) } });
  expect((await register(cp, 'stranger', other)).body).toMatchObject({ agentId: 'stranger' });
  expect((await call(`${cp.url}/api/v1/agents/register`, undefined, { agentId: 'owner' })).status).toBe(401);
  expect((await register(cp, 'owner', 'short')).status).toBe(401);
  await expect(dial(cp, 'owner', other)).rejects.toThrow('403');
  await expect(dial(cp, 'owner', 'short')).rejects.toThrow('401');
  await expect(dial(cp, 'stranger')).rejects.toThrow('404');
  const agent = await dial(cp, 'owner', own);
  const rotated = cp.administrator.rotateKey('owner');
  await expect(dial(cp, 'owner', own)).rejects.toThrow('403');
  expect(agent.closed).toBeUndefined();
  cp.registration.tellsKeys = true;
  expect((await register(cp, 'owner')).body.apiKey).toBe(rotated);
  expect(() => cp.administrator.generateKey('owner')).toThrow('409');
});

test('an approval is waited for, or refused, and connect asks nobody', async () => {
  const cp = await start();
  expect(await register(cp, 'k8s-test')).toMatchObject({ status: 202, body: { approvalStatus: 'pending' } });
  await dial(cp, 'k8s-test');
  cp.administrator.reject('k8s-test');
  expect(await register(cp, 'k8s-test')).toMatchObject({ status: 403, body: { approvalStatus: 'rejected' } });
  cp.administrator.approve('k8s-test');
  expect(await register(cp, 'k8s-test')).toMatchObject({ status: 200, body: { approvalStatus: 'approved' } });
  cp.administrator.remove('k8s-test');
  await expect(dial(cp, 'k8s-test')).rejects.toThrow('404');
});

test.each([
  [{ agentId: 'ab' }, { fields: { agentId: expect.any(String) } }],
  [{ agentId: 'a'.repeat(101) }, { fields: { agentId: expect.any(String) } }],
  [{ platform: 'mainframe' }, { fields: { platform: expect.any(String) } }],
  [{ platform: 'docker' }, { details: expect.stringMatching(/platform/) }],
  [{ region: 'x' }, { fields: { region: expect.any(String) } }],
  [{ capacity: { maxSessions: '100' } }, { details: expect.stringMatching(/maxSessions/) }],
  [{ capacity: { maxSessions: 1.5 } }, { details: expect.stringMatching(/maxSessions/) }],
  [{ capacity: { cpu: 64 } }, { details: expect.stringMatching(/cpu/) }],
  [{ metadata: 'none' }, { details: expect.stringMatching(/metadata/) }],
])('a registration with %j is refused', async (more, words) => {
  const cp = await start();
  expect(await register(cp, 'k8s-test', undefined, more)).toEqual({ status: 400, body: { error: 'Invalid request', ...words } });
  expect(cp.violations).toHaveLength(1);
});

test.each(['a--b', 'a#b', 'a/*b', 'a;b', 'a&b', 'a|b', 'a`b', 'a$(b'])('the id %s registers and cannot connect', async (id) => {
  const cp = await start();
  expect((await register(cp, id)).status).toBe(202);
  await expect(dial(cp, id)).rejects.toThrow('400');
});

test('a plain GET of the handshake shows why it is refused', async () => {
  const cp = await start();
  await register(cp, 'k8s-test');
  const get = async (id: string, key: string) =>
    (await fetch(`${cp.url}/api/v1/agents/connect?agent_id=${id}`, { headers: { 'x-agent-api-key': key } })).status;
  expect(await get('k8s-test', 'f'.repeat(64))).toBe(403);
  expect(await get('nobody', cp.bootstrapKey)).toBe(404);
  expect(await get('k8s-test', cp.bootstrapKey)).toBe(400);
});

test('too many requests of one address, all routes together, get 429', async () => {
  const cp = await start({ rate: 2, timings: { rateWindow: 300 } });
  await register(cp, 'k8s-test');
  await dial(cp, 'k8s-test');
  expect(await register(cp, 'k8s-test')).toMatchObject({ status: 429, body: { retryAfter: 60 } });
  await expect(dial(cp, 'k8s-test')).rejects.toThrow('429');
  await expect.poll(() => register(cp, 'k8s-test').then(({ status }) => status), { interval: 350 }).toBe(202);
});

test('ordered faults answer once, and a cut breaks all until it is healed', async () => {
  const cp = await start();
  const agent = await join(cp);
  cp.fail('register', { status: 500, body: { error: 'database' } });
  cp.fail('connect', 'dropped');
  expect((await register(cp, 'k8s-test')).status).toBe(500);
  expect((await register(cp, 'k8s-test')).status).toBe(200);
  await expect(dial(cp, 'k8s-test')).rejects.toThrow('hang up');
  cp.cut();
  expect(await agent.end()).toBe(1006);
  await cp.disconnected('k8s-test');
  await expect(dial(cp, 'k8s-test')).rejects.toThrow();
  cp.heal();
  await dial(cp, 'k8s-test');
});
