import { existsSync, readFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { API_VERSION } from '../../operator/api/group.ts';
import { OPTIMIZATION_ACTIONS } from '../../operator/api/optimization-action.ts';
import { collectionPath } from '../../operator/kube/resources.ts';
import { VERSION } from '../../operator/version.ts';
import { getNode } from '../cluster/nodes.ts';
import { controlPlane, tenant } from '../cluster/shared.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { type Built, build, filesIn } from './build.ts';
import { buildContext } from './build-context.ts';
import { Container } from './container.ts';
import { parseDockerfile } from './dockerfile.ts';

const MOST_BYTES = 5_000_000;
// npm installs everything anew.
const BUILD_MS = 180_000;

let image: Built;
let layer: ReadonlyMap<string, number>;
let container: Container;

beforeAll(async () => {
  const dockerfile = readFileSync(join(import.meta.dirname, '../../Dockerfile'), 'utf8');
  image = await build(parseDockerfile(dockerfile), await buildContext());
  layer = await filesIn(join(image.root, image.workdir));
  container = await Container.create(image);
}, BUILD_MS);
afterAll(() => image?.[Symbol.asyncDispose]());

test('its layer is the bundle with its notices: small, and without packages or sources', () => {
  expect([...layer.keys()].filter((file) => !/^(main[.-].*|chunk-.*|LICENSE)$/.test(file))).toEqual([]);
  expect(layer.has('LICENSE')).toBe(true);
  expect([...layer.values()].reduce((sum, size) => sum + size, 0)).toBeLessThan(MOST_BYTES);
});

test('there is no folder of packages in it, nor above it for Node to find', () => {
  const folders = [join(image.root, image.workdir)];
  while (folders.at(-1) !== dirname(folders.at(-1) ?? '')) folders.push(dirname(folders.at(-1) ?? ''));
  expect(folders.filter((folder) => existsSync(join(folder, 'node_modules')))).toEqual([]);
});

test.each([
  ['--version', `${VERSION}\n`],
  ['--help', 'Usage: cloudoptim-operator [flags]'],
])('%s is answered, and Node has nothing to say against it', async (flag, answer) => {
  const { code, stdout, stderr } = await container.start([flag]).ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain(answer);
});

test('nothing can be written where it runs', async () => {
  const write = (path: string) => `require('node:fs').writeFileSync(${JSON.stringify(path)}, '')`;
  for (const path of ['here', join(dirname(image.root), 'there')]) {
    expect((await container.start([], {}, ['--eval', write(path)]).ended).stderr).toContain('ERR_ACCESS_DENIED');
  }
});

test('it becomes ready, runs a Cordon, and stops in peace, without writing a file', async () => {
  const corner = await tenant('image');
  const [node = ''] = await corner.createNodes(1);
  const KUBECONFIG = join(dirname(image.root), 'kubeconfig');
  await copyFile(controlPlane.kubeconfig, KUBECONFIG);
  await container.own(KUBECONFIG);
  const operator = container.start([], { KUBECONFIG, POD_NAMESPACE: corner.namespace, HEALTH_CHECK_PORT: '0' });
  try {
    const port = await waitFor(() => /"port":(\d+)/.exec(operator.stdout())?.[1], { what: 'the operator listens' });
    await waitFor(async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok, { what: 'the operator is ready' });
    const path = collectionPath(OPTIMIZATION_ACTIONS, corner.namespace);
    const spec = { action: 'Cordon', cordon: { nodeName: node } };
    await controlPlane.api.create(path, { apiVersion: API_VERSION, kind: OPTIMIZATION_ACTIONS.kind, metadata: { name: 'cordon' }, spec });
    const phase = async () => (await controlPlane.api.get<{ status?: { phase?: string } }>(`${path}/cordon`)).status?.phase;
    await waitFor(async () => (await phase()) === 'Succeeded', { what: 'the Cordon has succeeded' });
    expect((await getNode(controlPlane, node)).spec.unschedulable).toBe(true);
  } finally {
    operator.child.kill();
  }
  const { code, stdout, stderr } = await operator.ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).not.toMatch(/ERR_ACCESS_DENIED|"level":"(error|ERROR)"/);
  expect(await filesIn(join(image.root, image.workdir))).toEqual(layer);
});
