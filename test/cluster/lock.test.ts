import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withLock } from './lock.ts';
import { waitFor } from './wait-for.ts';

let folder: string;
let file: string;
let lines: string[];
const log = (line: string) => void lines.push(line);
const write = (pid: number, host: string) => writeFile(file, JSON.stringify({ id: 'other', pid, host }));

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lock-test-'));
  file = join(folder, 'lock');
  lines = [];
});
afterEach(() => rm(folder, { recursive: true }));

test('the second waits, and says so once, until the first has done', async () => {
  const first = Promise.withResolvers<void>();
  const order: string[] = [];
  const one = withLock(file, log, () => first.promise.then(() => order.push('one')));
  await waitFor(() => existsSync(file));
  const two = withLock(file, log, async () => order.push('two'));
  await waitFor(() => lines.length > 0);
  first.resolve();
  await Promise.all([one, two]);
  expect(order).toEqual(['one', 'two']);
  expect(lines).toEqual([expect.stringContaining(`waiting for process ${process.pid}`)]);
  expect(existsSync(file)).toBe(false);
});

test('a failure releases the lock', async () => {
  await expect(withLock(file, log, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(existsSync(file)).toBe(false);
});

test('the lock of a process that is gone is taken over', async () => {
  const gone = spawnSync(process.execPath, ['--version']).pid;
  await write(gone, hostname());
  expect(await withLock(file, log, async () => 'mine')).toBe('mine');
  expect(lines).toEqual([expect.stringContaining(`of process ${gone}, which is gone`)]);
});

test('the lock of another machine is taken over once it has been silent for a minute, not before', async () => {
  await write(1, 'elsewhere');
  const work = withLock(file, log, async () => (await readFile(file, 'utf8')).includes(hostname()));
  await waitFor(() => lines.some((line) => line.startsWith('waiting for process 1')));
  const longAgo = new Date(Date.now() - 61_000);
  await utimes(file, longAgo, longAgo);
  expect(await work).toBe(true);
});
