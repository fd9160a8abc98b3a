import { describe, expect, test } from 'vitest';
import type { ContactEvent } from '../../../operator/backends/backend.ts';
import { AGENT, endOf, startAdapterRig } from './adapter-rig.ts';

const calm = new AbortController().signal;
const streaming = (contacts: readonly ContactEvent[]) => contacts.filter((event) => event.kind === 'streaming');

test('a heartbeat at open, with true capacity and sessions; then one per beat', async () => {
  const { cp, adapter, sessions, connected, until } = await startAdapterRig();
  sessions.push(
    { sessionID: 'a', state: 'Running', active: true, message: '' },
    { sessionID: 'b', active: true, message: '' },
    { sessionID: 'c', state: 'Hibernated', active: false, message: '' },
  );
  await connected();
  await until(() => cp.heard.of('heartbeat').length === 1);
  expect(cp.heard.of('heartbeat')[0]?.payload).toEqual({
    status: 'online',
    activeSessions: 2,
    capacity: { maxSessions: 100, cpu: '64 cores', memory: '256Gi' },
  });
  await adapter.heartbeat.beat('healthy', calm);
  await adapter.heartbeat.beat('degraded', calm);
  await until(() => cp.heard.of('heartbeat').length === 3);
  expect(cp.heard.requests.map(({ route }) => route)).toEqual(['register', 'connect']);
  expect(cp.violations).toEqual([]);
});

test('the first beat waits for the connection', async () => {
  const { cp, adapter } = await startAdapterRig();
  await adapter.heartbeat.beat('starting', calm);
  expect(cp.hub.get(AGENT)?.open).toBe(true);
});

test('nobody is there: unreachable; a beat waits, and goes out as soon as somebody is', async () => {
  const { cp, adapter, contacts, connected, until } = await startAdapterRig({ reading: false });
  await cp.crash();
  const beat = adapter.heartbeat.beat('starting', calm);
  await expect(adapter.heartbeat.beat('starting', AbortSignal.timeout(50))).rejects.toThrow();
  await until(() => contacts.some((event) => event.kind === 'unreachable' && event.message.includes('ECONNREFUSED')));
  await cp.restart();
  await connected();
  await beat;
  await until(() => contacts.at(-1)?.kind === 'contact');
});

test('the waits grow to the longest and begin anew after a healthy connection', async () => {
  const tuning = { backoff: { first: 0.1, most: 0.8, random: () => 1 }, healthyAfter: 1.1 };
  const { cp, connected, until } = await startAdapterRig({ tuning });
  const dials = () => cp.heard.requests.filter(({ route }) => route === 'connect').map(({ at }) => at);
  const waits = () => dials().map((at, index, all) => (at - (all[index - 1] ?? at)) / 1000);
  cp.fail('connect', { status: 503, body: {} }, 4);
  await connected();
  for (const [index, least] of [0, 0.1, 0.2, 0.4, 0.8].entries()) expect(waits()[index]).toBeGreaterThanOrEqual(least * 0.95);
  const opened = performance.now();
  await until(() => performance.now() - opened > 1200 || void setTimeout(() => cp.heard.changed(), 100));
  cp.fail('connect', { status: 503, body: {} }, 1);
  cp.hub.get(AGENT)?.kill();
  const ended = performance.now();
  await until(() => dials().length === 6);
  expect((dials()[5] ?? 0) - ended).toBeLessThan(750);
});

describe('after the end of a connection it dials first, without registering', () => {
  test('a crash and restart', async () => {
    const { cp, contacts, connected, until } = await startAdapterRig();
    await connected();
    await cp.crash();
    await until(() => contacts.some((event) => event.kind === 'unreachable'));
    await cp.restart();
    await connected();
    expect(cp.heard.requests.filter(({ route }) => route === 'register')).toHaveLength(1);
    expect(streaming(contacts).map((event) => event.open)).toEqual([
      true,
      false,
      ...streaming(contacts)
        .slice(2)
        .map((event) => event.open),
    ]);
  });

  test('many ends in a row', async () => {
    const { cp, connected, until } = await startAdapterRig({ tuning: { healthyAfter: 0 } });
    for (let ends = 0; ends < 20; ends += 1) {
      await connected();
      cp.hub.get(AGENT)?.kill();
      await until(() => cp.heard.sockets.length === ends + 2);
    }
    expect(cp.heard.requests.filter(({ route }) => route === 'register')).toHaveLength(1);
  });

  test('404 at the dial: it registers, and dials', async () => {
    const { cp, contacts, connected, until } = await startAdapterRig({ agent: 'unknown' });
    await until(() => cp.database.agents.get(AGENT));
    cp.administrator.approve(AGENT);
    await connected();
    cp.administrator.remove(AGENT);
    cp.hub.get(AGENT)?.kill();
    await until(() => contacts.filter((event) => event.kind === 'refused').length >= 2);
    cp.administrator.approve(AGENT);
    await until(() => cp.heard.sockets.length === 2);
    await connected();
    const routes = cp.heard.requests.map(({ route, answer }) => `${route} ${answer}`);
    expect(routes.slice(routes.indexOf('connect 404')).slice(0, 2)).toEqual(['connect 404', 'register 202']);
  });

  test.each([
    [400, 'unreachable'],
    [401, 'unauthenticated'],
    [403, 'unauthenticated'],
    [429, 'unreachable'],
    [500, 'unreachable'],
    [503, 'unreachable'],
  ])('a handshake refused with %d is told with its status', async (status, kind) => {
    const { cp, contacts, connected, until } = await startAdapterRig();
    await connected();
    cp.fail('connect', { status, body: {} });
    cp.hub.get(AGENT)?.kill();
    await until(() => cp.heard.sockets.length === 2);
    await connected();
    expect(contacts).toContainEqual({ kind, message: expect.stringContaining(`the handshake was answered ${status}`) });
  });

  test('a key that came while the connection stood does not make the next dial hasty', async () => {
    const { cp, adapter, connected, until } = await startAdapterRig({
      tuning: { backoff: { first: 0.3, most: 0.3, random: () => 1 }, takeover: 0.3 },
    });
    await connected();
    adapter.useKey(cp.administrator.rotateKey(AGENT));
    await until(() => cp.heard.requests.filter(({ route, answer }) => route === 'register' && answer === 200).length === 2);
    cp.hub.get(AGENT)?.kill();
    const ended = performance.now();
    await until(() => cp.heard.sockets.length === 2);
    expect((cp.heard.sockets[1]?.openedAt ?? 0) - ended).toBeGreaterThan(280);
  });

  test.each(['dropped', 'silent'] as const)('a handshake that is %s', async (fault) => {
    const { cp, connected, until } = await startAdapterRig({ tuning: { connection: { handshakeTimeout: 0.1 } } });
    await connected();
    cp.fail('connect', fault);
    cp.hub.get(AGENT)?.kill();
    await until(() => cp.heard.sockets.length === 2);
    await connected();
  });
});

describe('a registration that fails', () => {
  test.each([400, 401, 403, 404, 429, 500, 502])('with %d is tried again', async (status) => {
    const { cp, connected } = await startAdapterRig({ reading: false });
    cp.fail('register', { status, body: { error: 'ordered by the test', ...(status === 429 ? { retryAfter: 0.02 } : {}) } });
    const rig = await startAdapterRig({ settings: { url: cp.url, key: cp.administrator.rotateKey(AGENT) } });
    await cp.connected(AGENT);
    await rig.close();
    expect(connected).toBeDefined();
  });

  test('by a cut, and by an answer that is no JSON', async () => {
    const { cp, until, connected, adapter } = await startAdapterRig({ reading: false });
    cp.fail('register', 'dropped');
    cp.fail('register', { status: 200, body: 'fine' });
    adapter.heartbeat.beat('starting', calm).catch(() => undefined);
    await until(() => cp.heard.requests.filter(({ route }) => route === 'register').length === 3);
    await connected();
  });
});

test('takeover: a second process with the same id ends both, and both come back without growing waits', async () => {
  const tuning = { backoff: { first: 3600, most: 3600, random: () => 1 }, takeover: 0.3 };
  const one = await startAdapterRig({ tuning });
  await one.connected();
  const key = one.cp.database.agents.get(AGENT)?.key ?? '';
  const two = await startAdapterRig({ tuning, settings: { url: one.cp.url, key } });
  await one.until(() => one.cp.heard.sockets.length >= 4);
  expect(streaming(two.contacts).length).toBeGreaterThan(0);
  await two.stop();
  await two.close();
  await one.connected();
});

describe('silence', () => {
  test('a server that neither pings nor answers is left, whatever data it sends', async () => {
    const { cp, contacts, connected, until } = await startAdapterRig({ tuning: { connection: { ping: 0.05, silence: 0.3 } } });
    await connected();
    cp.hub.get(AGENT)?.silence();
    await until(() => cp.heard.sockets.length === 2);
    expect(contacts).toContainEqual({ kind: 'streaming', open: false, message: 'no ping or pong within 0.3 s' });
  });

  test('pings alone keep it: no data for many times the silence', async () => {
    // The server gives up what neither pings nor pongs for 200 ms; here pings go out each 50 ms.
    const { cp, connected, until } = await startAdapterRig({
      server: { timings: { readDeadline: 200, serverPing: 3_600_000 } },
      tuning: { connection: { ping: 0.05, silence: 0.3 } },
    });
    await connected();
    await until(() => (cp.heard.sockets[0]?.pings ?? 0) > 30);
    expect(cp.heard.sockets).toHaveLength(1);
  });

  test('pings of the server alone keep it too', async () => {
    const { cp, connected, until } = await startAdapterRig({
      server: { timings: { serverPing: 50 } },
      tuning: { connection: { ping: 3600, silence: 0.3 } },
    });
    await connected();
    await until(() => (cp.heard.sockets[0]?.pongs ?? 0) > 20);
    expect(cp.heard.sockets).toHaveLength(1);
  });
});

test('a closed socket is told once, not with every failed attempt', async () => {
  const { cp, contacts, connected, until } = await startAdapterRig();
  await connected();
  cp.fail('connect', { status: 503, body: {} }, 5);
  cp.hub.get(AGENT)?.kill();
  await until(() => cp.heard.sockets.length === 2);
  await connected();
  expect(streaming(contacts)).toEqual([
    { kind: 'streaming', open: true },
    { kind: 'streaming', open: false, message: 'closed with code 1006' },
    { kind: 'streaming', open: false, message: 'the handshake was answered 503' },
    { kind: 'streaming', open: true },
  ]);
});

describe('the end', () => {
  test('stopping drains over HTTP, and close ends the socket fully with 1001', async () => {
    const { cp, adapter, stop, close, connected } = await startAdapterRig();
    await connected();
    await stop();
    await adapter.heartbeat.beat('stopping', calm);
    expect(cp.database.agents.get(AGENT)?.status).toBe('draining');
    expect(cp.hub.get(AGENT)?.open).toBe(true);
    await close();
    await cp.waitFor(() => cp.heard.sockets[0]?.closeCode);
    expect(cp.heard.sockets[0]?.closeCode).toBe(1001);
    await expect(adapter.heartbeat.beat('healthy', calm)).rejects.toMatchObject({ status: 0 });
    expect(cp.heard.sockets).toHaveLength(1);
  });

  test('close does not wait for a server that is dead', async () => {
    const { cp, close, connected } = await startAdapterRig();
    await connected();
    cp.hub.get(AGENT)?.silence();
    await close(0.05);
  });

  test('a beat that waits for a connection ends with the close', async () => {
    const { cp, adapter, close } = await startAdapterRig({ reading: false });
    await cp.crash();
    const beat = adapter.heartbeat.beat('starting', calm);
    const refused = expect(beat).rejects.toMatchObject({ name: 'BackendError' });
    await close();
    await refused;
  });

  test('close while nobody answers, while approval is pending, and before anything was tried', async () => {
    const away = await startAdapterRig();
    await away.cp.crash();
    await away.close();
    const pending = await startAdapterRig({ agent: 'unknown', tuning: { waits: { pending: 3600 } } });
    await pending.until(() => pending.contacts.length > 0);
    await pending.close();
    const idle = await startAdapterRig({ reading: false });
    await idle.close();
    expect(idle.cp.heard.requests).toEqual([]);
  });

  test('what was sent before goes out before the close', async () => {
    const { cp, adapter, close, connected } = await startAdapterRig();
    await connected();
    for (let index = 0; index < 100; index += 1) adapter.accepted?.(`c${index}`);
    adapter.reportSession?.({ sessionID: 's', state: 'Hibernated', active: false, message: '' }, calm).catch(() => undefined);
    // Not acknowledged after the close began, but what was said before is.
    await new Promise(setImmediate);
    await close();
    await cp.waitFor(() => cp.heard.of('ack').length === 100 && cp.heard.of('status').length === 1);
  });

  test('shutdown: told, no more work, the socket closed with 1001, no dial until it is made anew', async () => {
    const { cp, adapter, contacts, tasks, close, connected, until } = await startAdapterRig();
    await connected();
    cp.hub.get(AGENT)?.send({ type: 'shutdown', timestamp: new Date().toISOString(), payload: { reason: 'maintenance' } });
    cp.administrator.command(AGENT, 'stop_session', { sessionId: 's' });
    await until(() => cp.heard.sockets[0]?.closedAt);
    expect(cp.heard.sockets[0]?.closeCode).toBe(1001);
    expect(contacts).toContainEqual({ kind: 'refused', reason: 'ShutdownRequested', message: expect.stringContaining('(maintenance)') });
    await expect(adapter.heartbeat.beat('healthy', calm)).rejects.toMatchObject({ status: 0, retryAfter: 3600 });
    await expect(adapter.report(endOf('c1'), calm)).rejects.toMatchObject({ status: 0, retryAfter: 3600 });
    await close();
    const told = contacts.findIndex(({ kind }) => kind === 'refused');
    expect(contacts.slice(told + 1).map(({ kind }) => kind)).toEqual(['streaming']);
    expect(tasks).toEqual([]);
    expect(cp.heard.sockets).toHaveLength(1);
  });
});
