import { once } from 'node:events';
import { connect } from 'node:net';
import { Gauge, Registry } from 'prom-client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HealthServer, type Part } from '../../operator/observe/server.ts';

let parts: Part[];
let connections: { centralServer: boolean; kubernetes: boolean };
let registry: Registry;
let server: HealthServer;
let url: string;

beforeEach(async () => {
  parts = [];
  connections = { centralServer: true, kubernetes: true };
  registry = new Registry();
  server = new HealthServer({ parts: () => parts, connections: () => connections, registry, measure: () => undefined });
  url = `http://127.0.0.1:${await server.listen(0)}`;
});

afterEach(() => server.close());

async function get(path: string) {
  const response = await fetch(url + path);
  return { status: response.status, type: response.headers.get('content-type'), body: await response.text() };
}

const ready = (name: string): Part => ({ name, ready: true, message: '' });

test('/healthz is fine while the process is', async () => {
  parts = [{ name: 'watches', ready: false, message: 'pods' }];
  expect(await get('/healthz')).toMatchObject({ status: 200, body: 'ok\n' });
});

test('/readyz lists the parts', async () => {
  parts = [ready('controllers'), ready('watches')];
  expect(await get('/readyz')).toEqual({
    status: 200,
    type: 'text/plain; charset=utf-8',
    body: '[+] controllers: ready\n[+] watches: ready\n',
  });
});

test('/readyz is 503 and names the part that is not ready, and why', async () => {
  parts = [ready('controllers'), { name: 'backend default', ready: false, message: '401 Unauthorized' }];
  expect(await get('/readyz')).toMatchObject({ status: 503, body: '[+] controllers: ready\n[-] backend default: 401 Unauthorized\n' });
});

test('/readyz asks anew each time', async () => {
  parts = [{ name: 'watches', ready: false, message: 'pods' }];
  expect((await get('/readyz')).status).toBe(503);
  parts = [ready('watches')];
  expect((await get('/readyz?verbose')).status).toBe(200);
});

test('/health has the body of seed 003', async () => {
  const { status, type, body } = await get('/health');
  expect([status, type]).toEqual([200, 'application/json']);
  expect(JSON.parse(body)).toEqual({ status: 'healthy', uptime_seconds: expect.any(Number) });
});

test.each([
  [true, { centralServer: true, kubernetes: true }, 200],
  [false, { centralServer: false, kubernetes: true }, 503],
  [false, { centralServer: true, kubernetes: false }, 503],
])('/ready has the body of seed 003: ready %s with %j', async (isReady, connected, expected) => {
  parts = [{ name: 'x', ready: isReady, message: 'y' }];
  connections = connected;
  const { status, body } = await get('/ready');
  expect(status).toBe(expected);
  expect(JSON.parse(body)).toEqual({
    ready: isReady,
    central_server_connected: connected.centralServer,
    k8s_api_connected: connected.kubernetes,
  });
});

test('/metrics is Prometheus text', async () => {
  new Gauge({ name: 'cloudoptim_test', help: 'For this test.', registers: [registry] }).set(7);
  const { status, type, body } = await get('/metrics');
  expect([status, type]).toEqual([200, registry.contentType]);
  expect(body).toContain('\ncloudoptim_test 7\n');
});

test('a metric that cannot be collected is a 500, and the process goes on', async () => {
  const collect = () => {
    throw new Error('no such thing');
  };
  new Gauge({ name: 'cloudoptim_test', help: 'For this test.', registers: [registry], collect });
  expect(await get('/metrics')).toMatchObject({ status: 500, body: 'no such thing\n' });
  expect((await get('/healthz')).status).toBe(200);
});

test.each(['/', '/nope', '/healthz/', '/readyz/../healthz2'])('%s is not found, and the answer tells what there is', async (path) => {
  expect(await get(path)).toMatchObject({ status: 404, body: expect.stringContaining('/readyz') });
});

test.each(['//', '/%', 'http://[/', '*', '/\\\\'])('the request target %s is no reason to end', async (target) => {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.end(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  const [first] = (await once(socket, 'data')) as [Buffer];
  expect(first.toString()).toMatch(/^HTTP\/1\.1 4\d\d /);
  expect((await get('/healthz')).status).toBe(200);
});

test('a port that is taken is an error at the start', async () => {
  const second = new HealthServer({ parts: () => [], connections: () => connections, registry, measure: () => undefined });
  await expect(second.listen(Number(new URL(url).port))).rejects.toThrow('EADDRINUSE');
  await second.close();
});

test('closing ends open connections at once', async () => {
  const idle = connect(Number(new URL(url).port), '127.0.0.1');
  await once(idle, 'connect');
  idle.on('error', () => {});
  const closed = once(idle, 'close');
  await server.close();
  await closed;
  await expect(get('/healthz')).rejects.toThrow();
});
