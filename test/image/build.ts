import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { BuildContext } from './build-context.ts';
import { type Instruction, type Stage, variables } from './dockerfile.ts';

/** A stage carried out in a folder that stands for the root of its file system. */
export interface Built extends AsyncDisposable {
  readonly root: string;
  /** What WORKDIR said last, such as `/app`. */
  readonly workdir: string;
  /** What ENV said. */
  readonly env: Readonly<Record<string, string>>;
  /** What CMD said. */
  readonly command: readonly string[];
  /** What USER said, `uid:gid`. */
  readonly user: string;
}

type State = { -readonly [Member in keyof Omit<Built, keyof AsyncDisposable>]: Built[Member] };

/**
 * Carries out the stages of a Dockerfile in order and returns the last: every COPY, and every RUN with the Node of this process in place of that
 * of the base image, of which nothing else is there. The folders of all stages go with the one that is returned.
 */
export async function build(stages: readonly Stage[], context: BuildContext): Promise<Built> {
  const folder = await mkdtemp(join(tmpdir(), 'image-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    // Whoever the image runs as has to get in.
    await chmod(folder, 0o755);
    const built = new Map<string | undefined, State>();
    let last: State | undefined;
    for (const [index, stage] of stages.entries()) {
      last = { root: join(folder, String(index)), workdir: '/', env: {}, command: [], user: '' };
      await mkdir(last.root);
      for (const instruction of stage.instructions) await carryOut(instruction, last, context, built);
      built.set(stage.name, last);
    }
    if (!last) throw new Error('the Dockerfile has no stage');
    return { ...last, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function carryOut(instruction: Instruction, state: State, context: BuildContext, built: ReadonlyMap<string | undefined, State>) {
  const { keyword, words, text } = instruction;
  if (keyword === 'WORKDIR') {
    state.workdir = join(state.workdir, text.startsWith('/') ? join('/', text) : text);
    await mkdir(join(state.root, state.workdir), { recursive: true });
  } else if (keyword === 'ENV') state.env = { ...state.env, ...variables(instruction) };
  else if (keyword === 'CMD') state.command = words;
  else if (keyword === 'USER') state.user = text;
  else if (keyword === 'RUN') await run(instruction, state);
  else if (keyword === 'COPY') await copy(instruction, state, context, built);
}

async function run({ text }: Instruction, { root, workdir, env }: State): Promise<void> {
  // Nothing keeps it in its folder but that it names no other.
  if (/(^|[\s=])(\/|~|\.\.)/.test(text)) throw new Error(`a step with a path outside of its WORKDIR is not run here: RUN ${text}`);
  const { NODE_ENV: _, NODE_OPTIONS: __, ...ours } = process.env;
  const PATH = `${dirname(process.execPath)}:${ours.PATH}`;
  const cwd = join(root, workdir);
  // What `make` has installed is in npm's cache.
  const options = { cwd, env: { ...ours, npm_config_prefer_offline: 'true', ...env, PATH }, maxBuffer: 1 << 26 };
  await promisify(execFile)('sh', ['-c', text], options);
}

async function copy(instruction: Instruction, state: State, context: BuildContext, built: ReadonlyMap<string | undefined, State>) {
  const { flags, words } = instruction;
  const sources = words.slice(0, -1);
  const target = join(state.root, words.at(-1)?.startsWith('/') ? '' : state.workdir, words.at(-1) ?? '');
  const intoFolder = sources.length > 1 || /(^|\/)\.?$/.test(words.at(-1) ?? '');
  if (flags.from === undefined) {
    for (const source of sources) await copyFromContext(source, target, intoFolder, context);
    return;
  }
  const stage = built.get(flags.from);
  if (!stage) throw new Error(`COPY --from=${flags.from}: there is no such stage`);
  for (const source of sources) {
    const from = join(stage.root, source);
    const isFolder = (await stat(from)).isDirectory();
    await cp(from, isFolder || !intoFolder ? target : join(target, source.split('/').at(-1) ?? ''), { recursive: true });
  }
}

async function copyFromContext(source: string, target: string, intoFolder: boolean, { root, files }: BuildContext): Promise<void> {
  const plain = source.replace(/^\.?\//, '').replace(/\/$/, '');
  const isFile = files.includes(plain);
  const inside = files.filter((file) => file.startsWith(`${plain}/`));
  if (!isFile && inside.length === 0) throw new Error(`COPY ${source}: it is not checked in, or .dockerignore keeps it out`);
  if (isFile) await cp(join(root, plain), intoFolder ? join(target, plain.split('/').at(-1) ?? '') : target);
  for (const file of inside) await cp(join(root, file), join(target, file.slice(plain.length + 1)));
}

/** The files below a folder with their sizes in bytes. */
export async function filesIn(folder: string): Promise<ReadonlyMap<string, number>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
  const sizes = await Promise.all(paths.map(async (path) => [path.slice(folder.length + 1), (await stat(path)).size] as const));
  return new Map(sizes.toSorted());
}
