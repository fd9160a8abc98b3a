import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from './progress.ts';

const BEAT_MS = 2_000;
const SILENT_MS = 60_000;
const LOOK_EVERY_MS = 250;

interface Holder {
  id: string;
  pid: number;
  host: string;
}

/**
 * Runs `work` while holding the lock file, waiting for whoever holds it now; says so once. The lock of a process that is gone, or (on another
 * machine that shares the folder) has been silent for a minute, is taken over. It saves double work and no more: what is done under it must
 * be safe to be done twice, since two waiters may take over the same lock at the same moment.
 */
export async function withLock<T>(file: string, log: Log, work: () => Promise<T>): Promise<T> {
  const mine: Holder = { id: randomUUID(), pid: process.pid, host: hostname() };
  await take(file, mine, log);
  const beat = setInterval(() => void utimes(file, new Date(), new Date()).catch(() => {}), BEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(beat);
    if ((await holderOf(file))?.id === mine.id) await rm(file, { force: true });
  }
}

async function take(file: string, mine: Holder, log: Log): Promise<void> {
  for (let said = false; ; ) {
    try {
      await writeFile(file, JSON.stringify(mine), { flag: 'wx' });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = await holderOf(file);
    if (await isStale(file, holder)) {
      log(`taking over the lock ${file} of process ${holder?.pid ?? '?'}, which is gone`);
      await discard(file);
      continue;
    }
    if (!said) log(`waiting for process ${holder?.pid ?? '?'}, which holds ${file} and is making the same binaries`);
    said = true;
    await sleep(LOOK_EVERY_MS);
  }
}

async function holderOf(file: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Holder;
  } catch {
    return undefined;
  }
}

async function isStale(file: string, holder: Holder | undefined): Promise<boolean> {
  if (holder?.host === hostname()) return !isAlive(holder.pid);
  const seen = await stat(file).catch(() => undefined);
  return seen !== undefined && Date.now() - seen.mtimeMs > SILENT_MS;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Not permitted to signal it: it belongs to somebody else, and lives.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function discard(file: string): Promise<void> {
  // A rename succeeds for one of several waiters only.
  const aside = `${file}.${randomUUID()}`;
  await rename(file, aside).then(
    () => rm(aside, { force: true }),
    () => {},
  );
}
