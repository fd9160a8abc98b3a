import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { buildContext, parseDockerignore } from './build-context.ts';
import { find, parseDockerfile, type Stage, variables } from './dockerfile.ts';

const root = join(import.meta.dirname, '../..');
const read = (name: string) => readFileSync(join(root, name), 'utf8');
const stages = parseDockerfile(read('Dockerfile'));
const [builder, image] = stages as readonly [Stage, Stage];

test('it has two stages: one with npm, and one of distroless with the same Node', () => {
  expect(stages).toHaveLength(2);
  const [, version] = /^node:(\d+)-/.exec(builder.from) ?? [];
  expect(image.from).toMatch(new RegExp(`^gcr\\.io/distroless/nodejs${version}-debian\\d+:nonroot$`));
  expect(JSON.parse(read('package.json'))).toMatchObject({ engines: { node: `>=${version}` } });
});

test('the image takes the bundle and the licence, and runs nothing while it is built: there is no shell in it', () => {
  expect(find(image, 'COPY').map(({ flags, words }) => [flags.from, ...words])).toEqual([
    [builder.name, '/src/dist', './'],
    [undefined, 'LICENSE', './'],
  ]);
  expect(find(image, 'RUN')).toEqual([]);
});

test('it runs as the user that the Deployment names, by number and not as root', () => {
  const [user] = find(image, 'USER');
  const [uid, gid] = user?.text.split(':').map(Number) ?? [];
  expect(uid).toBeGreaterThan(0);
  const deployment = parse(read('config/default/deployment.yaml')) as { spec: { template: { spec: { securityContext: object } } } };
  expect(deployment.spec.template.spec.securityContext).toMatchObject({ runAsUser: uid, runAsGroup: gid });
});

test('it exposes the port that the operator listens on by default', () => {
  expect(find(image, 'EXPOSE').map(({ text }) => text)).toEqual(['8080']);
});

test('no variable and no step holds a secret or takes one in', () => {
  const names = stages.flatMap((stage) => find(stage, 'ENV').flatMap((instruction) => Object.keys(variables(instruction))));
  expect(names.filter((name) => /key|token|secret|password|credential/i.test(name))).toEqual([]);
  const steps = stages
    .flatMap(({ instructions }) => instructions)
    .filter(({ text }) => /token|secret|password|\.npmrc|\.env\b/i.test(text));
  expect(steps).toEqual([]);
});

test('the lock holds every optional package of every platform, without which npm ci refuses it as out of step', () => {
  interface Locked {
    readonly optionalDependencies?: Readonly<Record<string, string>>;
  }
  const { packages } = JSON.parse(read('package-lock.json')) as { packages: Readonly<Record<string, Locked>> };
  const held = Object.keys(packages).map((path) => path.split('node_modules/').at(-1));
  const optional = Object.values(packages).flatMap(({ optionalDependencies = {} }) => Object.keys(optionalDependencies));
  expect(optional.filter((name) => !held.includes(name))).toEqual([]);
});

test.each([
  ['node_modules/zod/package.json', true],
  ['.git/config', true],
  ['test/image/dockerfile.test.ts', true],
  ['dist/main.cjs', true],
  ['.env', true],
  ['.npmrc', true],
  ['kubeconfig', true],
  ['operator/main.ts', false],
  ['package-lock.json', false],
  ['LICENSE', false],
])('.dockerignore: %s is kept out: %s', (path, out) => {
  expect(parseDockerignore(read('.dockerignore'))(path)).toBe(out);
});

test.each([
  ['*', 'a/.b/c', true],
  ['*\n!a', 'a/b', false],
  ['*\n!a\na/*.log', 'a/b.log', true],
  ['*.log', 'a/b.log', false],
  ['**/*.log', 'a/b/c.log', true],
  ['# a\n\n/a/', 'a/b', true],
  ['a+b', 'aab', false],
  ['', 'a', false],
])('the patterns %j keep %s out: %s', (source, path, out) => {
  expect(parseDockerignore(source)(path)).toBe(out);
});

test('what is handed to the builder is what the steps copy, and little', async () => {
  const copied = stages.flatMap((stage) => find(stage, 'COPY').flatMap(({ flags, words }) => (flags.from ? [] : words.slice(0, -1))));
  const { files } = await buildContext();
  expect(new Set(files.map((file) => file.split('/')[0]))).toEqual(new Set(copied));
});

test('continuation lines, comments, flags, JSON and shell forms are read', () => {
  const source =
    '# first\nFROM a AS b\nRUN one \\\n# between\n  two\nFROM c\nCOPY --from=b --chown=1:1 /x y/\nENV A=1 B="2 3"\nCMD ["-x", "main.js"]\n';
  const [first, second] = parseDockerfile(source);
  expect(first).toMatchObject({ from: 'a', name: 'b', instructions: [{ keyword: 'RUN', words: ['one', 'two'] }] });
  expect(second).toMatchObject({ from: 'c', name: undefined });
  const [copy, env, command] = second?.instructions ?? [];
  expect(copy).toMatchObject({ flags: { from: 'b', chown: '1:1' }, words: ['/x', 'y/'] });
  expect(env && variables(env)).toEqual({ A: '1', B: '2 3' });
  expect(command?.words).toEqual(['-x', 'main.js']);
});

test.each(['FROM a\nENTRYPOINT ["x"]', 'FROM a\nRUN <<EOF', 'RUN x'])('what cannot be carried out is refused: %j', (source) => {
  expect(() => parseDockerfile(source)).toThrow(/do not know|before the first FROM/);
});
