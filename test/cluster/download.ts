import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import type { BinaryName } from './binary-names.ts';
import { type Log, step } from './progress.ts';
import { type Release, releaseOf } from './release-urls.ts';

/** Downloads the official release of one program into the file; throws, and leaves nothing, when its checksum is not the published one. */
export function download(name: BinaryName, file: string, env: NodeJS.ProcessEnv, log: Log): Promise<void> {
  const release = releaseOf(name, env);
  return step(log, `downloading ${release.url}`, 'up to 110 MB', async () => {
    const published = await publishedChecksum(release);
    const received = release.inside ? `${file}.archive` : file;
    try {
      const actual = await save(release.url, received);
      if (actual !== published) {
        throw new Error(`${release.url} is refused: its SHA-256 is ${actual}, but ${release.checksums.url} says ${published}`);
      }
      if (release.inside) await extract(received, release.inside, file);
    } catch (error) {
      await rm(file, { force: true });
      throw error;
    } finally {
      if (received !== file) await rm(received, { force: true });
    }
  });
}

async function publishedChecksum({ checksums, file }: Release): Promise<string> {
  const text = await (await get(checksums.url)).text();
  const found = findChecksum(text, checksums.kind, file)?.toLowerCase();
  if (!found || !/^[0-9a-f]{64}$/.test(found)) throw new Error(`${checksums.url} states no SHA-256 of ${file}`);
  return found;
}

function findChecksum(text: string, kind: Release['checksums']['kind'], file: string): string | undefined {
  if (kind === 'bare') return text.trim().split(/\s+/)[0];
  if (kind === 'github') {
    const { assets = [] } = JSON.parse(text) as { assets?: { name: string; digest?: string }[] };
    return assets.find((asset) => asset.name === file)?.digest?.replace('sha256:', '');
  }
  const lines = text.split('\n').map((line) => line.trim().split(/\s+\*?/));
  return lines.find(([, name]) => name === file)?.[0];
}

async function save(url: string, file: string): Promise<string> {
  const response = await get(url);
  if (!response.body) throw new Error(`${url} is empty`);
  const hash = createHash('sha256');
  await pipeline(
    Readable.fromWeb(response.body),
    async function* (chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        hash.update(chunk);
        yield chunk;
      }
    },
    createWriteStream(file),
  );
  return hash.digest('hex');
}

// Node itself gives up on a server that is silent for five minutes.
async function get(url: string): Promise<Response> {
  const response = await fetch(url).catch((cause: unknown) => {
    const why = cause instanceof Error ? (cause.cause instanceof Error ? cause.cause : cause).message : String(cause);
    throw new Error(`cannot download ${url}: ${why}`, { cause });
  });
  if (response.ok) return response;
  const hint = response.status === 404 ? ' (there may be no official release for this kind of machine; install Go to build it)' : '';
  throw new Error(`cannot download ${url}: HTTP ${response.status}${hint}`);
}

async function extract(archive: string, inside: string, file: string): Promise<void> {
  const folder = `${file}.folder`;
  await mkdir(folder);
  try {
    await promisify(execFile)('tar', ['-xf', archive, '-C', folder, inside]);
    await rename(join(folder, inside), file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
