import { homedir } from 'node:os';
import { join } from 'node:path';
import { versionKey } from './versions.ts';

/**
 * Where the programs of these versions are kept: below `CLOUDOPTIM_CACHE`, else below the cache folder of the user, so that all clones share
 * them and a fresh clone is ready at once.
 */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  const user = env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache');
  return join(env.CLOUDOPTIM_CACHE || join(user, 'cloudoptim-operator'), 'control-plane', versionKey);
}
