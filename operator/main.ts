import { compose } from './compose.ts';
import { ConfigError, type Invocation, readInvocation } from './config.ts';
import { CloudOptimOperator } from './kube/operator.ts';
import { VERSION } from './version.ts';

/** Reads the configuration, runs until SIGTERM or SIGINT, and returns the exit code: 0 stopped, 1 could not run, 2 misconfigured. */
async function main(): Promise<number> {
  let invocation: Invocation;
  try {
    invocation = readInvocation(process.argv.slice(2), process.env, VERSION);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
  if (invocation.kind !== 'run') {
    process.stdout.write(`${invocation.text}\n`);
    return 0;
  }
  const stopped = Promise.withResolvers<void>();
  // A second signal is for those who cannot wait.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopped.resolve());
  const life = compose(invocation.config);
  process.on('SIGHUP', () => life.reload());
  process.on('unhandledRejection', (error) => life.surprised(error));
  const operator = new CloudOptimOperator(life);
  await operator.start();
  await stopped.promise;
  await operator.end();
  return 0;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`cloudoptim-operator: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
