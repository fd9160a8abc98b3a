import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { waitFor } from '../cluster/wait-for.ts';

const MAIN = fileURLToPath(new URL('../../operator/main.ts', import.meta.url));

/** One line of the operator's log. */
export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly component?: string;
  readonly [name: string]: unknown;
}

/** A running operator process, as a user runs it. */
export interface OperatorProcess extends AsyncDisposable {
  readonly pid: number;
  readonly log: readonly LogLine[];
  /** Everything it wrote, as it wrote it. */
  readonly output: () => string;
  /** The port of the health server. */
  readonly port: number;
  /** Resolves with the exit code, or the signal's name. */
  readonly exited: Promise<number | string>;
  /** The answer of a health path. */
  fetch(path: string): Promise<{ status: number; body: string }>;
  /** Resolves when `/readyz` answers 200. */
  ready(): Promise<void>;
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

/** Starts an operator with only the given variables, on a free health port, and resolves when it listens there. */
export async function startOperator(options: OperatorOptions): Promise<OperatorProcess> {
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: process.env['HOME'] ?? '',
    KUBECONFIG: options.kubeconfig,
    POD_NAMESPACE: options.namespace,
    HEALTH_CHECK_PORT: '0',
    LOG_LEVEL: 'DEBUG',
    ...options.env,
  };
  const child = spawn(process.execPath, [...(options.nodeFlags ?? []), options.main ?? MAIN], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = new Promise<number | string>((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown')));
  const { log, output } = follow(child);
  const port = await waitFor(() => listening(log, child, output), { within: 15_000, what: 'the operator listens on its health port' });
  const fetchPath = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: answer.status, body: await answer.text() };
  };
  const stop = (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal);
    return exited;
  };
  return {
    pid: child.pid ?? 0,
    log,
    output,
    port,
    exited,
    fetch: fetchPath,
    ready: async () => {
      await waitFor(async () => (await fetchPath('/readyz')).status === 200, { what: 'the operator is ready' });
    },
    stop,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) await stop('SIGKILL');
    },
  };
}

function follow(child: ChildProcess): { log: LogLine[]; output: () => string } {
  const log: LogLine[] = [];
  let whole = '';
  let rest = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    whole += chunk.toString();
  });
  child.stdout?.on('data', (chunk: Buffer) => {
    whole += chunk.toString();
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.startsWith('{')) log.push(JSON.parse(line) as LogLine);
  });
  return { log, output: () => whole };
}

function listening(log: readonly LogLine[], child: ChildProcess, output: () => string): number | undefined {
  if (child.exitCode !== null) throw new Error(`the operator ended with ${child.exitCode}: ${output()}`);
  return log.find((line) => typeof line['port'] === 'number')?.['port'] as number | undefined;
}
