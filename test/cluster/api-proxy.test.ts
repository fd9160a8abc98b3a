import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ApiProxy, startApiProxy } from './api-proxy.ts';
import { kubeconfig } from './kubeconfig.ts';
import { controlPlane } from './shared.ts';
import { waitFor } from './wait-for.ts';

/** Stands for an API server where one has to see what arrives there. */
let server: Server;
let proxy: ApiProxy;
let dir: string;
let agent: Agent;
let arrived: string[];
let watchers: ServerResponse[];

beforeEach(async () => {
  arrived = [];
  watchers = [];
  server = createServer((request, response) => void play(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy = await startApiProxy({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  dir = await mkdtemp(join(tmpdir(), 'api-proxy-'));
  agent = new Agent({ ca: await authorityOf(proxy), keepAlive: true });
});

afterEach(async () => {
  agent.destroy();
  await proxy.close();
  server.closeAllConnections();
  server.close();
  await rm(dir, { recursive: true });
});

async function play(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = '';
  for await (const piece of request) body += piece;
  arrived.push(`${request.method} ${request.url} ${request.headers.authorization ?? ''} ${body}`.trim());
  response.setHeader('content-type', 'application/json');
  if (!request.url?.includes('watch=')) return void response.writeHead(201, { 'x-served': 'yes' }).end(JSON.stringify({ items: [body] }));
  response.flushHeaders();
  watchers.push(response);
}

async function kubeconfigFor(by: ApiProxy, token = 'secret'): Promise<string> {
  const original = join(dir, 'original');
  await writeFile(original, kubeconfig('https://elsewhere', 'ca', 'somebody', { token }));
  return by.kubeconfig(original);
}

async function authorityOf(by: ApiProxy): Promise<Buffer> {
  const { clusters } = JSON.parse(await readFile(await kubeconfigFor(by), 'utf8'));
  expect(clusters[0].cluster.server).toBe(by.url);
  return Buffer.from(clusters[0].cluster['certificate-authority-data'], 'base64');
}

function open(method: string, path: string, body = '') {
  const headers = { authorization: 'Bearer t', ...(body ? { 'content-length': String(body.length) } : {}) };
  const call = httpsRequest(new URL(path, proxy.url), { agent, method, headers });
  const head = new Promise<IncomingMessage>((resolve, reject) => call.once('response', resolve).on('error', reject));
  head.catch(() => undefined);
  call.end(body);
  return { call, head };
}

async function ask(method: string, path: string, body = '') {
  const response = await open(method, path, body).head;
  let text = '';
  for await (const piece of response) text += piece;
  return { status: response.statusCode, headers: response.headers, text };
}

test('requests pass with their bodies and tokens, and are noted in order', async () => {
  expect(await ask('POST', '/api?x=1', 'hello')).toMatchObject({
    status: 201,
    headers: { 'x-served': 'yes' },
    text: '{"items":["hello"]}',
  });
  await ask('GET', '/api');
  expect(arrived).toEqual(['POST /api?x=1 Bearer t hello', 'GET /api Bearer t']);
  expect(proxy.requests).toEqual([
    { method: 'POST', path: '/api?x=1', watch: false, index: 0 },
    { method: 'GET', path: '/api', watch: false, index: 1 },
  ]);
});

test('a watch streams: head, each event and the end come as the server sends them, and the end of the client reaches the server', async () => {
  const watching = open('GET', '/pods?watch=true');
  const response = await watching.head;
  let text = '';
  response.on('data', (piece) => {
    text += piece;
  });
  watchers[0]?.write('{"n":1}\n');
  await waitFor(() => text === '{"n":1}\n');
  watchers[0]?.write('{"n":2}\n');
  await waitFor(() => text.endsWith('{"n":2}\n'));
  watchers[0]?.end();
  await once(response, 'end');
  expect(proxy.requests[0]?.watch).toBe(true);
  const second = open('GET', '/pods?watch=true');
  (await second.head).on('error', () => {});
  second.call.destroy();
  await waitFor(() => watchers[1]?.destroyed);
});

test('answer: the server sees nothing', async () => {
  proxy.fault(({ method }) =>
    method === 'POST' ? { kind: 'answer', status: 429, headers: { 'retry-after': '1' }, body: { a: 1 } } : undefined,
  );
  expect(await ask('POST', '/api', 'x')).toMatchObject({ status: 429, headers: { 'retry-after': '1' }, text: '{"a":1}' });
  expect((await ask('GET', '/api')).status).toBe(201);
  expect(arrived).toEqual(['GET /api Bearer t']);
});

test('before: forwarded after it, but not for a client that is gone', async () => {
  const seen: number[] = [];
  proxy.fault(() => ({ kind: 'before', run: () => void seen.push(arrived.length) }));
  await ask('GET', '/api');
  expect(seen).toEqual([0]);
  const gone = Promise.withResolvers<void>();
  proxy.fault(() => ({
    kind: 'before',
    run: async () => {
      gone.resolve();
      await waitFor(() => late.call.destroyed);
    },
  }));
  const late = open('DELETE', '/late');
  await gone.promise;
  late.call.destroy();
  await expect(late.head).rejects.toThrow();
  proxy.fault(undefined);
  await ask('GET', '/api');
  expect(arrived.map((line) => line.split(' ')[0])).toEqual(['GET', 'GET']);
});

test('after: the server has answered before it, also when the client is gone by then', async () => {
  const seen: number[] = [];
  const kill = Promise.withResolvers<void>();
  proxy.fault(() => ({ kind: 'after', run: () => void seen.push(arrived.length) }));
  expect(await ask('POST', '/api', 'x')).toMatchObject({ status: 201, text: '{"items":["x"]}' });
  const last = open('POST', '/api', 'y');
  proxy.fault(() => ({
    kind: 'after',
    run: () => {
      seen.push(arrived.length);
      last.call.destroy();
      kill.resolve();
    },
  }));
  await kill.promise;
  expect(seen).toEqual([1, 2]);
});

test('drop: the connection is reset, before the server sees the request or after', async () => {
  proxy.fault(() => ({ kind: 'drop', when: 'before' }));
  await expect(ask('POST', '/api', 'x')).rejects.toThrow('ECONNRESET');
  expect(arrived).toEqual([]);
  proxy.fault(() => ({ kind: 'drop', when: 'after' }));
  await expect(ask('POST', '/api', 'y')).rejects.toThrow('ECONNRESET');
  expect(arrived).toHaveLength(1);
});

test('delay: forwarded later', async () => {
  proxy.fault(() => ({ kind: 'delay', milliseconds: 30 }));
  const began = performance.now();
  await ask('GET', '/api');
  // Timers may fire up to a millisecond early.
  expect(performance.now() - began).toBeGreaterThan(28);
});

test('edit: an answer as a whole, a watch line by line', async () => {
  proxy.fault(() => ({ kind: 'edit', body: (text) => (text.includes('secret') ? '' : text.replace('é', 'e')) }));
  expect((await ask('POST', '/api', 'cafe')).text).toBe('{"items":["cafe"]}');
  const response = await open('GET', '/pods?watch=1').head;
  let text = '';
  response.on('data', (piece) => {
    text += piece;
  });
  const bytes = Buffer.from('café\nsecret\nend\n');
  watchers[0]?.write(bytes.subarray(0, 4));
  watchers[0]?.end(bytes.subarray(4));
  await once(response, 'end');
  expect(text).toBe('cafe\nend\n');
});

test('a server that is away resets the client', async () => {
  server.closeAllConnections();
  server.close();
  await expect(ask('GET', '/api')).rejects.toThrow('ECONNRESET');
});

test('a kubeconfig without a token is refused', async () => {
  await expect(kubeconfigFor(proxy, '')).rejects.toThrow('bearer token');
});

test('kubectl works through it', async () => {
  const through = await startApiProxy(controlPlane);
  const file = await through.kubeconfig(await controlPlane.serviceAccountKubeconfig('default', 'default'));
  const { stdout } = await controlPlane.kubectl(['auth', 'whoami', '--output=jsonpath={.status.userInfo.username}'], { kubeconfig: file });
  await through.close();
  expect(stdout).toBe('system:serviceaccount:default:default');
  expect(through.requests.map(({ method, path }) => `${method} ${path}`)).toContain(
    'POST /apis/authentication.k8s.io/v1/selfsubjectreviews',
  );
});
