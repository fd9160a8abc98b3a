import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const root = join(import.meta.dirname, '../..');
/** BENCH_BUNDLE measures another bundle than that of `make bundle`, BENCH_NODE_FLAGS adds flags such as `--cpu-prof`. */
const { BENCH_BUNDLE: bundle = join(root, 'dist/main.cjs'), BENCH_NODE_FLAGS: flags = '' } = process.env;

/** What Node is told when the bundle is measured; the CMD of the Dockerfile must say the same. */
export const NODE_FLAGS = ['--max-semi-space-size=1', '--optimize-for-size'];

/** What the environment tells glibc; the ENV of the Dockerfile must say the same. */
const MALLOC = { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '65536' };

/** The bundled operator as a process of its own. */
export interface OperatorProcess extends AsyncDisposable {
  readonly pid: number;
  /** `performance.now()` just before it was started. */
  readonly startedAt: number;
  /** Resolves when `/readyz` answers 200, with the `performance.now()` of that answer; rejects when the process ends before. */
  ready(): Promise<number>;
  /** Sends SIGTERM and resolves when the process is gone. */
  stop(): Promise<void>;
}

/** The environment of the operator: where it works and which backend it serves. */
export type OperatorEnvironment = Readonly<
  Record<'KUBECONFIG' | 'POD_NAMESPACE' | 'CENTRAL_SERVER_URL' | 'CLUSTER_ID' | 'CENTRAL_API_KEY', string>
>;

/** Starts the bundle; throws when there is none. It is killed with this process at the latest. */
export function startOperator(environment: OperatorEnvironment): OperatorProcess {
  if (!existsSync(bundle)) throw new Error(`${bundle} is missing: run make bundle first`);
  const startedAt = performance.now();
  const more = flags.split(' ').filter(Boolean);
  const child = spawn(process.execPath, [...NODE_FLAGS, ...more, bundle], {
    env: { PATH: process.env.PATH, HEALTH_CHECK_PORT: '0', ...MALLOC, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = () => void child.kill('SIGKILL');
  process.once('exit', kill);
  let said = '';
  let ended: string | undefined;
  const port = Promise.withResolvers<number>();
  const hear = (text: string) => {
    said = (said + text).slice(-2000);
    const found = /"port":(\d+)/.exec(said);
    if (found) port.resolve(Number(found[1]));
  };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', hear);
  const gone = new Promise<void>((resolve) =>
    child.once('close', (code, signal) => {
      ended = signal ?? `code ${code}`;
      process.off('exit', kill);
      port.reject(new Error(`the operator ended with ${ended} and said:\n${said}`));
      resolve();
    }),
  );
  port.promise.catch(() => {});
  const stop = async () => {
    child.kill('SIGTERM');
    await gone;
  };
  return {
    pid: child.pid ?? 0,
    startedAt,
    ready: async () => {
      const url = `http://127.0.0.1:${await port.promise}/readyz`;
      for (const deadline = performance.now() + 30_000; ; await sleep(4)) {
        const answer = await fetch(url).catch(() => undefined);
        const at = performance.now();
        const text = await answer?.text();
        if (answer?.status === 200) return at;
        if (ended !== undefined || at > deadline) throw new Error(`the operator is not ready: ${text ?? ''}\n${said}`);
      }
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
