import { expect, test } from 'vitest';
import { ApiError, ApiUnreachable } from '../../operator/kube/error.ts';
import { UsageReader } from '../../operator/snapshot/usage.ts';

const start = Date.parse('2026-01-01T00:00:00Z');
const minutes = (count: number): Date => new Date(start + count * 60_000);
const { signal } = new AbortController();

function readerOf(answer: () => unknown): { reader: UsageReader; asked: string[] } {
  const asked: string[] = [];
  const reader = new UsageReader(async (path) => {
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
