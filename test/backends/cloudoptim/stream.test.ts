import { describe, expect, test } from 'vitest';
import { startRig } from './rig.ts';
import type { FrameForm } from './stream.ts';

const cordon = { task_id: 't1', task_type: 'cordon_node', parameters: { node_name: 'w1' } };
/** Polls that would hide what the socket does. */
const settings = { intervals: { poll: 600, metrics: 60, heartbeat: 30 } };

describe('a task pushed over the socket appears in every accepted form', () => {
  const forms: FrameForm[] = ['bare', 'array', 'tasks', 'task', 'command', 'action_command', 'inline'];
  test.each(forms)('%s', async (form) => {
    const { backend, tasks, connected, until } = await startRig({ settings });
    await connected();
    backend.pushTask(cordon, { form });
    expect(await until(() => tasks[0])).toMatchObject({ id: 't1', action: 'Cordon', params: { nodeName: 'w1' } });
    expect(tasks).toHaveLength(1);
    expect(backend.violations).toEqual([]);
  });

  test('an item inline in a frame of an unknown type, if it names its task type', async () => {
    const { backend, tasks, connected, until } = await startRig({ settings });
    await connected();
    backend.stream.send(JSON.stringify({ type: 'urgent', ...cordon }));
    await until(() => tasks.length === 1);
  });
});

test('a ping frame is answered by a pong frame', async () => {
  const { backend, connected, until } = await startRig({ settings });
  await connected();
  backend.stream.send('{"type":"ping"}');
  expect(await until(() => backend.heard.sockets[0]?.frames[0])).toBe('{"type":"pong"}');
});

test('garbage is observed or ignored, and the connection goes on', async () => {
  const { backend, tasks, contacts, connected, until } = await startRig({ settings });
  await connected();
  for (const frame of ['no JSON', '5', '{"type":"weather","id":"x"}', '{"type":"pong"}', '[3]', Buffer.from([0xff, 0xfe])])
    backend.stream.send(frame);
  backend.pushTask(cordon);
  await until(() => tasks.length === 1);
  expect(contacts.flatMap((event) => (event.kind === 'malformed' ? [event.message] : []))).toEqual([
    'a frame of 7 characters is not JSON',
    'a frame is neither an object nor a list',
    'In a frame: an item is a number',
    'a frame of 2 characters is not JSON',
  ]);
  expect(backend.heard.sockets).toHaveLength(1);
});

describe('the socket comes back after', () => {
  test.each([1000, 1001, 1006, 1011])('a close with code %d', async (code) => {
    const { backend, tasks, connected, until } = await startRig({ settings });
    await connected();
    backend.stream.closeAll(code);
    await until(() => backend.heard.sockets.length === 2);
    backend.pushTask(cordon);
    await until(() => tasks.length === 1);
  });

  test('a silent death: no pong, no close', async () => {
    const { backend, contacts, until } = await startRig({
      settings,
      tuning: { socket: { ping: 0.02, pongTimeout: 0.03 }, backoff: { first: 0.01, most: 0.01 } },
    });
    await until(() => (backend.heard.sockets[0]?.pings ?? 0) >= 2);
    backend.stream.silence();
    await until(() => backend.heard.sockets.length === 2);
    expect(contacts).toContainEqual({ kind: 'streaming', open: false, message: 'no pong within 0.03 s' });
  });

  test('a message above the limit', async () => {
    const { backend, contacts, connected, until } = await startRig({
      settings,
      tuning: { socket: { maxPayload: 1000 }, backoff: { first: 0.01, most: 0.01 } },
    });
    await connected();
    backend.stream.send('x'.repeat(1001));
    await until(() => backend.heard.sockets.length === 2);
    expect(contacts).toContainEqual({ kind: 'streaming', open: false, message: expect.stringContaining('Max payload size exceeded') });
  });

  test.each([301, 401, 403, 404, 500, 503])('a handshake answered %d', async (status) => {
    const { backend, contacts, connected } = await startRig({ settings, tuning: { refusedRetry: 0.01 } });
    backend.fail('stream', { kind: 'status', status, location: 'http://127.0.0.1:1/' });
    await connected();
    expect(contacts.filter((event) => event.kind === 'streaming')).toEqual([
      { kind: 'streaming', open: false, message: `the handshake was answered ${status}` },
      { kind: 'streaming', open: true },
    ]);
    // Polls decide whether the key is good: a proxy that refuses upgrades must not stop the intake.
    expect(contacts.map((event) => event.kind)).not.toContain('unauthenticated');
  });

  test('many ends in a row, quickly if each connection was stable', async () => {
    const backoff = { first: 0.001, most: 60, random: () => 1 };
    const { backend, until, connected } = await startRig({ settings, tuning: { backoff, socket: { stableAfter: 0 } } });
    for (let ends = 0; ends < 20; ends += 1) {
      await connected();
      backend.stream.closeAll(1001);
      await until(() => backend.heard.sockets.length === ends + 2);
    }
  });

  test('a handshake that is dropped or never answered', async () => {
    const { backend, contacts, connected, until } = await startRig({
      settings,
      tuning: { socket: { handshakeTimeout: 0.05 }, backoff: { first: 0.01, most: 0.01 } },
    });
    await connected();
    backend.fail('stream', { kind: 'drop' });
    backend.fail('stream', { kind: 'silent' });
    backend.stream.closeAll(1006);
    await until(() => backend.heard.sockets.length === 2);
    expect(contacts).toContainEqual({ kind: 'streaming', open: false, message: 'Opening handshake has timed out' });
  });
});

test('a closed socket is told once, not with every failed attempt', async () => {
  const { backend, contacts, connected, until } = await startRig({ settings, tuning: { backoff: { first: 0.005, most: 0.005 } } });
  await connected();
  const refused = backend.fail('stream', { kind: 'status', status: 500 }, Number.POSITIVE_INFINITY);
  backend.stream.closeAll(1001);
  await until(() => refused.hits >= 5);
  expect(contacts.filter((event) => event.kind === 'streaming')).toEqual([
    { kind: 'streaming', open: true },
    { kind: 'streaming', open: false, message: 'closed with code 1001' },
    { kind: 'streaming', open: false, message: 'the handshake was answered 500' },
  ]);
});

test('a reader that is slow loses nothing: the socket waits', async () => {
  const { backend, adapter, connected } = await startRig({ settings, reading: false });
  const stop = new AbortController();
  const reader = adapter.tasks(stop.signal)[Symbol.asyncIterator]();
  const first = reader.next();
  await connected();
  const all = Array.from({ length: 5000 }, (_, index) => `t${index}`);
  for (const task_id of all) backend.pushTask({ ...cordon, task_id });
  const seen: string[] = [];
  for (let result = await first; ; result = await reader.next()) {
    if (result.done === true) break;
    seen.push(result.value.id);
    if (seen.length === all.length) stop.abort();
  }
  expect(seen).toEqual(all);
});

test('tasks() ends with its signal, closes the socket and leaves no poll behind', async () => {
  const { backend, stop, connected, until } = await startRig();
  await connected();
  await stop();
  await until(() => backend.heard.sockets[0]?.closeCode === 1001);
  const polls = backend.heard.requests.length;
  await new Promise(setImmediate);
  expect(backend.heard.requests.length).toBe(polls);
});

test('tasks() that is left early, or whose signal has ended before, leaves nothing running', async () => {
  const { backend, adapter, until } = await startRig({ reading: false });
  const ended = AbortSignal.abort();
  for await (const task of adapter.tasks(ended)) throw new Error(`unexpected ${task.id}`);
  expect(backend.heard.requests).toEqual([]);
  backend.addTask(cordon);
  for await (const task of adapter.tasks(new AbortController().signal)) {
    expect(task.id).toBe('t1');
    break;
  }
  await until(() => backend.stream.size === 0);
});
