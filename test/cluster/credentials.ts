import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ControlPlaneDescription } from './access.ts';
import type { Binaries } from './binary-names.ts';
import { createAuthority, createTokenKey, type KeyPair } from './certificates.ts';
import { auditLogFile, type Layout } from './flags.ts';
import { kubeconfig } from './kubeconfig.ts';

const serverNames = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local'];
// The second is that of the service `kubernetes`, the first of the range that flags.ts gives to the API server.
const serverAddresses = ['127.0.0.1', '10.96.0.1'];

/** Writes the certificates, keys and kubeconfigs of a new control plane into its folder and returns what it will be. */
export async function writeCredentials({ dir, port, audit }: Layout, binaries: Binaries): Promise<ControlPlaneDescription> {
  const url = `https://127.0.0.1:${port}`;
  const authority = createAuthority('control-plane-test-ca');
  const tokens = createTokenKey();
  const admin = authority.client('admin', ['system:masters']);
  const write = (name: string, text: string) => writeFile(join(dir, name), text, { mode: 0o600 });
  const writePair = (name: string, pair: KeyPair) => Promise.all([write(`${name}.crt`, pair.cert), write(`${name}.key`, pair.key)]);
  const writeKubeconfig = (name: string, pair: KeyPair) => write(`${name}.kubeconfig`, kubeconfig(url, authority.cert, name, pair));
  await Promise.all([
    write('ca.crt', authority.cert),
    write('tokens.key', tokens.private),
    write('tokens.pub', tokens.public),
    writePair('server', authority.server(serverNames, serverAddresses)),
    writePair('admin', admin),
    writeKubeconfig('admin', admin),
    ...['kube-controller-manager', 'kube-scheduler', 'kwok'].map((name) =>
      writeKubeconfig(name, authority.client(`system:${name}`, ['system:masters'])),
    ),
  ]);
  return {
    url,
    port,
    dir,
    kubeconfig: join(dir, 'admin.kubeconfig'),
    caFile: join(dir, 'ca.crt'),
    binaries,
    ...(audit ? { auditLog: auditLogFile(dir) } : {}),
  };
}
