import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { ApiError } from '../../operator/kube/error.ts';
import { type Fence, NotLeading } from '../../operator/kube/fence.ts';
import { PODS } from '../../operator/kube/resources.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { clientOfConfig } from './clients.ts';
import { json, plainConfig, startStub } from './stub-server.ts';

const { signal } = new AbortController();
const pod = { resource: PODS, namespace: 'shop', name: 'web-1' };

/** A fence that falls when told; `silently`: as for a process that was stopped, so that only the next check finds out. */
function makeFence() {
  const fallen = new AbortController();
  let down = false;
  const fence: Fence = {
    signal: fallen.signal,
    check: () => {
      if (down) fallen.abort(new NotLeading('fallen'));
      fallen.signal.throwIfAborted();
    },
  };
  return {
    fence,
    fall: () => fallen.abort(new NotLeading('fallen')),
    fallSilently: () => {
      down = true;
    },
  };
}

test('behind a fallen fence nothing is written, and everything can be read', async () => {
  const { client, heard } = await startStub((_, response) => json(response, 200, { kind: 'Pod' }));
  const { fence, fallSilently } = makeFence();
  const fenced = client.fencedBy(fence);
  await fenced.patch(pod, 'merge', {}, signal);
  fallSilently();
  await expect(fenced.patch(pod, 'merge', {}, signal)).rejects.toThrow(NotLeading);
  await expect(fenced.create(PODS, 'shop', {}, signal)).rejects.toThrow(NotLeading);
  await expect(fenced.post(pod, 'eviction', {}, signal)).rejects.toThrow(NotLeading);
  await expect(fenced.delete(pod, {}, signal)).rejects.toThrow(NotLeading);
  await fenced.get(pod, signal);
  await fenced.list(PODS, 'shop', {}, signal);
  // The client that it was made of is free.
  await client.patch(pod, 'merge', {}, signal);
  expect(heard.map(({ method }) => method)).toEqual(['PATCH', 'GET', 'GET', 'PATCH']);
});

test('a write that is on its way is cut off when the fence falls; an answer that came is an answer', async () => {
  const { client, heard } = await startStub((call, response) => call.method === 'DELETE' && json(response, 409, { kind: 'Status' }));
  const { fence, fall } = makeFence();
  const fenced = client.fencedBy(fence);
  await expect(fenced.delete(pod, {}, signal)).rejects.toThrow(ApiError);
  const patch = fenced.patch(pod, 'merge', {}, signal);
  const read = fenced.get(pod, AbortSignal.timeout(500));
  await waitFor(() => heard.length === 3);
  fall();
  await expect(patch).rejects.toThrow(NotLeading);
  await expect(read).rejects.toThrow('timeout');
});

test('a write that waits for a connection is not sent when the fence has fallen meanwhile, before anybody has noticed', async () => {
  const sockets: Socket[] = [];
  const unanswered: Socket[] = [];
  let answers = false;
  let received = '';
  const answer = (socket: Socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}');
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.setEncoding('utf8').on('data', (text: string) => {
      received += text;
      if (!received.endsWith('{"first":1}')) return;
      if (answers) answer(socket);
      else unanswered.push(socket);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const client = clientOfConfig(plainConfig(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), 5);
  const { fence, fallSilently } = makeFence();
  // More than there are connections.
  const first = Array.from({ length: 24 }, () => client.patch(pod, 'merge', { first: 1 }, signal).catch(() => undefined));
  const waiting = client.fencedBy(fence).patch(pod, 'merge', { second: 1 }, signal);
  const refused = expect(waiting).rejects.toThrow(NotLeading);
  await waitFor(() => unanswered.length === first.length);
  fallSilently();
  answers = true;
  for (const socket of unanswered) answer(socket);
  await refused;
  await client.patch(pod, 'merge', { first: 1 }, signal);
  expect(received).not.toContain('second');
  await client.close();
  await Promise.all(first);
});
