import { expect, test } from 'vitest';
import type { KubeClient } from '../../operator/kube/client.ts';
import { RecordRing, type RingBounds } from '../../operator/kube/record-ring.ts';
import { controlPlane, tenant } from '../cluster/shared.ts';
import { clientOf } from './clients.ts';
import { json, startStub } from './stub-server.ts';

const { namespace } = await tenant('ring');
const signal = new AbortController().signal;
let rings = 0;

interface Where {
  readonly name: string;
  readonly clock: () => Date;
  readonly client?: KubeClient;
  readonly bounds?: Partial<RingBounds>;
}

function ring({ name, clock, client = clientOf(controlPlane), bounds = {} }: Where): RecordRing {
  const names = [0, 1, 2].map((index) => `${name}-${index}`);
  return new RecordRing({ records: 4, bytes: 10_000, keep: 3600, ...bounds, names, client, namespace, clock, onError: () => undefined });
}

/** A ring of its own on the real API server, a clock that the test moves, and the same ring as the next process sees it. */
function start(bounds: Partial<RingBounds> = {}) {
  rings += 1;
  const name = `ring-${rings}`;
  let now = Date.parse('2026-11-21T12:00:00Z');
  const where = { name, bounds, clock: () => new Date(now) };
  return {
    first: ring(where),
    next: async () => {
      const made = ring(where);
      await made.load(signal);
      return made;
    },
    pass: (seconds: number) => {
      now += seconds * 1000;
    },
    path: (index: number) => `/api/v1/namespaces/${namespace}/configmaps/${name}-${index}`,
    keys: async (index: number) => {
      const { status, body } = await controlPlane.api.call<{ data?: Record<string, string> }>('GET', pathOf(name, index));
      return status === 404 ? undefined : Object.keys(body.data ?? {}).sort();
    },
    writes: async () => {
      const events = await controlPlane.auditEvents();
      const ours = events.filter(({ objectRef }) => objectRef?.namespace === namespace && objectRef.name?.startsWith(`${name}-`));
      return ours.filter(({ verb, userAgent }) => ['patch', 'create'].includes(verb) && userAgent === 'cloudoptim-operator');
    },
  };
}

function pathOf(name: string, index: number): string {
  return `/api/v1/namespaces/${namespace}/configmaps/${name}-${index}`;
}

test('a record is known at once and to the next process when it is written; the last one of a name counts', async () => {
  const { first, next, pass } = start();
  await first.load(signal);
  const writing = first.put('a', '{"x":1}');
  expect(first.get('a')).toBe('{"x":1}');
  await writing;
  await Promise.all([first.put('b.c-d', 'two words'), first.put('e', 'ü')]);
  pass(1);
  await first.put('a', '{"x":2}');
  const second = await next();
  expect(['a', 'b.c-d', 'e', 'f'].map((name) => second.get(name))).toEqual(['{"x":2}', 'two words', 'ü', undefined]);
});

test('what is put at once becomes one write, and the same text again none', async () => {
  const { first, writes } = start({ records: 100 });
  await first.put('first', 'makes the ConfigMap');
  const before = (await writes()).length;
  await Promise.all(Array.from({ length: 50 }, (_, index) => first.put(`n${index}`, 'text')));
  expect((await writes()).length).toBe(before + 1);
  await Promise.all(Array.from({ length: 50 }, (_, index) => first.put(`n${index}`, 'text')));
  expect((await writes()).length).toBe(before + 1);
});

test('the ring is bounded: the oldest ConfigMap makes room, also for the next process', async () => {
  const { first, next, keys, pass } = start();
  for (let index = 0; index < 12; index++) {
    await first.put(`n${index}`, 'text');
    pass(1);
  }
  expect([await keys(0), await keys(1), await keys(2)]).toEqual([
    ['n0', 'n1', 'n2', 'n3'],
    ['n4', 'n5', 'n6', 'n7'],
    ['n10', 'n11', 'n8', 'n9'],
  ]);
  const second = await next();
  await second.put('n12', 'text');
  expect(await keys(0)).toEqual(['n12']);
  const third = await next();
  for (const known of [second, third]) {
    expect(['n0', 'n3', 'n4', 'n11', 'n12'].map((name) => known.get(name) !== undefined)).toEqual([false, false, true, true, true]);
  }
});

test('the next process goes on where the last one was, also when a clock stood still or went back', async () => {
  const { first, next, keys, pass } = start();
  for (let index = 0; index < 10; index++) await first.put(`n${index}`, 'text');
  const second = await next();
  pass(-60);
  await second.put('n10', 'text');
  const third = await next();
  await third.put('n11', 'text');
  expect(await keys(2)).toEqual(['n10', 'n11', 'n8', 'n9']);
  expect(await keys(0)).toHaveLength(4);
});

test('bytes are bounded as well as records', async () => {
  const { first, keys } = start({ records: 100, bytes: 5000 });
  for (let index = 0; index < 8; index++) await first.put(`n${index}`, 'x'.repeat(2000));
  expect([await keys(0), await keys(1), await keys(2)]).toEqual([
    ['n0', 'n1', 'n2'],
    ['n3', 'n4', 'n5'],
    ['n6', 'n7'],
  ]);
});

test('a name that comes again while its older record stands elsewhere is known by the newer one', async () => {
  const { first, next, pass } = start();
  await first.put('again', 'old');
  for (let index = 0; index < 3; index++) await first.put(`n${index}`, 'text');
  pass(1);
  await first.put('again', 'new');
  expect(first.get('again')).toBe('new');
  expect((await next()).get('again')).toBe('new');
});

test('after its time a record counts no more, and can be put again', async () => {
  const { first, next, pass } = start();
  await first.put('a', 'text');
  pass(3599);
  expect(first.get('a')).toBe('text');
  pass(1);
  expect(first.get('a')).toBeUndefined();
  expect((await next()).get('a')).toBeUndefined();
  await first.put('a', 'text');
  expect((await next()).get('a')).toBe('text');
});

test('a ConfigMap that somebody deleted comes back with what it held, and spoilt keys are passed over', async () => {
  const { first, next, path } = start();
  await first.put('a', 'text');
  await controlPlane.api.remove(path(0));
  await first.put('b', 'text');
  await controlPlane.api.patch(path(0), { data: { c: 'no time before it', d: '' } });
  const second = await next();
  expect(['a', 'b', 'c', 'd'].map((name) => second.get(name))).toEqual(['text', 'text', undefined, undefined]);
});

test('a write that fails is told to all who wait for it, and made up for by the next', async () => {
  let status = 503;
  const stub = await startStub((_, response) => json(response, status, status === 200 ? {} : { kind: 'Status', message: 'away' }));
  const made = ring({ name: 'failing', clock: () => new Date(), client: stub.client });
  const both = await Promise.allSettled([made.put('a', 'text'), made.put('b', 'text')]);
  expect(both.map((each) => each.status)).toEqual(['rejected', 'rejected']);
  expect(made.get('a')).toBe('text');
  status = 200;
  await made.put('a', 'text');
  expect(Object.keys(JSON.parse(stub.heard.at(-1)?.body ?? '{}').data).sort()).toEqual(['a', 'b']);
  const { length } = stub.heard;
  await made.put('b', 'text');
  expect(stub.heard).toHaveLength(length);
});

test('reading is tried until it succeeds: what is not known could run again', async () => {
  let failures = 2;
  const stub = await startStub((_, response) => {
    failures -= 1;
    if (failures >= 0) json(response, 500, { kind: 'Status', message: 'away' });
    else json(response, 200, { data: { a: `${new Date().toISOString()} text` } });
  });
  const made = ring({ name: 'unreadable', clock: () => new Date(), client: stub.client });
  await made.load(signal);
  expect(made.get('a')).toBe('text');
});
