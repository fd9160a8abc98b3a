import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ClusterSnapshot, NodeSnapshot } from '../../operator/backends/snapshot.ts';
import { loadPriceTable, NO_PRICES, PriceTableError, parsePriceTable, priceOf, unpricedIn } from '../../operator/snapshot/cost.ts';

test('a price is found by type and capacity, or is absent', () => {
  const prices = parsePriceTable({ 'm5.large': { 'on-demand': 0.096, spot: 0 }, 'e2-small': { 'on-demand': 0.0168 } });
  expect(priceOf(prices, 'm5.large', 'on-demand')).toBe(0.096);
  expect(priceOf(prices, 'm5.large', 'spot')).toBe(0);
  expect(priceOf(prices, 'e2-small', 'spot')).toBeUndefined();
  expect(priceOf(prices, 'constructor', 'spot')).toBeUndefined();
  expect(priceOf(NO_PRICES, 'm5.large', 'spot')).toBeUndefined();
});

test.each([
  ['no table', null, 'the file: write one line per instance type'],
  ['a list', [], 'the file: write one line per instance type'],
  ['a text for a price', { 'm5.large': { spot: '0.03' } }, 'entry "m5.large", "spot": write USD per hour as a plain number'],
  ['a negative price', { 'm5.large': { 'on-demand': -1 } }, 'entry "m5.large", "on-demand": write USD per hour'],
  ['no finite price', { 'm5.large': { 'on-demand': Number.POSITIVE_INFINITY } }, 'entry "m5.large", "on-demand": write USD per hour'],
  ['a bare number', { 'm5.large': 0.1 }, 'entry "m5.large": give a price for on-demand, spot or both'],
  ['nothing', { 'm5.large': {} }, 'entry "m5.large": give a price for on-demand, spot or both'],
  ['another word', { 'm5.large': { on_demand: 0.1 } }, 'entry "m5.large", "on_demand": only the keys on-demand and spot are known'],
  ['no name', { '': { spot: 1 } }, 'instance type'],
])('%s is refused with the entry and the fix', (_what, content, message) => {
  expect(() => parsePriceTable(content)).toThrow(PriceTableError);
  expect(() => parsePriceTable(content)).toThrow(message);
});

test('all that is wrong is named at once', () => {
  expect(() => parsePriceTable({ a: { spot: 'x' }, b: 1 })).toThrow(/entry "a", "spot".*; entry "b"/);
});

test.each([
  ['prices.yaml', 'm5.large: { on-demand: 0.096 } # list price\n', undefined],
  ['prices.json', '{"m5.large":{"on-demand":0.096}}', undefined],
  ['broken.yaml', 'm5.large: {', /broken\.yaml: .*line 1/s],
  ['twice.yaml', 'a: { spot: 1 }\na: { spot: 2 }\n', /twice\.yaml: .*unique/s],
  ['wrong.yaml', 'm5.large: cheap', /wrong\.yaml: entry "m5\.large": give a price/],
])('%s', async (name, text, error) => {
  const folder = mkdtempSync(join(tmpdir(), 'prices-'));
  try {
    const path = join(folder, name);
    writeFileSync(path, text);
    const loaded = loadPriceTable(path);
    if (error === undefined) expect(priceOf(await loaded, 'm5.large', 'on-demand')).toBe(0.096);
    else await expect(loaded).rejects.toThrow(error);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a file that is not there is named', async () => {
  const path = join(tmpdir(), 'no-such-folder', 'prices.yaml');
  await expect(loadPriceTable(path)).rejects.toThrow(`price table ${path}: `);
});

test('what has no price is listed once, most nodes first', () => {
  const node = (instanceType: string, capacityType: NodeSnapshot['capacityType'], pricePerHour?: number) =>
    ({ instanceType, capacityType, ...(pricePerHour !== undefined && { pricePerHour }) }) as NodeSnapshot;
  const nodes = [node('a', 'spot'), node('b', 'spot', 0), node('', 'on-demand'), node('a', 'on-demand'), node('a', 'on-demand')];
  expect(unpricedIn({ nodes } as unknown as ClusterSnapshot)).toEqual([
    { instanceType: 'a', capacityType: 'on-demand', nodes: 2 },
    { instanceType: '', capacityType: 'on-demand', nodes: 1 },
    { instanceType: 'a', capacityType: 'spot', nodes: 1 },
  ]);
});
