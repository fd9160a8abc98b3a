import { expect, test } from 'vitest';
import { createAuthority } from '../../cluster/certificates.ts';
import { dial, join, obey, type RawAgent, register, running } from './raw-agent.ts';
import type { StreamSpaceControlPlane } from './server.ts';
import { startForTest as start } from './start-for-test.ts';

const ORDER = { user: 'admin', template: 'firefox' };

/** A session that runs. */
async function ready(cp: StreamSpaceControlPlane, agent: RawAgent, user = 'admin'): Promise<string> {
  const before = agent.commands.length;
  const { session } = cp.users.create({ ...ORDER, user });
  const id = session?.id ?? '';
  await agent.waitFor(() => agent.commands.length > before);
  obey(agent, agent.commands.at(-1) ?? {});
  await cp.state(id, 'running');
  return id;
}

test('an id that connects twice loses both sockets within 5 ms of each other, and the next dial works', async () => {
  const cp = await start();
  const first = await join(cp);
  const second = await dial(cp, 'k8s-test');
  expect(await Promise.all([first.end(), second.end()])).toEqual([1006, 1006]);
  const [one = 0, two = 0] = cp.heard.sockets.map(({ closedAt }) => closedAt);
  expect(two - one).toBeLessThan(50);
  await cp.waitFor(() => cp.database.agents.get('k8s-test')?.status === 'offline' && cp.hub.settled);
  const third = await dial(cp, 'k8s-test');
  await cp.connected('k8s-test');
  third.say('heartbeat', {});
  await cp.waitFor(() => cp.heard.of('heartbeat').length === 1);
  expect(third.closed).toBeUndefined();
});

test('data do not extend the read deadline, a ping does, and so does the pong to a ping of the server', async () => {
  const cp = await start({ timings: { readDeadline: 400 } });
  const talks = await join(cp, 'talks');
  const pings = await join(cp, 'pings');
  const turn = setInterval(() => {
    if (talks.closed === undefined) talks.say('heartbeat', {});
    if (pings.closed === undefined) pings.ping();
  }, 40);
  expect(await talks.end()).toBe(1006);
  clearInterval(turn);
  expect(pings.closed).toBeUndefined();
  expect(await pings.end()).toBe(1006);
  const ponging = await start({ timings: { readDeadline: 400, serverPing: 60 } });
  const pongs = await join(ponging, 'pongs');
  await pongs.waitFor(() => pongs.pings >= 12);
  expect(pongs.closed).toBeUndefined();
  const mute = await start({ timings: { readDeadline: 400, serverPing: 60 } });
  await register(mute, 'mute');
  expect(await (await dial(mute, 'mute', mute.bootstrapKey, false)).end()).toBe(1006);
});

test('an agent without valid heartbeats is closed by the stale check', async () => {
  const cp = await start({ timings: { staleCheck: 50, staleAfter: 400 } });
  const agent = await join(cp);
  const turn = setInterval(() => agent.closed === undefined && agent.say('heartbeat', { activeSessions: 'three' }), 40);
  expect(await agent.end()).toBe(1006);
  clearInterval(turn);
  expect(cp.heard.log).toEqual(['k8s-test is stale']);
});

test('nothing is delivered again; while the agent is away commands fail and sessions stay where they are', async () => {
  const cp = await start();
  const agent = await join(cp);
  const [hibernates, deletes] = [await ready(cp, agent), await ready(cp, agent)];
  agent.close();
  await cp.disconnected('k8s-test');
  const asked = [cp.users.hibernate(hibernates), cp.users.delete(deletes)];
  expect(asked.map(({ status }) => status)).toEqual([202, 202]);
  expect(cp.users.create(ORDER)).toEqual({ status: 503 });
  await Promise.all(asked.map(({ command }) => cp.ended(command)));
  expect(asked.map(({ command }) => command?.status)).toEqual(['failed', 'failed']);
  const back = await dial(cp, 'k8s-test');
  await cp.connected('k8s-test');
  cp.administrator.command('k8s-test', 'wake_session', {});
  await back.command('wake_session');
  expect(back.commands).toHaveLength(1);
  expect([hibernates, deletes].map((id) => cp.session(id).state)).toEqual(['hibernating', 'terminating']);
  back.say('status', running(hibernates));
  await cp.state(hibernates, 'running');
});

test.each([
  [false, 'failed'],
  [true, 'sent'],
])('a crash (with Redis: %s) leaves pending commands %s, and the database stays', async (lose, status) => {
  const cp = await start();
  const { url } = cp;
  const agent = await join(cp);
  const id = await ready(cp, agent);
  cp.dispatcher.hold(true);
  const { command } = cp.users.hibernate(id);
  await cp.crash();
  expect(await agent.end()).toBe(1006);
  await expect(dial(cp, 'k8s-test')).rejects.toThrow('ECONNREFUSED');
  await cp.restart({ lose });
  cp.dispatcher.hold(false);
  expect(cp.url).toBe(url);
  expect(command?.status).toBe(status);
  expect(cp.session(id).state).toBe('hibernating');
  const back = await dial(cp, 'k8s-test');
  await cp.connected('k8s-test');
  cp.administrator.command('k8s-test', 'wake_session', {});
  await back.command('wake_session');
  expect(back.commands).toHaveLength(1);
});

test('a stop that is lost is repeated until a status comes; pending for long is logged only', async () => {
  const cp = await start({ timings: { reconcile: 50, stuckAfter: 200 } });
  const agent = await join(cp);
  const id = await ready(cp, agent);
  const { session } = cp.users.create({ ...ORDER, user: 'waits' });
  cp.users.delete(id);
  await agent.waitFor(() => agent.commands.filter(({ action }) => action === 'stop_session').length >= 3);
  const [, repeated, again] = agent.commands.filter(({ action }) => action === 'stop_session');
  expect(repeated?.payload).toEqual({ sessionId: id, deletePVC: false });
  expect(again?.commandId).not.toBe(repeated?.commandId);
  agent.say('status', { sessionId: id, state: 'terminated' });
  await cp.state(id, 'terminated');
  await cp.waitFor(() => cp.heard.log.some((line) => line.includes(session?.id ?? '?')));
  expect(session?.state).toBe('pending');
});

test('an agent that is away for long loses what is terminating or pending', async () => {
  const cp = await start({ timings: { reconcile: 50, awayAfter: 200 } });
  const agent = await join(cp);
  const [stays, goes] = [await ready(cp, agent), await ready(cp, agent)];
  const pending = cp.users.create(ORDER).session?.id ?? '';
  agent.close();
  await cp.disconnected('k8s-test');
  cp.users.delete(goes);
  await Promise.all([cp.state(goes, 'terminated'), cp.state(pending, 'failed')]);
  expect(cp.session(stays).state).toBe('running');
});

test('a browser reads and writes as it is; what no browser reads waits, 256 messages of it', async () => {
  const cp = await start();
  const agent = await join(cp);
  const id = await ready(cp, agent);
  for (let index = 0; index < 300; index += 1) agent.say('vnc_data', { sessionId: id, data: `d${index}` });
  await cp.waitFor(() => cp.heard.of('vnc_data').length === 300);
  const browser = cp.users.open(id);
  expect(browser.received).toHaveLength(256);
  agent.say('vnc_ready', { sessionId: id, vncPort: 3000 });
  browser.send('UkZC');
  browser.send(Buffer.from([0xff, 0x00]));
  const data = () => agent.received.filter(({ type }) => type === 'vnc_data').map(({ payload }) => payload.data);
  await agent.waitFor(() => data().length === 2);
  expect(data()).toEqual(['UkZC', '\ufffd\u0000']);
  browser.detach();
  await agent.waitFor(() => agent.received.some(({ type }) => type === 'vnc_close'));
  expect(agent.received.at(-1)?.payload).toEqual({ sessionId: id, reason: 'client_disconnect' });
  agent.say('vnc_error', { sessionId: id, error: 'no tunnel' });
  await cp.waitFor(() => cp.heard.of('vnc_error').length === 1);
  expect(cp.users.open(id).closed).toBe('no tunnel');
  expect(cp.violations).toEqual([]);
});

test('parallel VNC sessions of one agent lose data, and a browser over a reconnect hangs', async () => {
  const cp = await start();
  const agent = await join(cp);
  const [one, two] = [await ready(cp, agent), await ready(cp, agent)];
  const [first, second] = [cp.users.open(one), cp.users.open(two)];
  for (let index = 0; index < 50; index += 1) agent.say('vnc_data', { sessionId: one, data: 'x' });
  await cp.waitFor(() => cp.heard.of('vnc_data').length === 50);
  expect(first.received.length).toBeLessThan(50);
  expect(second.received).toEqual([]);
  second.detach();
  agent.close();
  await cp.disconnected('k8s-test');
  expect(() => cp.users.open(two)).toThrow('503');
  const back = await dial(cp, 'k8s-test');
  const seen = first.received.length;
  back.say('vnc_data', { sessionId: one, data: 'y' });
  await cp.waitFor(() => cp.heard.of('vnc_data').length === 51);
  expect(first.received).toHaveLength(seen);
  expect(cp.users.open(one).received).toEqual(['y']);
});

test('over TLS a certificate of the agent authority stands for a key', async () => {
  const authority = createAuthority('agents');
  const { cert, key } = authority.server(['localhost'], ['127.0.0.1']);
  const cp = await start({ tls: { cert, key, agentCA: authority.cert } });
  cp.administrator.add('k8s-test');
  const { Agent, fetch } = await import('undici');
  const get = async (client: { cert?: string; key?: string }, id: string) => {
    const dispatcher = new Agent({ connect: { ca: authority.cert, ...client } });
    const answer = await fetch(`${cp.url}/api/v1/agents/connect?agent_id=${id}`, { dispatcher });
    await answer.text();
    await dispatcher.close();
    return answer.status;
  };
  expect(cp.url).toMatch(/^https:/);
  // 400: it passed, and is no handshake.
  expect(await get(authority.client('k8s-test'), 'k8s-test')).toBe(400);
  expect(await get(authority.client('k8s-test'), 'another')).toBe(403);
  expect(await get(authority.client('nobody'), 'k8s-test')).toBe(401);
  expect(await get(createAuthority('others').client('k8s-test'), 'k8s-test')).toBe(401);
  expect(await get({}, 'k8s-test')).toBe(401);
});

test('a connection that is silenced stays open and dead, and a write that nobody takes ends it', async () => {
  const cp = await start({ timings: { readDeadline: 500, writeDeadline: 100 } });
  const silent = await join(cp, 'silent');
  cp.hub.get('silent')?.silence();
  for (let index = 0; index < 5; index += 1) silent.ping();
  expect(await silent.end()).toBe(1006);
  expect(cp.heard.sockets[0]?.pings).toBe(0);
  const deaf = await join(cp, 'deaf');
  deaf.deafen();
  // More than the buffers of both ends hold.
  cp.hub.get('deaf')?.sendRaw('x'.repeat(50_000_000));
  await cp.disconnected('deaf');
});

test('shutdown and ping can be sent, although the real one never does', async () => {
  const cp = await start();
  const agent = await join(cp);
  cp.hub.get('k8s-test')?.send({ type: 'ping', payload: { timestamp: '2026-01-15T10:30:00Z' } });
  cp.hub.get('k8s-test')?.send({ type: 'shutdown', payload: { reason: 'maintenance' } });
  await agent.waitFor(() => agent.received.length === 2);
  agent.say('pong');
  await cp.waitFor(() => cp.heard.of('pong').length === 1);
  expect(cp.violations).toEqual([]);
});
