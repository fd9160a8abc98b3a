import { expect, onTestFinished, test } from 'vitest';
import { ApiUnreachable } from '../../operator/kube/error.ts';
import { NODES } from '../../operator/kube/resources.ts';
import { controlPlane } from '../cluster/shared.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { startBlackHole } from './black-hole.ts';
import { clientOf } from './clients.ts';
import { mirror } from './mirror.ts';
import { json, startStub } from './stub-server.ts';

const { signal } = new AbortController();

test('a request without an answer: watches that have heard nothing since are opened anew, long before they would count as silent', async () => {
  const hole = await startBlackHole(controlPlane.port);
  onTestFinished(() => hole.close());
  const client = clientOf(controlPlane, hole.url, 3);
  const mirrored = mirror(client, 'default', { silenceSeconds: 1000 });
  await mirrored.reflector.synced;
  // Fills the pool, so that all later calls go down connections that are there.
  await Promise.all(Array.from({ length: 100 }, () => client.list(NODES, undefined, {}, signal)));
  hole.swallow();
  await expect(client.list(NODES, undefined, {}, signal)).rejects.toThrow(ApiUnreachable);
  await waitFor(() => mirrored.reasons('disconnected').length === 1);
  await waitFor(() => mirrored.reflector.connected);
  expect(mirrored.reasons('relist')).toEqual([]);
  // Requests have a new connection as well.
  expect((await client.list(NODES, undefined, {}, signal)).metadata.resourceVersion).toMatch(/^\d+$/);
});

test('a watch that hears something while a request is not answered goes on', async () => {
  const bookmark = (version: number) =>
    `${JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion: String(version) } } })}\n`;
  const { client } = await startStub((call, response) => {
    if (!call.query.watch) return;
    response.writeHead(200).write(bookmark(1));
    const timer = setInterval(() => response.write(bookmark(2)), 50);
    response.once('close', () => clearInterval(timer));
  }, 1);
  const heard: number[] = [];
  const stop = new AbortController();
  const bytes = await client.watch(NODES, undefined, {}, stop.signal);
  const following = (async () => {
    for await (const chunk of bytes) heard.push(chunk.length);
  })().catch((error: unknown) => error);
  await expect(client.list(NODES, undefined, {}, signal)).rejects.toThrow('no answer within 1 s');
  const { length } = heard;
  await waitFor(() => heard.length > length + 2);
  stop.abort(new Error('the end of the test'));
  expect(String(await following)).toContain('the end of the test');
});

const noRight = {
  kind: 'Status',
  reason: 'Forbidden',
  message: 'nodes is forbidden: User "x" cannot list resource "nodes" in API group ""',
};

test('a missing right is believed when a server that is ready says so twice', async () => {
  const { client, heard } = await startStub((call, response) =>
    call.path === '/readyz' ? response.end('ok') : json(response, 403, noRight),
  );
  await expect(client.list(NODES, undefined, {}, signal)).rejects.toMatchObject({ status: 403, reason: 'Forbidden' });
  expect(heard.map(({ path }) => path)).toEqual(['/api/v1/nodes', '/readyz', '/api/v1/nodes']);
});

test.each([403, 500])('a server that answers %s to /readyz is not ready: the right is not missing', async (status) => {
  const { client } = await startStub((call, response) => json(response, call.path === '/readyz' ? status : 403, noRight));
  await expect(client.list(NODES, undefined, {}, signal)).rejects.toMatchObject({
    status: 503,
    message: `the API server is not ready: ${noRight.message}`,
  });
});

test('a server that became ready in between is asked once more', async () => {
  let ready = false;
  const { client } = await startStub((call, response) => {
    if (call.path === '/readyz') {
      ready = true;
      response.end('ok');
    } else if (ready) json(response, 200, { metadata: { resourceVersion: '7' }, items: [] });
    else json(response, 403, noRight);
  });
  expect((await client.list(NODES, undefined, {}, signal)).metadata.resourceVersion).toBe('7');
});
