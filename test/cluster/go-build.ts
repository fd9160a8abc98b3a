import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { BinaryName } from './binary-names.ts';
import { type Log, step } from './progress.ts';
import { modulesFolder, versions } from './versions.ts';

const MINIMUM = [1, 26] as const;

interface Recipe {
  module: 'kubernetes' | 'etcd' | 'kwok';
  command: string;
  /** How long it takes on two cores with nothing compiled before. */
  expected: string;
}

const recipes: Record<BinaryName, Recipe> = {
  etcd: { module: 'etcd', command: 'go.etcd.io/etcd/server/v3', expected: 'about 40 seconds on two cores' },
  'kube-apiserver': { module: 'kubernetes', command: 'k8s.io/kubernetes/cmd/kube-apiserver', expected: 'about 3 minutes on two cores' },
  'kube-controller-manager': {
    module: 'kubernetes',
    command: 'k8s.io/kubernetes/cmd/kube-controller-manager',
    expected: 'about 1 minute on two cores',
  },
  'kube-scheduler': { module: 'kubernetes', command: 'k8s.io/kubernetes/cmd/kube-scheduler', expected: 'about 20 seconds on two cores' },
  kubectl: { module: 'kubernetes', command: 'k8s.io/kubernetes/cmd/kubectl', expected: 'about 20 seconds on two cores' },
  kwok: { module: 'kwok', command: 'sigs.k8s.io/kwok/cmd/kwok', expected: 'about 1 minute on two cores' },
};

/** Why the `go` on the PATH cannot build the programs, or `undefined` when it can. */
export async function goUnfit(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const { code, output } = await run('go', ['env', 'GOVERSION'], env).catch(() => ({ code: -1, output: '' }));
  if (code !== 0) return 'no `go` on the PATH';
  const [, major = '0', minor = '0'] = output.match(/go(\d+)\.(\d+)/) ?? [];
  const enough = Number(major) > MINIMUM[0] || (Number(major) === MINIMUM[0] && Number(minor) >= MINIMUM[1]);
  return enough
    ? undefined
    : `the \`go\` on the PATH is ${output.trim() || 'of no known version'}, needed is ${MINIMUM.join('.')} or newer`;
}

/** Builds one program from its Go module into the file; throws with the compiler's last lines when that fails. */
export function goBuild(name: BinaryName, file: string, env: NodeJS.ProcessEnv, log: Log): Promise<void> {
  const { module, command, expected } = recipes[name];
  const args = ['build', '-trimpath', '-buildvcs=false', '-mod=readonly', '-ldflags', linkerFlags(module), '-o', file, command];
  return step(log, `building ${name} ${versions[module]}`, expected, async () => {
    const { code, output } = await run(
      'go',
      args,
      { ...env, CGO_ENABLED: '0', GOWORK: 'off', GOOS: '', GOARCH: '' },
      join(modulesFolder, module),
    );
    if (code !== 0) throw new Error(`go could not build ${name}:\n${output.trimEnd().split('\n').slice(-20).join('\n')}`);
  });
}

function linkerFlags(module: Recipe['module']): string {
  const flags = ['-s', '-w'];
  if (module === 'kubernetes') {
    // Without it the server calls itself v0.0.0 and clients draw wrong conclusions.
    const [major = '', minor = ''] = versions.kubernetes.slice(1).split('.');
    const version = { gitVersion: versions.kubernetes, gitMajor: major, gitMinor: minor };
    for (const [key, value] of Object.entries(version)) flags.push('-X', `k8s.io/component-base/version.${key}=${value}`);
  }
  return flags.join(' ');
}

function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv, cwd?: string): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    // The toolchain that is there, never one that is downloaded in passing.
    const options = { env: { ...env, GOTOOLCHAIN: 'local' }, ...(cwd ? { cwd } : {}) };
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? -1, output }));
  });
}
