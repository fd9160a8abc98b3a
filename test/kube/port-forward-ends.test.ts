import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { KubeConfig } from '@kubernetes/client-node';
import { expect, onTestFinished, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { KubeClient } from '../../operator/kube/client.ts';
import { Credentials } from '../../operator/kube/credentials.ts';
import { PortForwarder } from '../../operator/kube/port-forward.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { json, plainConfig } from './stub-server.ts';

const POD = { namespace: 'desks', name: 'a', uid: 'u1' };
const ABOUT = 'port 5900 of pod desks/a';
const PORT = Buffer.of(5900 & 255, 5900 >> 8);
const { signal } = new AbortController();

const data = (text: string) => Buffer.concat([Buffer.of(0), Buffer.from(text)]);

/** An API server and kubelet in one, for ends that real ones cannot be made to show: answers reads of the pod with these UIDs in turn. */
async function startKubelet(serve: 'never answers' | ((socket: WebSocket) => void), uids: readonly string[] = ['u1']) {
  let reads = 0;
  const sockets = new Set<WebSocket>();
  const web = new WebSocketServer({ noServer: true });
  const server = createServer((_, response) => {
    json(response, 200, { metadata: { uid: uids[Math.min(reads, uids.length - 1)] } });
    reads += 1;
  });
  const hanging = new Set<Duplex>();
  server.on('upgrade', (request, raw, head) => {
    hanging.add(raw.once('close', () => hanging.delete(raw)));
    if (serve === 'never answers') return void raw.resume().once('end', () => raw.destroy());
    web.handleUpgrade(request, raw, head, (socket) => {
      sockets.add(socket.once('close', () => sockets.delete(socket)));
      socket.send(Buffer.concat([Buffer.of(0), PORT]));
      socket.send(Buffer.concat([Buffer.of(1), PORT]));
      serve(socket);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const config = new KubeConfig();
  config.loadFromString(plainConfig(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  const credentials = new Credentials(config);
  const client = new KubeClient(credentials);
  onTestFinished(async () => {
    await client.close();
    for (const raw of hanging) raw.destroy();
    server.close();
  });
  const open = (until = signal) => new PortForwarder(credentials, client).open(POD, 5900, until);
  return { open, sockets, hanging };
}

async function read(stream: Duplex): Promise<{ text: string; error: Error | null }> {
  let text = '';
  stream.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  if (!stream.closed) await new Promise((resolve) => stream.once('close', resolve));
  return { text, error: stream.errored };
}

test('the end of the pod’s side is the end of the stream', async () => {
  const kubelet = await startKubelet((socket) => {
    socket.send(data('good'));
    socket.send(data('bye'));
    socket.close(1000);
  });
  const stream = await kubelet.open();
  expect(await read(stream)).toEqual({ text: 'goodbye', error: null });
  expect(stream.writable).toBe(false);
});

test('a connection that breaks is no end', async () => {
  const kubelet = await startKubelet((socket) => socket.once('message', () => socket.terminate()));
  const stream = await kubelet.open();
  stream.write('x');
  expect((await read(stream)).error).toEqual(new Error(`${ABOUT}: the connection to the API server broke (1006)`));
});

test.each<[string, (stream: Duplex) => void]>([
  ['an end', (stream) => stream.end()],
  ['a destruction', (stream) => stream.destroy()],
])('%s of ours reaches the pod', async (_, end) => {
  const kubelet = await startKubelet(() => undefined);
  const stream = await kubelet.open();
  expect(kubelet.sockets.size).toBe(1);
  end(stream);
  expect((await read(stream)).error).toBeNull();
  await waitFor(() => kubelet.sockets.size === 0, { what: 'the kubelet sees the end' });
});

test('what was written before the end comes first', async () => {
  const came: Buffer[] = [];
  const kubelet = await startKubelet((socket) => socket.on('message', (message: Buffer) => came.push(message.subarray(1))));
  const stream = await kubelet.open();
  const sent = Buffer.alloc(1_000_000, 'abcdefg');
  stream.end(sent);
  await read(stream);
  await waitFor(() => kubelet.sockets.size === 0, { what: 'the kubelet sees the end' });
  expect(Buffer.concat(came).equals(sent)).toBe(true);
  expect(Math.max(...came.map((each) => each.length))).toBeLessThanOrEqual(32 * 1024);
});

test('an abort ends it when it is open', async () => {
  const kubelet = await startKubelet(() => undefined);
  const late = new AbortController();
  const stream = await kubelet.open(late.signal);
  late.abort(new Error('enough'));
  expect((await read(stream)).error).toEqual(new Error('enough'));
  await waitFor(() => kubelet.sockets.size === 0, { what: 'the kubelet sees the end' });
});

test('an abort ends it while it opens', async () => {
  const kubelet = await startKubelet('never answers');
  const soon = new AbortController();
  const stream = kubelet.open(soon.signal);
  const ended = expect(stream).rejects.toThrow(new Error('enough'));
  await waitFor(() => kubelet.hanging.size === 1, { what: 'it is about to open' });
  soon.abort(new Error('enough'));
  await ended;
  await waitFor(() => kubelet.hanging.size === 0, { what: 'the connection is closed' });
});

test('a pod that was replaced meanwhile gets nothing', async () => {
  let heard = 0;
  const kubelet = await startKubelet((socket) => socket.on('message', () => (heard += 1)), ['u1', 'u2']);
  await expect(kubelet.open()).rejects.toThrow(`${ABOUT}: the pod is another one now, u2 in place of u1`);
  await waitFor(() => kubelet.sockets.size === 0, { what: 'the kubelet sees the end' });
  expect(heard).toBe(0);
});

test('the words of the kubelet are cut', async () => {
  const kubelet = await startKubelet((socket) => {
    socket.once('message', () => socket.send(Buffer.concat([Buffer.of(1), Buffer.alloc(10_000, 'no ')])));
  });
  const stream = await kubelet.open();
  stream.write('x');
  const { error } = await read(stream);
  expect(error?.message).toMatch(/^port 5900 of pod desks\/a: no no no/);
  expect(error?.message.length).toBeLessThan(1100);
});
