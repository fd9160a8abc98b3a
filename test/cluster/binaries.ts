import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Binaries, type BinaryName, binariesIn, missingIn } from './binary-names.ts';
import { cleanLeftovers, intoPlace } from './cache-file.ts';
import { cacheFolder } from './cache-folder.ts';
import { download } from './download.ts';
import { goBuild, goUnfit } from './go-build.ts';
import { withLock } from './lock.ts';
import { type Log, toStandardError } from './progress.ts';

export type { Binaries } from './binary-names.ts';

/** Where to look and whom to tell: `env` is the environment (default: that of this process), `log` takes progress lines (standard error). */
export interface ResolveOptions {
  env?: NodeJS.ProcessEnv;
  log?: Log;
}

/**
 * The programs of a control plane, from the first of these that works: the folder `KUBEBUILDER_ASSETS`, the cache, a build with Go into the
 * cache, the official downloads into the cache. Throws with the reason of the last one when none does.
 */
export async function resolveBinaries({ env = process.env, log = toStandardError }: ResolveOptions = {}): Promise<Binaries> {
  const assets = env.KUBEBUILDER_ASSETS;
  if (assets) {
    const missing = missingIn(assets);
    if (missing.length === 0) return binariesIn(assets);
    log(`KUBEBUILDER_ASSETS=${assets} is not used, because it lacks ${missing.join(', ')}`);
  }
  const cache = cacheFolder(env);
  if (missingIn(cache).length > 0) {
    await mkdir(cache, { recursive: true });
    await withLock(join(cache, 'lock'), log, () => fill(cache, env, log));
  }
  return binariesIn(cache);
}

async function fill(cache: string, env: NodeJS.ProcessEnv, log: Log): Promise<void> {
  // Asked again, because another process may have filled it while this one waited for the lock.
  const missing = missingIn(cache);
  if (missing.length === 0) return;
  await cleanLeftovers(cache);
  const unfit = await goUnfit(env);
  if (unfit) log(`downloading the official releases, because there is ${unfit}`);
  else
    log(
      `the binaries of the control plane are built once, about six minutes in all on two cores and the download of their sources, and kept in ${cache}`,
    );
  const make = async (name: BinaryName, file: string) => (unfit ? download(name, file, env, log) : goBuild(name, file, env, log));
  for (const name of missing) await intoPlace(join(cache, name), (file) => make(name, file));
}
