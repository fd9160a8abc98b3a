import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { actions } from '../actions/index.ts';
import { loopRights } from '../kube/rights.ts';
import { GENERATED_FOLDERS, generate } from './generate.ts';

const root = join(import.meta.dirname, '../..');
const files = generate(actions, loopRights);

for (const folder of GENERATED_FOLDERS) await removeOthers(folder);
for (const [path, content] of files) {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), content);
}

/** What is not generated any more goes, such as the sample of an action that was renamed. */
async function removeOthers(folder: string): Promise<void> {
  const names = await readdir(join(root, folder)).catch((): string[] => []);
  for (const name of names) if (!files.has(`${folder}/${name}`)) await rm(join(root, folder, name), { recursive: true });
}
