import { getEventListeners } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { ApiError, ApiUnreachable } from '../../operator/kube/error.ts';
import { parseRefusal } from '../../operator/kube/refusal.ts';
import { CONFIG_MAPS, NODES, PODS } from '../../operator/kube/resources.ts';
import { startFaultProxy } from '../cluster/fault-proxy.ts';
import { controlPlane, tenant } from '../cluster/shared.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { startBlackHole } from './black-hole.ts';
import { clientOf, clientOfConfig } from './clients.ts';
import { json, plainConfig, startStub } from './stub-server.ts';

const { signal } = new AbortController();

const status = (more: object) => JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', ...more });

test.each<[string, [number, string | string[] | undefined, string], Partial<ApiError>]>([
  [
    'a Status',
    [404, undefined, status({ reason: 'NotFound', message: 'nodes "a" not found', code: 404 })],
    { reason: 'NotFound', message: 'nodes "a" not found', causes: [], retryAfter: undefined },
  ],
  [
    'a refused eviction with its cause',
    [
      429,
      undefined,
      status({
        reason: 'TooManyRequests',
        message: 'Cannot evict pod',
        details: { retryAfterSeconds: 10, causes: [{ reason: 'DisruptionBudget', message: 'The disruption budget web needs 1' }] },
      }),
    ],
    { retryAfter: 10, causes: [{ reason: 'DisruptionBudget', message: 'The disruption budget web needs 1' }] },
  ],
  ['the header before the details', [429, '3', status({ details: { retryAfterSeconds: 10 } })], { retryAfter: 3 }],
  ['the first of many headers', [503, ['4', '9'], ''], { retryAfter: 4, message: 'Service Unavailable' }],
  ['zero seconds of the details as not said', [500, undefined, status({ details: { retryAfterSeconds: 0 } })], { retryAfter: undefined }],
  ['a date', [503, 'Sun, 06 Nov 1994 08:49:37 GMT', 'x'], { retryAfter: 0 }],
  ['nonsense as not said', [503, 'soon', 'x'], { retryAfter: undefined }],
  [
    'plain text of priority and fairness',
    [429, '1', 'Too many requests, please try again later.\n'],
    { reason: '', message: 'Too many requests, please try again later.', retryAfter: 1 },
  ],
  ['an empty body', [502, undefined, ''], { message: 'Bad Gateway' }],
  ['a status without a name', [599, undefined, ''], { message: 'HTTP 599' }],
  ['a Status without a message', [409, undefined, status({ reason: 'Conflict' })], { reason: 'Conflict', message: 'Conflict' }],
  ['JSON that is no Status', [500, undefined, '{"error":"x"}'], { reason: '', message: '{"error":"x"}' }],
  ['JSON null', [500, undefined, 'null'], { message: 'null' }],
  ['a long page of a proxy', [502, undefined, `<html>${'x'.repeat(9000)}`], { message: `<html>${'x'.repeat(494)}` }],
])('a refusal is read: %s', (_, args, expected) => {
  const [code, retryAfter, text] = args;
  const error = parseRefusal(code, { 'retry-after': retryAfter as string }, text);
  expect(error).toBeInstanceOf(ApiError);
  expect(error.status).toBe(code);
  expect({ reason: error.reason, message: error.message, causes: error.causes, retryAfter: error.retryAfter }).toMatchObject(expected);
});

test('calls say what they are', async () => {
  const { client, heard } = await startStub((_, response) => json(response, 200, { kind: 'Pod' }));
  const ref = { resource: PODS, namespace: 'shop', name: 'web-1' };
  await client.list(PODS, 'shop', { limit: 5, continue: undefined, labelSelector: 'a=b', fieldSelector: '' }, signal);
  await client.list(NODES, 'ignored', {}, signal);
  await client.create(PODS, 'shop', { a: 1 }, signal);
  await client.patch(ref, 'merge', { a: null }, signal);
  await client.patch(ref, 'json', [], signal);
  await client.patch(ref, 'apply', {}, signal, { subresource: 'status', query: { force: true } });
  await client.post(ref, 'eviction', {}, signal);
  await client.delete(ref, { preconditions: { uid: 'u' } }, signal);
  const said = heard.map(({ method, path, query, headers, body }) => [method, path, query, headers['content-type'], body]);
  const pod = '/api/v1/namespaces/shop/pods/web-1';
  expect(said).toEqual([
    ['GET', '/api/v1/namespaces/shop/pods', { limit: '5', labelSelector: 'a=b' }, undefined, ''],
    ['GET', '/api/v1/nodes', {}, undefined, ''],
    ['POST', '/api/v1/namespaces/shop/pods', {}, 'application/json', '{"a":1}'],
    ['PATCH', pod, {}, 'application/merge-patch+json', '{"a":null}'],
    ['PATCH', pod, {}, 'application/json-patch+json', '[]'],
    ['PATCH', `${pod}/status`, { force: 'true' }, 'application/apply-patch+yaml', '{}'],
    ['POST', `${pod}/eviction`, {}, 'application/json', '{}'],
    ['DELETE', pod, {}, 'application/json', '{"apiVersion":"v1","kind":"DeleteOptions","preconditions":{"uid":"u"}}'],
  ]);
  expect(heard.every(({ headers }) => headers['user-agent'] === 'cloudoptim-operator' && headers.accept === 'application/json')).toBe(true);
});

test('text that is no JSON is returned as it is', async () => {
  const { client } = await startStub((_, response) => response.end('[+]ping ok\n'));
  expect(await client.read('/readyz?verbose', signal)).toBe('[+]ping ok\n');
});

test.each<[string, Parameters<typeof startStub>[0]]>([
  ['half an answer', (_, response) => response.writeHead(200, { 'content-length': '100' }).write('{"a":', () => response.destroy())],
  ['JSON that is cut short', (_, response) => response.end('{"a":')],
  ['no answer', (_, response) => response.destroy()],
])('%s is unreachable: what became of the call is unknown', async (_, answer) => {
  const { client } = await startStub(answer);
  await expect(client.read('/x', signal)).rejects.toThrow(ApiUnreachable);
  await expect(client.read('/x', signal)).rejects.toThrow(/^GET \/x: ./);
});

test('a server that is away is unreachable, for calls and for watches', async () => {
  const { url, close } = await startStub(() => {});
  close();
  const client = clientOfConfig(plainConfig(url));
  await expect(client.read('/x', signal)).rejects.toThrow(/^GET \/x: .*ECONNREFUSED/);
  const watch = client.watch(NODES, undefined, {}, signal);
  await expect(watch).rejects.toThrow(ApiUnreachable);
  await expect(watch).rejects.toThrow(/^GET \/api\/v1\/nodes: .*ECONNREFUSED/);
});

test.each<[string, Parameters<typeof startStub>[0]]>([
  ['never begins', () => {}],
  ['never ends', (_, response) => response.writeHead(200).write('{"a":')],
])('an answer that %s times out as unreachable', async (_, answer) => {
  const { client } = await startStub(answer, 0.2);
  await expect(client.read('/x', signal)).rejects.toThrow(new ApiUnreachable('GET /x: no answer within 0.2 s'));
});

test.each<[string, Parameters<typeof startStub>[0]]>([
  ['that waits for its answer', () => {}],
  ['in the middle of its answer', (_, response) => response.writeHead(200).write('{"a":')],
])('a call %s ends with the reason of its signal', async (_, answer) => {
  const stop = new AbortController();
  const reason = new Error('stopping');
  const { client } = await startStub((call, response) => {
    answer(call, response);
    setImmediate(() => stop.abort(reason));
  });
  await expect(client.read('/x', stop.signal)).rejects.toBe(reason);
  await expect(client.read('/x', stop.signal)).rejects.toBe(reason);
  await expect(client.watch(NODES, undefined, {}, stop.signal)).rejects.toBe(reason);
});

test('a call ends with its signal while the connection is still being made', async () => {
  const proxy = await startFaultProxy({ host: '127.0.0.1', port: controlPlane.port });
  onTestFinished(() => proxy.close());
  proxy.freeze();
  const client = clientOf(controlPlane, proxy.url);
  const before = performance.now();
  await expect(client.read('/version', AbortSignal.timeout(100))).rejects.toThrow(/timeout/);
  expect(performance.now() - before).toBeLessThan(2000);
});

test('a watch whose request is refused throws the refusal', async () => {
  const { client } = await startStub((_, response) => json(response, 403, { kind: 'Status', reason: 'Forbidden', message: 'no' }));
  await expect(client.watch(NODES, undefined, {}, signal)).rejects.toMatchObject({ status: 403, reason: 'Forbidden', message: 'no' });
});

test('calls leave nothing behind at a signal that lives long', async () => {
  const { client } = await startStub((_, response) => json(response, 200, {}));
  const stop = new AbortController();
  for (let n = 0; n < 20; n++) await client.read('/x', stop.signal);
  expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
});

test('many calls share few connections, and watches do not use up those of requests (FIELD.md P10)', async () => {
  const proxy = await startFaultProxy({ host: '127.0.0.1', port: controlPlane.port });
  onTestFinished(() => proxy.close());
  const client = clientOf(controlPlane, proxy.url);
  for (let n = 0; n < 100; n++) await client.read('/version', signal);
  expect(proxy.connections()).toBeLessThanOrEqual(2);
  await Promise.all(Array.from({ length: 500 }, () => client.read('/version', signal)));
  expect(proxy.connections()).toBeLessThanOrEqual(24);
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  await Promise.all(Array.from({ length: 30 }, () => client.watch(CONFIG_MAPS, 'default', {}, stop.signal)));
  expect(proxy.connections()).toBeLessThanOrEqual(24 + 30);
  await client.read('/version', signal);
});

test('a connection that died unnoticed costs one time-out, and the next call goes through', async () => {
  const hole = await startBlackHole(controlPlane.port);
  onTestFinished(() => hole.close());
  const client = clientOf(controlPlane, hole.url, 3);
  // Fills the pool, so that all later calls go down connections that are there.
  await Promise.all(Array.from({ length: 100 }, () => client.read('/version', signal)));
  hole.swallow();
  await expect(client.read('/version', signal)).rejects.toThrow('no answer within 3 s');
  expect(await client.read('/version', signal)).toHaveProperty('gitVersion');
});

test('idle connections that were cut are not used again', async () => {
  const proxy = await startFaultProxy({ host: '127.0.0.1', port: controlPlane.port });
  onTestFinished(() => proxy.close());
  const client = clientOf(controlPlane, proxy.url);
  await Promise.all(Array.from({ length: 10 }, () => client.read('/version', signal)));
  proxy.cut();
  await waitFor(() => proxy.connections() === 0);
  for (let n = 0; n < 10; n++) expect(await client.read('/version', signal)).toHaveProperty('gitVersion');
});

test('a real server is spoken to in all ways', async () => {
  const { namespace } = await tenant('client');
  const client = clientOf(controlPlane);
  const ref = { resource: CONFIG_MAPS, namespace, name: 'a' };
  const made = await client.create(CONFIG_MAPS, namespace, { metadata: { name: 'a' }, data: { x: '1' } }, signal);
  await expect(client.create(CONFIG_MAPS, namespace, { metadata: { name: 'a' } }, signal)).rejects.toMatchObject({
    reason: 'AlreadyExists',
  });
  await client.patch(ref, 'json', [{ op: 'add', path: '/data/y', value: '2' }], signal);
  await client.patch(ref, 'merge', { data: { x: null } }, signal);
  const apply = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { z: '3' } };
  await client.patch(ref, 'apply', apply, signal, { query: { fieldManager: 'test' } });
  expect(await client.get(ref, signal)).toMatchObject({ data: { y: '2', z: '3' }, metadata: { uid: made.metadata.uid } });
  await expect(client.delete(ref, { preconditions: { uid: 'another' } }, signal)).rejects.toMatchObject({ status: 409 });
  await client.delete(ref, { preconditions: { uid: made.metadata.uid } }, signal);
  await expect(client.get(ref, signal)).rejects.toMatchObject({ status: 404, reason: 'NotFound' });
});
