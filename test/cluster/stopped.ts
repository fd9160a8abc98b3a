import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** Whether SIGSTOP has stopped the process: all of its threads where the system shows them (Linux), else what ps says. */
export async function isStopped(pid: number): Promise<boolean> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => undefined);
  if (!threads) return (await promisify(execFile)('ps', ['-o', 'stat=', '-p', String(pid)])).stdout.trim().startsWith('T');
  const states = await Promise.all(threads.map((thread) => stateOf(`/proc/${pid}/task/${thread}/stat`)));
  return states.every((state) => state === 'T' || state === 'gone');
}

async function stateOf(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  // The name before it is in parentheses and may hold anything.
  return text === undefined ? 'gone' : text.slice(text.lastIndexOf(')') + 2, text.lastIndexOf(')') + 3);
}
