import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { waitFor } from '../cluster/wait-for.ts';
import { mirror, shows } from './mirror.ts';
import { type Heard, json, startStub } from './stub-server.ts';

const configMap = (name: string, resourceVersion: number, value = '1', uid = `uid-${name}`) => ({
  metadata: { name, uid, resourceVersion: String(resourceVersion) },
  data: { value },
});
const event = (type: string, object: object) => `${JSON.stringify({ type, object })}\n`;
const bookmark = (resourceVersion: number, end = false) =>
  event('BOOKMARK', {
    metadata: { resourceVersion: String(resourceVersion), ...(end ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}) },
  });
const end = (resourceVersion: number) => bookmark(resourceVersion, true);

/** A server whose watches are answered in turn by these functions, the last one again and again. */
function watches(...answers: ((response: ServerResponse, call: Heard) => void)[]) {
  let calls = 0;
  return startStub((call, response) => {
    const answer = answers[Math.min(calls, answers.length - 1)];
    calls++;
    answer?.(response.writeHead(200), call);
  });
}

test('deletions and changes among the initial events are heeded: nothing that is gone comes to life', async () => {
  const { client } = await watches((response) => {
    response.write(event('ADDED', configMap('a', 1)) + event('ADDED', configMap('b', 2)) + event('ADDED', configMap('c', 3)));
    response.write(event('MODIFIED', configMap('b', 5, '2')) + event('DELETED', configMap('a', 6)));
    response.write(event('DELETED', configMap('c', 7)) + event('ADDED', configMap('c', 8, 'new', 'uid-c2')) + end(9));
  });
  const mirrored = mirror(client, 'any');
  await mirrored.reflector.synced;
  expect(mirrored.content()).toEqual({ b: '2', c: 'new' });
  expect(mirrored.changes).toEqual(['+b=2', '+c=new']);
});

test('initial events without an end are not the whole collection', async () => {
  const { client } = await watches(
    (response) => response.write(event('ADDED', configMap('half', 1)), () => response.destroy()),
    (response) => response.write(event('ADDED', configMap('a', 2)) + end(3)),
  );
  const mirrored = mirror(client, 'any');
  await mirrored.reflector.synced;
  expect(mirrored.changes).toEqual(['+a=1']);
});

test('a clean end goes on from the last event or bookmark', async () => {
  const { client, heard } = await watches(
    (response) => response.end(event('ADDED', configMap('a', 2)) + end(3)),
    (response) => response.end(event('MODIFIED', configMap('a', 5, '2')) + bookmark(9)),
    () => {},
  );
  const mirrored = mirror(client, 'any');
  await waitFor(() => heard.length === 3);
  expect(heard.map(({ query }) => query.resourceVersion)).toEqual([undefined, '3', '9']);
  expect(mirrored.content()).toEqual({ a: '2' });
  expect(mirrored.reflector.connected).toBe(true);
  expect(mirrored.reasons('disconnected')).toEqual([]);
});

test.each([
  [
    'an event of the stream',
    (response: ServerResponse) => response.end(event('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' })),
  ],
  ['a line that is no event', (response: ServerResponse) => response.end('{"type":"ADDED","obj\n')],
  ['an event without a version', (response: ServerResponse) => response.end(event('MODIFIED', { metadata: { name: 'a' } }))],
])('after %s the list is taken anew, and tells what happened meanwhile', async (_, breaks) => {
  const { client, heard } = await watches(
    (response) => response.end(event('ADDED', configMap('a', 2)) + event('ADDED', configMap('b', 3)) + end(4)),
    breaks,
    (response) => response.write(event('ADDED', configMap('b', 8, '2')) + event('ADDED', configMap('c', 9)) + end(10)),
  );
  const mirrored = mirror(client, 'any');
  await shows(mirrored, { b: '2', c: '1' });
  expect(mirrored.reasons('relist')).toHaveLength(1);
  expect(heard.map(({ query }) => query.resourceVersion)).toEqual([undefined, '4', undefined]);
  expect([...mirrored.changes].sort()).toEqual(['+a=1', '+b=1', '+c=1', '-a', '~b=2']);
});

test('an error of the server that is not about age goes on where it was', async () => {
  const { client, heard } = await watches(
    (response) => response.end(event('ADDED', configMap('a', 2)) + end(4)),
    (response) => response.end(event('ERROR', { kind: 'Status', code: 504, reason: 'Timeout', message: 'Too large resource version' })),
    (response) => response.write(event('DELETED', configMap('a', 6))),
  );
  const mirrored = mirror(client, 'any');
  await waitFor(() => mirrored.changes.includes('-a'));
  expect(mirrored.reasons('disconnected')).toEqual(['Too large resource version']);
  expect(mirrored.reasons('relist')).toEqual([]);
  expect(heard[2]?.query.resourceVersion).toBe('4');
});

test('a server that is too old for the streaming list, and only ignores it, is found out by its first bookmark', async () => {
  const { client, heard } = await startStub((call, response) => {
    const list = { metadata: { resourceVersion: '20' }, items: [configMap('a', 2), configMap('b', 3)] };
    if (!call.query.watch) json(response, 200, list);
    else if (call.query.sendInitialEvents) response.writeHead(200).write(event('ADDED', configMap('a', 2)) + bookmark(9));
    else response.writeHead(200).write(event('MODIFIED', configMap('b', 21, '2')));
  });
  const mirrored = mirror(client, 'any');
  await shows(mirrored, { a: '1', b: '2' });
  expect(mirrored.reasons('relist')).toEqual([expect.stringMatching(/^streaming list not offered: /)]);
  expect(heard.map(({ query }) => Boolean(query.watch))).toEqual([true, false, true]);
});

test('a server without a right is asked again, but not in a rush', async () => {
  const { client, heard } = await startStub((_, response) =>
    json(response, 403, { kind: 'Status', reason: 'Forbidden', message: 'no right' }),
  );
  const mirrored = mirror(client, 'any');
  await waitFor(() => mirrored.reasons('disconnected').length >= 3);
  expect(mirrored.reasons('disconnected').slice(0, 3)).toEqual(['no right', 'no right', 'no right']);
  expect(mirrored.reasons('relist')).toEqual([]);
  expect(heard.every(({ query }) => query.watch)).toBe(true);
});
