import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { calm, makeReport, startRig } from './rig.ts';

test('a rotated key stops the intake until useKey, which reconnects the socket and polls at once', async () => {
  const { backend, adapter, contacts, connected, until } = await startRig({ tuning: { refusedRetry: 600 } });
  await connected();
  backend.setKey('the-second-key');
  await until(() => contacts.some((event) => event.kind === 'unauthenticated'));
  const polls = backend.heard.polls.length;
  backend.addTask({ task_id: 't2', task_type: 'cordon_node', parameters: { node_name: 'w1' } });
  adapter.useKey('the-second-key\n');
  await until(() => backend.heard.polls.length > polls && backend.stream.size === 1);
  expect(await adapter.report(makeReport(), calm)).toEqual({ taken: true });
  expect(backend.violations).toEqual([]);
});

test('a replaced key moves an open socket at once; the same key again moves nothing', async () => {
  const { backend, adapter, connected, until } = await startRig();
  await connected();
  adapter.useKey(backend.key);
  backend.pushTask({ task_id: 't1', task_type: 'cordon_node', parameters: { node_name: 'w1' } });
  expect(backend.heard.sockets).toHaveLength(1);
  adapter.useKey('third-key');
  await until(() => backend.heard.sockets[0]?.closeCode === 1001);
});

test.each([undefined, '', ' \n', 'two words', 'schlüssel'])('without a usable key (%j) nothing is sent until one comes', async (key) => {
  const { backend, adapter, contacts, until } = await startRig({ settings: { key: key as string }, tuning: { refusedRetry: 600 } });
  await until(() => contacts.find((event) => event.kind === 'unauthenticated'));
  expect(backend.heard.requests).toEqual([]);
  await expect(adapter.heartbeat.beat('starting', calm)).rejects.toMatchObject({ status: 401 });
  adapter.useKey(backend.key);
  await until(() => backend.heard.polls.length > 0 && backend.stream.size === 1);
});

test('the key stands in no error, condition, URL or inspected object, even when the backend repeats it', async () => {
  const { backend, adapter, contacts, until } = await startRig({ tuning: { refusedRetry: 0.01 } });
  const body = { error: { code: 'bad', message: `key ${backend.key}\nis \u0007 wrong` } };
  backend.fail('any', { kind: 'status', status: 401, body }, 4);
  const error = await adapter.report(makeReport(), calm).catch((thrown: unknown) => thrown);
  await until(() => contacts.find((event) => event.kind === 'unauthenticated'));
  const all = inspect([error, contacts, adapter], { depth: 12, showHidden: true }) + JSON.stringify([contacts, adapter]);
  expect(all).toContain('key [key] is wrong');
  expect(all).not.toContain(backend.key);
  expect(backend.violations).toEqual([]);
});
