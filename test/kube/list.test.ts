import { expect, test } from 'vitest';
import { listAll } from '../../operator/kube/list.ts';
import { PODS } from '../../operator/kube/resources.ts';
import { type Heard, json, startStub } from './stub-server.ts';

const { signal } = new AbortController();
const name = (raw: unknown) => (raw as { name: string }).name;
const expired = { kind: 'Status', reason: 'Expired', message: 'the provided continue parameter is too old' };

/** Pages of names, found by their continue token. */
function page({ query }: Heard, pages: readonly string[][]) {
  const at = Number(query.continue ?? 0);
  const next = at + 1 < pages.length ? { continue: String(at + 1) } : {};
  return { metadata: { resourceVersion: `${7 + at}`, ...next }, items: (pages[at] ?? []).map((each) => ({ name: each })) };
}

test('all pages are read, with the version of the list and the query on each', async () => {
  const { client, heard } = await startStub((call, response) => json(response, 200, page(call, [['a', 'b'], ['c'], []])));
  const options = { namespace: 'shop', query: { fieldSelector: 'spec.nodeName=n' }, project: name };
  expect((await listAll(client, PODS, options, signal)).items).toEqual(['a', 'b', 'c']);
  expect(heard.map(({ query }) => query)).toEqual([
    { fieldSelector: 'spec.nodeName=n', limit: '500' },
    { fieldSelector: 'spec.nodeName=n', limit: '500', continue: '1' },
    { fieldSelector: 'spec.nodeName=n', limit: '500', continue: '2' },
  ]);
});

test('what the projection leaves out is not in the list', async () => {
  const { client } = await startStub((call, response) => json(response, 200, page(call, [['a', 'b']])));
  const project = (raw: unknown) => (name(raw) === 'b' ? name(raw) : undefined);
  expect(await listAll(client, PODS, { project }, signal)).toEqual({ items: ['b'], resourceVersion: '7' });
});

test('a continue token that expired starts the list anew, without the items of before', async () => {
  let calls = 0;
  const { client, heard } = await startStub((call, response) => {
    calls++;
    if (calls === 2) json(response, 410, expired);
    else json(response, 200, page(call, calls === 1 ? [['gone'], ['x']] : [['a'], ['b']]));
  });
  expect((await listAll(client, PODS, { project: name }, signal)).items).toEqual(['a', 'b']);
  expect(heard.map(({ query }) => query.continue)).toEqual([undefined, '1', undefined, '1']);
});

test('a token that expires each time ends with the refusal', async () => {
  const { client, heard } = await startStub((call, response) =>
    call.query.continue ? json(response, 410, expired) : json(response, 200, page(call, [['a'], ['b']])),
  );
  await expect(listAll(client, PODS, { project: name }, signal)).rejects.toMatchObject({ status: 410, reason: 'Expired' });
  expect(heard.length).toBeLessThanOrEqual(12);
});
