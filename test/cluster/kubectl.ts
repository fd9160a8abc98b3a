import { spawn } from 'node:child_process';
import { join } from 'node:path';

/** How a kubectl process ended and what it printed; `code` is its exit code, or 128 when a signal ended it. */
export interface KubectlResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** Options of one kubectl call: text for its standard input, another kubeconfig than the administrator's, a signal that kills it. */
export interface KubectlOptions {
  input?: string;
  kubeconfig?: string;
  signal?: AbortSignal;
}

/** A runner of the given kubectl binary; `dir` takes its discovery cache, so that nothing is written to the home of the user. */
export function kubectlRunner(binary: string, dir: string, kubeconfig: string) {
  return (args: readonly string[], options: KubectlOptions = {}): Promise<KubectlResult> =>
    new Promise((resolve, reject) => {
      const env = { ...process.env, KUBECONFIG: options.kubeconfig ?? kubeconfig, KUBECACHEDIR: join(dir, 'kubectl-cache'), KUBERC: 'off' };
      const child = spawn(binary, args, { cwd: dir, env, stdio: 'pipe', ...(options.signal ? { signal: options.signal } : {}) });
      const output = { stdout: '', stderr: '' };
      for (const stream of ['stdout', 'stderr'] as const) {
        child[stream].setEncoding('utf8').on('data', (text: string) => {
          output[stream] += text;
        });
      }
      child.once('error', reject);
      child.once('close', (code) => resolve({ code: code ?? 128, ...output }));
      // A kubectl that ends without reading all of its input is no failure of ours; its exit code tells.
      child.stdin.on('error', () => {});
      child.stdin.end(options.input);
    });
}
