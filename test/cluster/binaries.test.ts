import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { resolveBinaries } from './binaries.ts';
import { type BinaryName, binariesIn, binaryNames } from './binary-names.ts';
import { cacheFolder } from './cache-folder.ts';
import { type ReleaseServer, startReleaseServer } from './release-server.ts';

let folder: string;
let env: NodeJS.ProcessEnv;
let lines: string[];
const log = (line: string) => void lines.push(line);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'binaries-test-'));
  await mkdir(join(folder, 'bin'));
  lines = [];
  // No go on this PATH, and nowhere to download from: port 1 refuses.
  const nowhere = 'http://127.0.0.1:1';
  env = {
    PATH: join(folder, 'bin'),
    CLOUDOPTIM_CACHE: join(folder, 'cache'),
    CLOUDOPTIM_KUBERNETES_URL: nowhere,
    CLOUDOPTIM_ETCD_URL: nowhere,
    CLOUDOPTIM_KWOK_URL: nowhere,
    CLOUDOPTIM_KWOK_API_URL: nowhere,
  };
});
afterEach(() => rm(folder, { recursive: true }));

async function fill(where: string, names: readonly BinaryName[] = binaryNames): Promise<void> {
  await mkdir(where, { recursive: true });
  for (const name of names) await writeFile(join(where, name), `old ${name}`, { mode: 0o755 });
}

/** A program that answers like go and, instead of building, notes what it was asked for and writes that to the file. */
async function fakeGo(version = 'go1.26.1', build = 'echo "$@" > "$out"'): Promise<void> {
  const script = `#!/bin/sh
if [ "$1" = env ]; then echo ${version}; exit; fi
for last; do :; done
while [ "$1" != -o ]; do shift; done
out=$2
echo "$last" >> ${join(folder, 'built')}
${build}
`;
  await writeFile(join(folder, 'bin', 'go'), script, { mode: 0o755 });
}

async function built(): Promise<string[]> {
  const text = await readFile(join(folder, 'built'), 'utf8').catch(() => '');
  return text.split('\n').filter(Boolean);
}

describe('the order', () => {
  test('KUBEBUILDER_ASSETS first, when it is complete', async () => {
    const assets = join(folder, 'assets');
    await fill(assets);
    await fill(cacheFolder(env));
    expect(await resolveBinaries({ env: { ...env, KUBEBUILDER_ASSETS: assets }, log })).toEqual(binariesIn(assets));
    expect(lines).toEqual([]);
  });

  test('an incomplete KUBEBUILDER_ASSETS is named with what it lacks, and the cache is next', async () => {
    const assets = join(folder, 'assets');
    await fill(assets, ['etcd', 'kube-apiserver', 'kubectl']);
    await fill(cacheFolder(env));
    expect(await resolveBinaries({ env: { ...env, KUBEBUILDER_ASSETS: assets }, log })).toEqual(binariesIn(cacheFolder(env)));
    expect(lines).toEqual([`KUBEBUILDER_ASSETS=${assets} is not used, because it lacks kube-controller-manager, kube-scheduler, kwok`]);
  });

  test('a build with go of what the cache lacks, saying what it does and how long it may take', async () => {
    await fakeGo();
    await fill(cacheFolder(env), ['etcd', 'kubectl', 'kwok']);
    await resolveBinaries({ env, log });
    expect(await built()).toEqual(
      ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'].map((name) => `k8s.io/kubernetes/cmd/${name}`),
    );
    expect(lines.join('\n')).toMatch(/building kube-apiserver v1\.\d+\.\d+ \(about 3 minutes on two cores\) …\n.*: done in [\d.]+ s/);
    expect((await readdir(cacheFolder(env))).sort()).toEqual([...binaryNames].sort());
    lines = [];
    await resolveBinaries({ env, log });
    expect(lines).toEqual([]);
  });

  test('downloads when there is no go, or one that is too old', async () => {
    await expect(resolveBinaries({ env, log })).rejects.toThrow('cannot download http://127.0.0.1:1/');
    expect(lines[0]).toContain('because there is no `go` on the PATH');
    await fakeGo('go1.25.9');
    lines = [];
    await expect(resolveBinaries({ env, log })).rejects.toThrow('cannot download');
    expect(lines[0]).toContain('`go` on the PATH is go1.25.9, needed is 1.26 or newer');
    expect(await readdir(cacheFolder(env))).toEqual([]);
  });
});

describe('builds', () => {
  test('a failing one shows what the compiler said and leaves nothing', async () => {
    await fakeGo('go1.26.1', 'echo half > "$out"; echo "main.go:1: no such thing" >&2; exit 1');
    await expect(resolveBinaries({ env, log })).rejects.toThrow('go could not build etcd:\nmain.go:1: no such thing');
    expect(await readdir(cacheFolder(env))).toEqual([]);
  });

  test('two processes at once build each program once, and the one that waits says so', async () => {
    await fakeGo('go1.26.1', '/bin/sleep 0.1; echo whole > "$out"');
    const outputs = await Promise.all([binariesOnly(), binariesOnly()]);
    expect(await built()).toHaveLength(binaryNames.length);
    expect(outputs.map(({ code }) => code)).toEqual([0, 0]);
    expect(outputs.filter(({ stderr }) => /waiting for process \d+/.test(stderr))).toHaveLength(1);
    for (const file of Object.values(binariesIn(cacheFolder(env)))) expect(await readFile(file, 'utf8')).toBe('whole\n');
  });

  test('what a killed build left is taken over and removed', async () => {
    await fakeGo('go1.26.1', `echo half > "$out"; kill -9 $PPID`);
    expect((await binariesOnly()).code).toBe(128);
    const left = await readdir(cacheFolder(env));
    expect(left).toEqual(expect.arrayContaining(['lock', expect.stringMatching(/^\.making-.*-etcd$/)]));
    await fakeGo();
    await resolveBinaries({ env, log });
    expect(lines[0]).toContain('taking over the lock');
    expect((await readdir(cacheFolder(env))).sort()).toEqual([...binaryNames].sort());
  });
});

describe('downloads', () => {
  let server: ReleaseServer;

  beforeEach(async () => {
    server = await startReleaseServer(folder);
    Object.assign(env, server.env);
  });
  afterEach(() => server.close());

  test('the official releases, each checked against its published checksum', async () => {
    const binaries = await resolveBinaries({ env, log });
    for (const name of binaryNames) expect(await readFile(binaries[name], 'utf8')).toBe(`released ${name}`);
    expect((await readdir(cacheFolder(env))).sort()).toEqual([...binaryNames].sort());
  });

  test.each<BinaryName>(['etcd', 'kube-apiserver', 'kubectl', 'kwok'])(
    'a %s with a wrong checksum is refused and leaves nothing',
    async (name) => {
      await fill(
        cacheFolder(env),
        binaryNames.filter((other) => other !== name),
      );
      server.tamper(name);
      await expect(resolveBinaries({ env, log })).rejects.toThrow(/is refused: its SHA-256 is [0-9a-f]{64}, but http.* says [0-9a-f]{64}/);
      expect(await readdir(cacheFolder(env))).toHaveLength(binaryNames.length - 1);
    },
  );

  test.each<BinaryName>(['etcd', 'kube-scheduler', 'kwok'])('a %s without a checksum is refused', async (name) => {
    await fill(
      cacheFolder(env),
      binaryNames.filter((other) => other !== name),
    );
    server.forgetChecksum(name);
    await expect(resolveBinaries({ env, log })).rejects.toThrow(/states no SHA-256 of|HTTP 404/);
    expect(await readdir(cacheFolder(env))).toHaveLength(binaryNames.length - 1);
  });
});

test('the cache folder: CLOUDOPTIM_CACHE, else XDG_CACHE_HOME, else ~/.cache, each below with the versions in its name', () => {
  const places = [{ CLOUDOPTIM_CACHE: '/c', XDG_CACHE_HOME: '/x' }, { XDG_CACHE_HOME: '/x', HOME: '/h' }, { HOME: '/h' }].map(cacheFolder);
  const key = /kubernetes-v[\d.]+_etcd-v[\d.]+_kwok-v[\d.]+_[a-z0-9]+-[a-z0-9]+$/;
  for (const place of places) expect(place).toMatch(key);
  expect(places.map((place) => place.replace(key, ''))).toEqual([
    '/c/control-plane/',
    '/x/cloudoptim-operator/control-plane/',
    '/h/.cache/cloudoptim-operator/control-plane/',
  ]);
});

function binariesOnly(): Promise<{ code: number; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), '--binaries'], {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    child.once('close', (code) => resolve({ code: code ?? 128, stderr }));
  });
}
