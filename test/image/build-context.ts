import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '../..');

/** What `docker build .` would hand over on a clean checkout. */
export interface BuildContext {
  readonly root: string;
  /** The files, relative to the root. */
  readonly files: readonly string[];
}

/** The files that are checked in, or would be with the next commit, without those that .dockerignore keeps out. */
export async function buildContext(): Promise<BuildContext> {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const { stdout } = await promisify(execFile)('git', args, { cwd: root, maxBuffer: 1 << 26 });
  const isIgnored = parseDockerignore(await readFile(join(root, '.dockerignore'), 'utf8'));
  const names = new Set(stdout.split('\0').filter((name) => name !== ''));
  return { root, files: [...names].filter((name) => !isIgnored(name) && existsSync(join(root, name))) };
}

/** Whether a file is kept out: the last pattern that matches it or a folder above it decides. */
export function parseDockerignore(source: string): (path: string) => boolean {
  const lines = source.split('\n').map((line) => line.trim());
  const patterns = lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ isOut: !line.startsWith('!'), glob: globOf(line.replace(/^!?\/?/, '').replace(/\/$/, '')) }));
  return (path) => {
    const steps = path.split('/');
    const self = steps.map((_, index) => steps.slice(0, index + 1).join('/'));
    const last = patterns.findLast(({ glob }) => self.some((each) => glob.test(each)));
    return last?.isOut ?? false;
  };
}

/** As Docker matches: names that begin with a dot are like all others. */
function globOf(pattern: string): RegExp {
  const parts = pattern.split(/(\*\*\/|\*\*|\*|\?)/);
  const meanings: Readonly<Record<string, string>> = { '**/': '(?:.*/)?', '**': '.*', '*': '[^/]*', '?': '[^/]' };
  return new RegExp(`^${parts.map((part) => meanings[part] ?? RegExp.escape(part)).join('')}$`);
}
