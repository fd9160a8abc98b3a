import type { BinaryName } from './binary-names.ts';
import { platform, versions } from './versions.ts';

/** Where the official release of a program is, and where its publisher says what the file's checksum is. */
export interface Release {
  url: string;
  /** What is at `checksums.url`: the bare SHA-256, a list in the form of sha256sum, or the description of a GitHub release. */
  checksums: { url: string; kind: 'bare' | 'list' | 'github' };
  /** The file name, as the list or the description spells it. */
  file: string;
  /** The path of the program inside the file, when that is an archive. */
  inside?: string;
}

/** The official release of a program for this machine; the base addresses can be set by `CLOUDOPTIM_{KUBERNETES,ETCD,KWOK,KWOK_API}_URL`. */
export function releaseOf(name: BinaryName, env: NodeJS.ProcessEnv): Release {
  if (name === 'etcd') return etcd(env.CLOUDOPTIM_ETCD_URL || 'https://github.com/etcd-io/etcd/releases/download');
  if (name === 'kwok') {
    return kwok(
      env.CLOUDOPTIM_KWOK_URL || 'https://github.com/kubernetes-sigs/kwok/releases/download',
      env.CLOUDOPTIM_KWOK_API_URL || 'https://api.github.com/repos/kubernetes-sigs/kwok/releases/tags',
    );
  }
  const url = `${env.CLOUDOPTIM_KUBERNETES_URL || 'https://dl.k8s.io'}/release/${versions.kubernetes}/bin/${platform.os}/${platform.arch}/${name}`;
  return { url, checksums: { url: `${url}.sha256`, kind: 'bare' }, file: name };
}

function etcd(base: string): Release {
  const folder = `etcd-${versions.etcd}-${platform.os}-${platform.arch}`;
  const file = `${folder}.${platform.os === 'linux' ? 'tar.gz' : 'zip'}`;
  const release = `${base}/${versions.etcd}`;
  return { url: `${release}/${file}`, checksums: { url: `${release}/SHA256SUMS`, kind: 'list' }, file, inside: `${folder}/etcd` };
}

function kwok(base: string, api: string): Release {
  const file = `kwok-${platform.os}-${platform.arch}`;
  // It publishes no list of checksums; GitHub states the digest of each released file.
  return { url: `${base}/${versions.kwok}/${file}`, checksums: { url: `${api}/${versions.kwok}`, kind: 'github' }, file };
}
