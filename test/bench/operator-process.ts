import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type OperatorProcess, startOperator } from '../scenarios/operator-process.ts';

const root = join(import.meta.dirname, '../..');
/** BENCH_BUNDLE measures another bundle than that of `make bundle`, BENCH_NODE_FLAGS adds flags such as `--cpu-prof`. */
const { BENCH_BUNDLE: bundle = join(root, 'dist/main.cjs'), BENCH_NODE_FLAGS: flags = '' } = process.env;

/** What Node is told when the bundle is measured; the CMD of the Dockerfile must say the same. */
export const NODE_FLAGS = ['--max-semi-space-size=1', '--optimize-for-size'];

/** What the environment tells glibc; the ENV of the Dockerfile must say the same. */
const MALLOC = { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '65536' };

/** Starts the bundle as the image runs it, stopped in good order when it is disposed of; throws when there is none. */
export async function startBundle(
  kubeconfig: string,
  namespace: string,
  settings: Readonly<Record<string, string>>,
): Promise<OperatorProcess> {
  if (!existsSync(bundle)) throw new Error(`${bundle} is missing: run make bundle first`);
  const env = { ...MALLOC, LOG_LEVEL: 'INFO', ...settings };
  const nodeFlags = [...NODE_FLAGS, ...flags.split(' ').filter(Boolean)];
  const operator = await startOperator({ kubeconfig, namespace, env, main: bundle, nodeFlags });
  return { ...operator, [Symbol.asyncDispose]: async () => void (await operator.stop()) };
}
