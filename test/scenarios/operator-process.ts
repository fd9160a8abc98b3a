import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startReaper } from '../cluster/reaper.ts';

const MAIN = fileURLToPath(new URL('../../operator/main.ts', import.meta.url));

/** One line of the operator's log. */
interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly component?: string;
  readonly [name: string]: unknown;
}

/** A running operator process, as a user runs it. */
export interface OperatorProcess extends AsyncDisposable {
  readonly pid: number;
  /** `performance.now()` just before it was started. */
  readonly startedAt: number;
  readonly log: readonly LogLine[];
  /** Everything it wrote, as it wrote it. */
  readonly output: () => string;
  /** The port of the health server. */
  readonly port: number;
  /** Resolves with the exit code, or the signal's name. */
  readonly exited: Promise<number | string>;
  /** The answer of a health path. */
  fetch(path: string): Promise<{ status: number; body: string }>;
  /** Resolves when `/readyz` answers 200, with the `performance.now()` of that answer; rejects with what it said when the process ends before. */
  ready(): Promise<number>;
  /** Sends a signal, SIGTERM by default, and resolves with the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | string>;
}

/** How an operator is started. */
export interface OperatorOptions {
  readonly kubeconfig: string;
  readonly namespace: string;
  /** More variables of its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** The file to run; default the source. */
  readonly main?: string;
  readonly nodeFlags?: readonly string[];
}

/** Starts an operator with only the given variables, on a free health port, and resolves when it listens there. It ends with this process at the latest, however that ends. */
export async function startOperator(options: OperatorOptions): Promise<OperatorProcess> {
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: process.env.HOME ?? '',
    KUBECONFIG: options.kubeconfig,
    POD_NAMESPACE: options.namespace,
    HEALTH_CHECK_PORT: '0',
    LOG_LEVEL: 'DEBUG',
    // One pod per namespace unless told otherwise: who is started after a crash is the same container again, and need not wait for a lease.
    POD_NAME: 'operator-of-the-test',
    POD_UID: options.namespace,
    ...options.env,
  };
  const startedAt = performance.now();
  const child = spawn(process.execPath, [...(options.nodeFlags ?? []), options.main ?? MAIN], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  // It has no folder to remove.
  const reaper = startReaper('');
  const { pid = 0 } = child;
  if (pid !== 0) reaper.add(pid);
  const { log, output, listening, ended } = follow(child);
  const exited = ended.then(async (code) => {
    reaper.forget(pid);
    await reaper.close();
    return code;
  });
  const gone = exited.then((code) => {
    throw new Error(`the operator ended with ${code} and said:\n${output()}`);
  });
  gone.catch(() => undefined);
  const port = await Promise.race([listening, gone]);
  const fetchPath = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: answer.status, body: await answer.text() };
  };
  const stop = (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal);
    return exited;
  };
  return {
    pid,
    startedAt,
    log,
    output,
    port,
    exited,
    fetch: fetchPath,
    ready: () => Promise.race([untilReady(fetchPath, output), gone]),
    stop,
    [Symbol.asyncDispose]: async () => void (await stop('SIGKILL')),
  };
}

/** Runs the operator until it ends by itself, and resolves with the exit code and what it printed. */
export async function runOperator(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code: code as number | null, stdout, stderr };
}

async function untilReady(fetchPath: OperatorProcess['fetch'], output: () => string): Promise<number> {
  let said = '';
  for (const deadline = performance.now() + 30_000; performance.now() < deadline; await sleep(4)) {
    const answer = await fetchPath('/readyz').catch(() => undefined);
    if (answer?.status === 200) return performance.now();
    said = answer?.body ?? '';
  }
  throw new Error(`the operator is not ready within 30 s:\n${said}\n${output()}`);
}

function follow(child: ChildProcess) {
  const log: LogLine[] = [];
  const listening = Promise.withResolvers<number>();
  let whole = '';
  let rest = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    whole += text;
  });
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    whole += text;
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      // The port, in JSON and in a text line.
      const [, port] = /"port":(\d+)/.exec(line) ?? [];
      if (port !== undefined) listening.resolve(Number(port));
      if (line.startsWith('{')) log.push(JSON.parse(line) as LogLine);
    }
  });
  const ended = new Promise<number | string>((resolve) => child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown')));
  return { log, output: () => whole, listening: listening.promise, ended };
}
