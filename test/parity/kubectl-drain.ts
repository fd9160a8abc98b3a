import type { KubectlResult } from '../cluster/kubectl.ts';
import { controlPlane } from '../cluster/shared.ts';

/** What `kubectl drain` decided: which pods go, or which refuse, each with the option that would let it go. */
export interface KubectlDecision {
  readonly allowed: boolean;
  /** `namespace/name`, sorted; empty where it is not allowed. */
  readonly go: readonly string[];
  readonly refused: Readonly<Record<string, string>>;
}

/** Runs the real `kubectl drain` of the node, as cluster administrator unless told. */
export function kubectlDrain(node: string, args: readonly string[] = [], kubeconfig?: string): Promise<KubectlResult> {
  return controlPlane.kubectl(['drain', node, ...args], kubeconfig === undefined ? {} : { kubeconfig });
}

/** What the real kubectl decides with these options, without doing it. */
export async function kubectlDecides(node: string, args: readonly string[]): Promise<KubectlDecision> {
  const { code, stdout, stderr } = await kubectlDrain(node, ['--dry-run=client', ...args]);
  const refusals = [...stderr.matchAll(/^cannot delete (.*): (.*)$/gm)].flatMap(([, why = '', pods = '']) =>
    pods.split(', ').map((pod) => [pod, optionIn(why)] as const),
  );
  return {
    allowed: code === 0,
    go: [...stdout.matchAll(/^evicting pod (\S+) \(dry run\)$/gm)].map(([, pod = '']) => pod).sort(),
    refused: Object.fromEntries(refusals),
  };
}

/** The option that a refusal names; of a DaemonSet that is gone kubectl names none, and force is what helps. */
function optionIn(why: string): string {
  return /--([a-z-]+)/.exec(why)?.[1] ?? (/^daemonsets\.apps .* not found$/.test(why) ? 'force' : why);
}
