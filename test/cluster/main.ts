import { parseArgs } from 'node:util';
import { resolveBinaries } from './binaries.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { applyCrds } from './crds.ts';
import { createNodes } from './nodes.ts';

const help = `Usage: node test/cluster/main.ts [--nodes <number>] [--audit] [--binaries] [--help]

Runs a real Kubernetes control plane (etcd, kube-apiserver, kube-controller-manager, kube-scheduler) with
kwok as the fake kubelet on loopback, until Ctrl-C. No container engine is needed. Nothing is left behind.

  --nodes <number>  how many nodes to make (default 3), named node-1, node-2, …
  --audit           write an audit log (its path is printed)
  --binaries        only get the binaries, print their folder and end
  --help            print this text

The binaries are taken from KUBEBUILDER_ASSETS if that is set and complete; else from the cache folder of the
user (another place: CLOUDOPTIM_CACHE); else built once with Go 1.26 or newer (about six minutes); else downloaded.
`;

async function main(): Promise<void> {
  const options = {
    nodes: { type: 'string' },
    audit: { type: 'boolean' },
    binaries: { type: 'boolean' },
    help: { type: 'boolean' },
  } as const;
  const { values } = parseArgs({ options });
  const nodes = Number(values.nodes ?? 3);
  if (!Number.isInteger(nodes) || nodes < 0) throw new Error(`--nodes takes a whole number, not ${values.nodes}`);
  if (values.help) process.stdout.write(help);
  else if (values.binaries) process.stdout.write(`${(await resolveBinaries()).kubectl.replace(/.kubectl$/, '')}\n`);
  else await run(nodes, values.audit ?? false);
}

async function run(nodes: number, audit: boolean): Promise<void> {
  process.stderr.write('starting a control plane …\n');
  const cp = await startControlPlane({ audit });
  // Not listened for earlier: until now an interrupt ends this process at once, and what it has started with it.
  const interrupted = new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, resolve);
  });
  try {
    await applyCrds(cp);
    await createNodes(
      cp,
      Array.from({ length: nodes }, (_, index) => `node-${index + 1}`),
    );
    process.stdout.write(introduction(cp));
    // The interrupt alone would not keep this process alive.
    const alive = setInterval(() => {}, 1 << 30);
    await interrupted;
    clearInterval(alive);
  } finally {
    await cp.close();
  }
  process.stderr.write('\nthe control plane is gone\n');
}

function introduction(cp: ControlPlane): string {
  return [
    `export KUBECONFIG=${cp.kubeconfig}`,
    `alias kubectl=${cp.binaries.kubectl}`,
    ...(cp.auditLog ? [`# audit log: ${cp.auditLog}`] : []),
    '# The cluster is ready. Paste the lines above into another terminal. Ctrl-C here ends it.',
    '',
  ].join('\n');
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
