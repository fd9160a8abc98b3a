import { mkdtemp, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { ControlPlane } from '../cluster/control-plane.ts';

/** The namespace that `config/default` makes. */
export const NAMESPACE = 'cloudoptim';
/** The ServiceAccount that `config/default` makes, and the name of its roles. */
export const SERVICE_ACCOUNT = 'cloudoptim-operator';

const folder = join(import.meta.dirname, '../../config/default');

/** Installs what `kubectl apply -k config/default` installs, without a pod: the operator runs as a process of the test. */
export async function install(cp: ControlPlane): Promise<void> {
  const overlay = await mkdtemp(join(cp.dir, 'overlay-'));
  const replicas = [{ name: SERVICE_ACCOUNT, count: 0 }];
  await writeFile(join(overlay, 'kustomization.yaml'), JSON.stringify({ resources: [relative(overlay, folder)], replicas }));
  for (const args of [
    ['apply', '--kustomize', overlay],
    ['wait', 'crd', '--all', '--for=condition=Established', '--timeout=30s'],
  ]) {
    const { code, stderr } = await cp.kubectl(args);
    if (code !== 0) throw new Error(`kubectl ${args[0]} failed: ${stderr.trim()}`);
  }
}

/** Writes the ConfigMap and the Secret of seed 003, of which the operator makes its backend. */
export async function writeSettings(cp: ControlPlane, settings: Readonly<Record<string, string>>, key: string): Promise<void> {
  const write = (kind: string, name: string, data: object) =>
    cp.api.create(`/api/v1/namespaces/${NAMESPACE}/${kind}`, { metadata: { name }, ...data });
  await write('configmaps', 'cloudoptim-client-config', { data: settings });
  await write('secrets', 'cloudoptim-client-secret', { stringData: { 'api-key': key } });
}
