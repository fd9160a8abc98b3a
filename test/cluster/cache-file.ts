import { randomUUID } from 'node:crypto';
import { chmod, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

const TEMPORARY = '.making-';

/** Lets `make` write a file under a temporary name and renames it when it is whole and may be run; a failure leaves nothing. */
export async function intoPlace(file: string, make: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = join(dirname(file), `${TEMPORARY}${randomUUID()}-${basename(file)}`);
  try {
    await make(temporary);
    await chmod(temporary, 0o755);
    await rename(temporary, file);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Removes what a process that was killed while it made a file has left in the folder. */
export async function cleanLeftovers(folder: string): Promise<void> {
  const names = await readdir(folder);
  await Promise.all(
    names.filter((name) => name.startsWith(TEMPORARY)).map((name) => rm(join(folder, name), { recursive: true, force: true })),
  );
}
