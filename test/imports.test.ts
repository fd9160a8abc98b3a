import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../operator');

/** Which folders, or single files, each folder may import besides itself (ARCHITECTURE.md, direction of imports). */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  kube: ['lib'],
  backends: ['lib'],
  // Actions about our own kinds need their shapes, none of which imports an action.
  actions: ['kube', 'lib', ...['fields', 'session', 'session-spec', 'session-desk'].map((each) => `api/${each}.ts`)],
  // The shape of objects, not the machinery around them.
  api: ['actions', 'kube/object.ts', 'lib'],
  // What a session is made of and how it is judged, apart from the passes over it.
  sessions: ['api', 'kube', 'lib'],
  reconcilers: ['api', 'actions', 'kube', 'lib', 'sessions'],
  queries: ['kube', 'backends/backend.ts', 'lib'],
  snapshot: ['kube', 'backends/snapshot.ts', 'lib'],
  sync: ['api', 'actions', 'backends', 'kube', 'queries', 'sessions', 'snapshot', 'lib'],
  observe: ['lib'],
  // Reads the definitions; nothing that runs imports it.
  codegen: ['api', 'actions', 'kube', 'lib'],
};

/** Packages that one folder, or file, alone may import; those not named here are for everyone. */
const OWNERS: Readonly<Record<string, readonly string[]>> = {
  '@kubernetes/client-node': ['kube'],
  '@dot-i/k8s-operator': ['kube/operator.ts'],
  undici: ['kube', 'backends/transport'],
  ws: ['backends/transport', 'kube'],
  pino: ['observe'],
  'prom-client': ['observe'],
  yaml: ['codegen', 'snapshot'],
  esbuild: ['codegen'],
};

const FORBIDDEN_NAMES = /(^|-)(utils?|helpers?|managers?|common|types?|misc|base|impl)\.ts$/;
const MOST_LINES = 300;

interface Source {
  /** Relative to `operator/`. */
  readonly path: string;
  readonly text: string;
}

const sources: readonly Source[] = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));

/** What a file imports and re-exports, types too, and what it loads while it runs. */
function specifiersOf(text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const patterns = [
    /^(?:import|export)\s[^;'"`]*?from\s+['"]([^'"]+)['"]/gm,
    /^import\s+['"]([^'"]+)['"]/gm,
    /\bimport\(\s*['"]([^'"]+)['"]/g,
  ];
  return patterns.flatMap((pattern) => [...code.matchAll(pattern)].map((match) => match[1] ?? ''));
}

/** The first folder of a path, or undefined for a file at the top. */
function folderOf(path: string): string | undefined {
  return path.includes('/') ? path.split('/')[0] : undefined;
}

function isInside(path: string, allowed: readonly string[]): boolean {
  return allowed.some((each) => path === each || path.startsWith(`${each}/`));
}

/** All imports of a file that some rule does not allow, as readable lines. */
function wrongImports({ path, text }: Source): string[] {
  const folder = folderOf(path);
  return specifiersOf(text).flatMap((specifier) => {
    if (specifier.startsWith('node:')) return [];
    if (specifier.startsWith('.')) {
      const target = relative(root, join(root, dirname(path), specifier));
      // The files at the top wire everything; nobody imports them but each other.
      if (folder === undefined) return [];
      return isInside(target, [folder, ...(MAY_IMPORT[folder] ?? [])]) ? [] : [`${path} imports ${target}`];
    }
    const name = specifier.startsWith('@') ? specifier.split('/').slice(0, 2).join('/') : (specifier.split('/')[0] ?? '');
    const owners = OWNERS[name];
    return owners && !isInside(path, owners) ? [`${path} imports ${specifier}, which belongs to ${owners.join(' and ')}`] : [];
  });
}

/** Exports without a comment of their own. */
function undocumented({ path, text }: Source): string[] {
  const lines = text.split('\n');
  return lines.flatMap((line, index) => {
    // Re-exports are documented where they are made.
    if (!/^export (?!\{|\*|type \{)/.test(line)) return [];
    return lines[index - 1]?.trimEnd().endsWith('*/') ? [] : [`${path}:${index + 1} ${line}`];
  });
}

test('the rules find what breaks them', () => {
  const bad = (path: string, text: string) => wrongImports({ path, text });
  expect(bad('backends/x/y.ts', "import { a } from '../../kube/client.ts';")).toEqual(['backends/x/y.ts imports kube/client.ts']);
  expect(bad('reconcilers/a.ts', "import type { S } from '../sync/desk.ts';")).toHaveLength(1);
  expect(bad('sync/a.ts', "export * from '../reconcilers/backend.ts';")).toHaveLength(1);
  expect(bad('lib/a.ts', "import {\n  a,\n  b,\n} from '../kube/pod.ts';")).toHaveLength(1);
  expect(bad('api/a.ts', "await import('../kube/client.ts');")).toHaveLength(1);
  expect(bad('kube/a.ts', "import '../main.ts';")).toHaveLength(1);
  expect(bad('kube/client.ts', "import dotI from '@dot-i/k8s-operator';")).toHaveLength(1);
  expect(bad('backends/cloudoptim/a.ts', "import { Agent } from 'undici';")).toHaveLength(1);
  expect(bad('kube/a.ts', "// import '../main.ts'\nimport { Agent } from 'undici';\nimport { a } from '../lib/json.ts';")).toEqual([]);
  expect(undocumented({ path: 'a.ts', text: '/** Said. */\nexport const a = 1;\n\nexport function b() {}\n' })).toEqual([
    'a.ts:4 export function b() {}',
  ]);
});

test('every folder has its line in the table', () => {
  const folders = new Set(sources.flatMap(({ path }) => folderOf(path) ?? []));
  expect([...folders].filter((folder) => !(folder in MAY_IMPORT))).toEqual([]);
});

test('imports go in one direction, and each package has one owner', () => {
  expect(sources.flatMap(wrongImports)).toEqual([]);
});

test('the environment is read in main.ts only', () => {
  const reads = sources.filter(({ text }) =>
    /process\s*\.\s*env|from 'node:process'/.test(text.replace(/\/\*[\s\S]*?\*\/|`[^`\n]*`/g, '')),
  );
  expect(reads.map(({ path }) => path)).toEqual(['main.ts']);
});

test(`no file has more than ${MOST_LINES} lines`, () => {
  const long = sources.map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }));
  expect(long.filter(({ lines }) => lines > MOST_LINES)).toEqual([]);
});

test('a file is named after what it is about', () => {
  const names = sources.map(({ path }) => path);
  expect(names.filter((path) => FORBIDDEN_NAMES.test(basename(path)))).toEqual([]);
  expect(names.filter((path) => !/^([a-z][a-z0-9]*(-[a-z0-9]+)*\/)*[a-z][a-z0-9]*(-[a-z0-9]+)*\.ts$/.test(path))).toEqual([]);
});

test('every export says in a comment what it is', () => {
  expect(sources.flatMap(undocumented)).toEqual([]);
});
