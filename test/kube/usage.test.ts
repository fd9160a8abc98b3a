import { expect, test } from 'vitest';
import { ApiError, ApiUnreachable } from '../../operator/kube/error.ts';
import { nodeUsageReader, podUsageReader, type Usage, type UsageReader } from '../../operator/kube/usage.ts';

const start = Date.parse('2026-01-01T00:00:00Z');
const minutes = (count: number): Date => new Date(start + count * 60_000);
const { signal } = new AbortController();

function readerOf(answer: () => unknown): { reader: UsageReader<Usage>; asked: string[] } {
  const asked: string[] = [];
  const reader = nodeUsageReader(async (path) => {
    asked.push(path);
    return answer();
  });
  return { reader, asked };
}

test('usage is read with the units of metrics-server', async () => {
  const items = [
    { metadata: { name: 'n1' }, usage: { cpu: '156340001n', memory: '1Ki' } },
    { metadata: { name: 'n2' } },
    { usage: {} },
    null,
  ];
  const { reader, asked } = readerOf(() => ({ kind: 'NodeMetricsList', items }));
  expect(await reader.read(minutes(0), signal)).toEqual(
    new Map([
      ['n1', { cpuMillicores: 157, memoryBytes: 1024 }],
      ['n2', { cpuMillicores: 0, memoryBytes: 0 }],
    ]),
  );
  expect(asked).toEqual(['/apis/metrics.k8s.io/v1beta1/nodes']);
});

test.each([404, 403, 503])('%d: absent, and not asked again for ten minutes', async (status) => {
  let served = false;
  const { reader, asked } = readerOf(() => {
    if (!served) throw new ApiError({ status, reason: '', message: '' });
    return { items: [] };
  });
  expect(await reader.read(minutes(0), signal)).toBeUndefined();
  served = true;
  expect(await reader.read(minutes(9.99), signal)).toBeUndefined();
  expect(asked).toHaveLength(1);
  expect(await reader.read(minutes(10), signal)).toEqual(new Map());
  expect(await reader.read(minutes(10.1), signal)).toEqual(new Map());
  expect(asked).toHaveLength(3);
});

test.each([new ApiError({ status: 500, reason: '', message: '' }), new ApiUnreachable('gone')])(
  '%s: absent this time only',
  async (error) => {
    const { reader, asked } = readerOf(() => {
      throw error;
    });
    expect(await reader.read(minutes(0), signal)).toBeUndefined();
    expect(await reader.read(minutes(1), signal)).toBeUndefined();
    expect(asked).toHaveLength(2);
  },
);

test.each([null, 'text', {}, { items: {} }])('%j is no usage', async (body) => {
  expect(await readerOf(() => body).reader.read(minutes(0), signal)).toBeUndefined();
});

test('an error that is no answer of the API server is not hidden', async () => {
  const { reader } = readerOf(() => {
    throw new TypeError('a mistake');
  });
  await expect(reader.read(minutes(0), signal)).rejects.toThrow('a mistake');
});

test('the use of pods is the sum of their containers; a pod with figures that are missing or no figures is left out', async () => {
  const timestamp = '2026-01-01T00:00:00Z';
  const good = { usage: { cpu: '156340001n', memory: '1Ki' } };
  const items = [
    { metadata: { name: 'p1' }, timestamp, containers: [good, { usage: { cpu: '1', memory: '1Mi' } }] },
    { metadata: { name: 'no-time' }, containers: [good] },
    { metadata: { name: 'no-containers' }, timestamp },
    { metadata: { name: 'empty' }, timestamp, containers: [] },
    { metadata: { name: 'null' }, timestamp, containers: [good, null] },
    { metadata: { name: 'half' }, timestamp, containers: [good, { usage: { memory: '1Mi' } }] },
    { metadata: { name: 'wrong' }, timestamp, containers: [{ usage: { cpu: 'much', memory: '1Mi' } }] },
  ];
  const asked: string[] = [];
  const reader = podUsageReader(
    async (path) => {
      asked.push(path);
      return { items };
    },
    'desks',
    'app=streamspace-session',
  );
  expect(await reader.read(minutes(0), signal)).toEqual(
    new Map([['p1', { cpuMillicores: 1157, memoryBytes: 1024 + 2 ** 20, measured: timestamp }]]),
  );
  expect(reader.trouble).toBe('');
  expect(asked).toEqual(['/apis/metrics.k8s.io/v1beta1/namespaces/desks/pods?labelSelector=app%3Dstreamspace-session']);
});

test.each([
  [() => Promise.reject(new ApiError({ status: 404, reason: '', message: '404 page not found' })), 'metrics.k8s.io is not served'],
  [() => Promise.reject(new ApiError({ status: 403, reason: '', message: 'may not list pods' })), 'may not list pods'],
  [() => Promise.reject(new ApiUnreachable('gone')), 'gone'],
  [() => Promise.resolve('text'), 'metrics.k8s.io answers with no list'],
])('it says why it has nothing: %#', async (get, trouble) => {
  const reader = podUsageReader(get, 'desks', '');
  expect(await reader.read(minutes(0), signal)).toBeUndefined();
  expect(reader.trouble).toBe(trouble);
});
