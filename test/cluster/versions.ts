import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The folder with the three Go modules whose go.mod files say which versions are used. */
export const modulesFolder = join(import.meta.dirname, 'modules');

/** Versions with their leading `v`, read from the go.mod files, the only place where they are written. */
export const versions = {
  kubernetes: versionOf('kubernetes', 'k8s.io/kubernetes'),
  etcd: versionOf('etcd', 'go.etcd.io/etcd/server/v3'),
  kwok: versionOf('kwok', 'sigs.k8s.io/kwok'),
};

/** This machine in the words of Go: such as `linux` and `amd64`. */
export const platform = {
  os: process.platform === 'win32' ? 'windows' : process.platform,
  arch: process.arch === 'x64' ? 'amd64' : process.arch,
};

/** What tells one set of binaries from another; the name of its cache folder. */
export const versionKey = [
  `kubernetes-${versions.kubernetes}`,
  `etcd-${versions.etcd}`,
  `kwok-${versions.kwok}`,
  `${platform.os}-${platform.arch}`,
].join('_');

function versionOf(module: string, path: string): string {
  const file = join(modulesFolder, module, 'go.mod');
  const found = readFileSync(file, 'utf8').match(new RegExp(`^(?:require)?\\s*${path.replaceAll('.', '\\.')} (v[^\\s]+)`, 'm'));
  if (!found?.[1]) throw new Error(`${file} requires no version of ${path}`);
  return found[1];
}
