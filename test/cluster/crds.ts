import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ControlPlaneAccess } from './access.ts';

const folder = join(import.meta.dirname, '../../crds');

/** Applies the CRDs of the repository, when there are any, and resolves when objects of their kinds can be made; throws what kubectl says. */
export async function applyCrds(cp: Pick<ControlPlaneAccess, 'kubectl'>): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  const files = names.filter((name) => /\.(ya?ml|json)$/.test(name)).map((name) => `--filename=${join(folder, name)}`);
  if (files.length === 0) return;
  for (const args of [
    ['apply', '--server-side', ...files],
    ['wait', '--for=condition=Established', '--timeout=30s', ...files],
  ]) {
    const { code, stderr } = await cp.kubectl(args);
    if (code !== 0) throw new Error(`kubectl ${args[0]} of ${folder} failed: ${stderr.trim()}`);
  }
}
