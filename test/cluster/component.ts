import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Reaper } from './reaper.ts';
import { isStopped } from './stopped.ts';
import { waitFor } from './wait-for.ts';

/** One running process of the control plane. */
export interface Component {
  /** Rejects, with the end of its log, when the process exits without `stop` having been called; never resolves. */
  readonly died: Promise<never>;
  /** Sends SIGKILL and resolves once the process is gone. */
  stop(): Promise<void>;
  /** Freezes the process and resolves once it does nothing more. */
  pause(): Promise<void>;
  /** Lets a frozen process go on. */
  resume(): void;
}

const TAIL_LINES = 15;

/** Starts a binary with its output appended to `<dir>/<binary name>.log`; rejects when it cannot be started at all. */
export async function startComponent(binary: string, flags: readonly string[], dir: string, reaper: Reaper): Promise<Component> {
  const name = basename(binary);
  const log = join(dir, `${name}.log`);
  const output = openSync(log, 'a');
  // In a group of its own: a Ctrl-C is for this process, which then ends its components.
  const child = spawn(binary, flags, { cwd: dir, detached: true, stdio: ['ignore', output, output] });
  closeSync(output);
  // At once, so that there is no moment in which a killed parent would leave it behind.
  const { pid } = child;
  if (pid !== undefined) reaper.add(pid);
  const exited = new Promise<string>((resolve) => child.once('exit', (code, signal) => resolve(signal ?? `code ${code}`)));
  await started(child, binary);
  // A control plane that nobody waits for must not keep its process alive.
  child.unref();
  let stopping = false;
  const died = exited.then(async (how): Promise<never> => {
    if (pid !== undefined) reaper.forget(pid);
    if (stopping) return new Promise<never>(() => {});
    throw new Error(`${name} ended with ${how}. The end of its log:\n${await tail(log)}`);
  });
  // Looked at by whoever waits for readiness; later deaths show as refused connections.
  died.catch(() => {});
  return {
    died,
    pause: async () => {
      child.kill('SIGSTOP');
      // The signal takes effect a moment later, in which a busy process may still answer.
      await waitFor(() => pid === undefined || isStopped(pid), { every: 1, what: `${name} is stopped` });
    },
    resume: () => void child.kill('SIGCONT'),
    stop: async () => {
      stopping = true;
      child.ref();
      child.kill('SIGKILL');
      await exited;
    },
  };
}

function started(child: ChildProcess, binary: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) => reject(new Error(`cannot start ${binary}: ${cause.message}`, { cause })));
  });
}

async function tail(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
}
