import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { processesOf } from './processes-of.ts';
import { waitFor } from './wait-for.ts';

const BOOT_MS = 90_000;
let folder: string;
let child: ChildProcess | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'main-test-'));
});
afterEach(async () => {
  child?.kill('SIGKILL');
  await waitFor(async () => (await processesOf(folder)).length === 0, { what: 'all processes have ended' });
  await rm(folder, { recursive: true });
});

/** Runs main.ts with its temporary folders in a folder of this test. */
function run(...args: string[]) {
  const env = { ...process.env, TMPDIR: folder };
  const started = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    started[stream].setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text;
    });
  }
  child = started;
  const exit = new Promise<number | string>((resolve) => started.once('close', (code, signal) => resolve(code ?? signal ?? '')));
  return { child: started, output, exit };
}

async function nothingLeft() {
  await waitFor(async () => (await processesOf(folder)).length === 0 && (await readdir(folder)).length === 0, { what: 'nothing is left' });
}

test('--help says what it does; a wrong option is refused', async () => {
  const helped = run('--help');
  expect(await helped.exit).toBe(0);
  expect(helped.output.stdout).toMatch(/Usage: .*main\.ts.*--help/);
  for (const args of [['--wrong'], ['--nodes', 'many']]) {
    const refused = run(...args);
    expect(await refused.exit).toBe(1);
    expect(refused.output.stderr).toMatch(/--(wrong|nodes)/);
  }
});

test.each(['SIGINT', 'SIGTERM'] as const)(
  'runs until %s, says how to use it, and leaves nothing',
  async (signal) => {
    const { child, output, exit } = run('--nodes', '1', '--audit');
    const [, kubeconfig = ''] = await waitFor(() => output.stdout.match(/^export KUBECONFIG=(.*)$/m), { within: BOOT_MS });
    const [, kubectl = ''] = output.stdout.match(/^alias kubectl=(.*)$/m) ?? [];
    expect([existsSync(kubeconfig), existsSync(kubectl)]).toEqual([true, true]);
    child.kill(signal);
    expect(await exit).toBe(0);
    expect(output.stderr).toContain('the control plane is gone');
    await nothingLeft();
  },
  BOOT_MS,
);

test(
  'leaves nothing when it is killed',
  async () => {
    const { child, output, exit } = run('--nodes', '0');
    await waitFor(() => output.stdout.includes('export KUBECONFIG='), { within: BOOT_MS });
    expect((await processesOf(folder)).length).toBeGreaterThan(5);
    child.kill('SIGKILL');
    expect(await exit).toBe('SIGKILL');
    await nothingLeft();
  },
  BOOT_MS,
);

test.each(['SIGINT', 'SIGKILL'] as const)(
  'leaves nothing when %s comes while it starts',
  async (signal) => {
    const { child, exit } = run('--nodes', '0');
    await waitFor(async () => (await processesOf(folder)).some((line) => line.includes('kube-apiserver')), { every: 5 });
    child.kill(signal);
    expect(await exit).toBe(signal);
    await nothingLeft();
  },
  BOOT_MS,
);
