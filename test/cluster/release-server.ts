import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { type BinaryName, binaryNames } from './binary-names.ts';
import { platform, versions } from './versions.ts';

/** A server on loopback with tiny files in the places where the official releases have the real ones. */
export interface ReleaseServer {
  /** The settings that make the downloads come from here. */
  readonly env: Record<string, string>;
  /** Serves another file than the checksum is of. */
  tamper(name: BinaryName): void;
  /** Publishes no checksum for it. */
  forgetChecksum(name: BinaryName): void;
  close(): void;
}

const { os, arch } = platform;
const releases = {
  kubernetes: (name: string) => `/release/${versions.kubernetes}/bin/${os}/${arch}/${name}`,
  etcd: `/etcd/${versions.etcd}/etcd-${versions.etcd}-${os}-${arch}.${os === 'linux' ? 'tar.gz' : 'zip'}`,
  etcdSums: `/etcd/${versions.etcd}/SHA256SUMS`,
  kwok: `/kwok/${versions.kwok}/kwok-${os}-${arch}`,
  kwokTag: `/api/${versions.kwok}`,
};

/** Starts it; every program is the text `released <name>`. The folder takes the files of the one archive. */
export async function startReleaseServer(folder: string): Promise<ReleaseServer> {
  const tampered = new Set<BinaryName>();
  const forgotten = new Set<BinaryName>();
  const genuine = new Map<BinaryName, Buffer>(binaryNames.map((name) => [name, Buffer.from(`released ${name}`)]));
  genuine.set('etcd', etcdArchive(folder));
  const content = (name: BinaryName) => (tampered.has(name) ? Buffer.from('something else') : genuine.get(name));
  const checksum = (name: BinaryName) =>
    createHash('sha256')
      .update(genuine.get(name) ?? '')
      .digest('hex');
  const pages = new Map<string, () => string | Buffer | undefined>([
    [releases.etcd, () => content('etcd')],
    [
      releases.etcdSums,
      () => `${'0'.repeat(64)}  other.tar.gz\n${forgotten.has('etcd') ? '' : `${checksum('etcd')}  ${last(releases.etcd)}\n`}`,
    ],
    [releases.kwok, () => content('kwok')],
    [releases.kwokTag, () => gitHubRelease(last(releases.kwok), forgotten.has('kwok') ? null : `sha256:${checksum('kwok')}`)],
  ]);
  for (const name of binaryNames.filter((other) => other.startsWith('kube'))) {
    pages.set(releases.kubernetes(name), () => content(name));
    pages.set(`${releases.kubernetes(name)}.sha256`, () => (forgotten.has(name) ? undefined : checksum(name)));
  }
  const server = createServer((request, response) => {
    const page = pages.get(request.url ?? '')?.();
    response.writeHead(page === undefined ? 404 : 200).end(page);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  return {
    env: {
      CLOUDOPTIM_KUBERNETES_URL: base,
      CLOUDOPTIM_ETCD_URL: `${base}/etcd`,
      CLOUDOPTIM_KWOK_URL: `${base}/kwok`,
      CLOUDOPTIM_KWOK_API_URL: `${base}/api`,
    },
    tamper: (name) => void tampered.add(name),
    forgetChecksum: (name) => void forgotten.add(name),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function etcdArchive(folder: string): Buffer {
  const name = `etcd-${versions.etcd}-${os}-${arch}`;
  const archive = join(folder, 'etcd-archive');
  mkdirSync(join(folder, name));
  writeFileSync(join(folder, name, 'etcd'), 'released etcd');
  // The tar of systems whose releases are zip files tells the formats apart by content, so one kind will do here.
  execFileSync('tar', ['-czf', archive, '-C', folder, name]);
  return readFileSync(archive);
}

function gitHubRelease(name: string, digest: string | null): string {
  return JSON.stringify({
    assets: [
      { name: 'other', digest: `sha256:${'0'.repeat(64)}` },
      { name, ...(digest ? { digest } : {}) },
    ],
  });
}

function last(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
