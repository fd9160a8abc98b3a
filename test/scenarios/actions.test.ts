import { beforeAll, expect, test } from 'vitest';
import { getNode } from '../cluster/nodes.ts';
import { listPods, podsOnNode } from '../cluster/workloads.ts';
import { heldNode, isHeld } from './held.ts';
import { condition, inPhase } from './objects.ts';
import { eventually, useScene } from './scene.ts';

const scene = useScene('actions');
let node: string;

beforeAll(async () => {
  [node = ''] = await scene.tenant.createNodes(1);
  await scene.operator();
});

/** Runs kubectl in the namespace and returns what it printed; throws unless it is content. */
async function kubectl(args: readonly string[], input?: string): Promise<string> {
  const { code, stdout, stderr } = await scene.cp.kubectl(['-n', scene.namespace, ...args], input === undefined ? {} : { input });
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** Applies an action as a user does, and waits as a user does until it has ended. */
async function run(name: string, spec: Record<string, unknown>, wait = 'condition=Ready') {
  const manifest = { apiVersion: 'cloudoptim.io/v1alpha1', kind: 'OptimizationAction', metadata: { name }, spec };
  await kubectl(['apply', '-f', '-'], JSON.stringify(manifest));
  await kubectl(['wait', `--for=${wait}`, `oa/${name}`, '--timeout=20s']);
  return scene.actions.get(name);
}

async function writesOn(name: string): Promise<string[]> {
  return (await scene.writes()).filter((line) => line.endsWith(name));
}

/** The Events of an action, as `type reason message`. */
async function eventsOf(name: string): Promise<string[]> {
  const path = `/api/v1/namespaces/${scene.namespace}/events?fieldSelector=involvedObject.name=${name}`;
  const { items } = await scene.cp.api.get<{ items: { type: string; reason: string; message: string }[] }>(path);
  return items.map(({ type, reason, message }) => `${type} ${reason} ${message}`).sort();
}

test('Cordon and Uncordon, each once: the second of a kind writes nothing to the node', async () => {
  const cordon = { action: 'Cordon', cordon: { nodeName: node, reason: 'disk' } };
  const first = await run('cordon', cordon);
  expect(first).toMatchObject({
    status: { phase: 'Succeeded', target: `node/${node}`, result: { changed: true }, observedGeneration: 1 },
  });
  expect(condition(first, 'Ready')).toMatchObject({ status: 'True', reason: 'Done', message: `node ${node} cordoned` });
  const cordoned = await getNode(scene.cp, node);
  expect(cordoned.spec.unschedulable).toBe(true);
  expect(cordoned.metadata.annotations).toMatchObject({ 'cloudoptim.io/cordoned-by': `${scene.namespace}/cordon` });
  expect(await run('cordon-again', cordon)).toMatchObject({ status: { phase: 'Succeeded', result: { changed: false } } });
  expect(await writesOn(node)).toEqual([`patch nodes/${node}`]);
  await run('uncordon', { action: 'Uncordon', uncordon: { nodeName: node } });
  await run('uncordon-again', { action: 'Uncordon', uncordon: { nodeName: node } });
  expect(await writesOn(node)).toEqual([`patch nodes/${node}`, `patch nodes/${node}`]);
  expect((await getNode(scene.cp, node)).spec.unschedulable).toBeUndefined();
  expect(await kubectl(['get', 'oa', 'cordon'])).toMatch(
    /^NAME +ACTION +TARGET +PHASE +PROGRESS +REASON +AGE\ncordon +Cordon +node\/\S+ +Succeeded +Done +\d+s\n$/,
  );
});

test('Label sets and removes on a node, a pod and a deployment, and writes nothing when nothing differs', async () => {
  const [pod] = await scene.tenant.createDeployment({ name: 'labelled' });
  const { namespace } = scene;
  const name = pod?.metadata.name ?? '';
  const targets = [
    { kind: 'Node', name: node, path: `/api/v1/nodes/${node}`, shown: `node/${node}` },
    { kind: 'Pod', namespace, name, path: `/api/v1/namespaces/${namespace}/pods/${name}`, shown: `pod/${namespace}/${name}` },
    {
      kind: 'Deployment',
      namespace,
      name: 'labelled',
      path: `/apis/apps/v1/namespaces/${namespace}/deployments/labelled`,
      shown: `deployment/${namespace}/labelled`,
    },
  ];
  for (const { path, shown, ...target } of targets) {
    const labels = async () => (await scene.cp.api.get<{ metadata: { labels?: Record<string, string> } }>(path)).metadata.labels;
    const id = `label-${target.kind.toLowerCase()}`;
    const set = { ...target, set: { 'example.com/a': '1', 'example.com/b': '2' } };
    expect(await run(`${id}-set`, { action: 'Label', label: set })).toMatchObject({ status: { target: shown } });
    expect(await labels()).toMatchObject(set.set);
    const { metadata } = await scene.cp.api.get<{ metadata: { resourceVersion: string } }>(path);
    await run(`${id}-same`, { action: 'Label', label: set });
    expect((await scene.cp.api.get<{ metadata: { resourceVersion: string } }>(path)).metadata.resourceVersion).toBe(
      metadata.resourceVersion,
    );
    const change = { ...target, set: { 'example.com/b': '3' }, remove: ['example.com/a', 'example.com/never'] };
    expect(await run(`${id}-change`, { action: 'Label', label: change })).toMatchObject({
      status: { result: { changed: true, set: { 'example.com/b': { from: '2', to: '3' } }, removed: ['example.com/a'] } },
    });
    expect(await labels()).not.toHaveProperty(['example.com/a']);
  }
});

test('Evict waits for the budget, DeletePod does not', async () => {
  const held = await heldNode(scene, 'guarded', 2);
  const [first = '', second = ''] = held.pods.map((pod) => pod.split('/')[1]);
  const evict = { action: 'Evict', evict: { namespace: scene.namespace, podName: first } };
  await scene.actions.create('evict', evict);
  const waiting = await scene.actions.until('evict', isHeld);
  expect(waiting.status?.blockers).toMatchObject([{ pod: `${scene.namespace}/${first}`, budget: 'guarded' }]);
  const { namespace } = scene;
  expect(await run('delete', { action: 'DeletePod', deletePod: { namespace, podName: second } })).toMatchObject({
    status: { phase: 'Succeeded', target: `pod/${namespace}/${second}` },
  });
  await held.letGo();
  await kubectl(['wait', '--for=condition=Ready', 'oa/evict', '--timeout=20s']);
  const left = (await listPods(scene.cp, namespace, 'app=guarded')).map(({ metadata }) => metadata.name);
  expect(left).not.toContain(first);
  expect(left).not.toContain(second);
  expect(await run('evict-again', evict)).toMatchObject({ status: { phase: 'Succeeded' } });
  const pods = (await scene.writes()).filter((line) => held.pods.some((pod) => line.endsWith(pod)));
  expect(pods.sort()).toEqual([`create pods/eviction ${namespace}/${first}`, `delete pods ${namespace}/${second}`]);
});

test('Drain shows its progress and what blocks it, goes on with the budget, and says so in Events', async () => {
  const held = await heldNode(scene, 'shop', 3);
  await scene.actions.create('drain', { action: 'Drain', drain: { nodeName: held.name } });
  await scene.actions.until('drain', isHeld);
  expect(await kubectl(['get', 'oa', 'drain'])).toMatch(/drain +Drain +node\/\S+ +Running +0\/3 +PDBNeverSatisfiable +\d+s\n$/);
  expect(await kubectl(['get', 'oa', '-o', 'name', '--field-selector', 'status.phase=Running'])).toBe(
    'optimizationaction.cloudoptim.io/drain\n',
  );
  await held.letGo(2);
  await scene.actions.until('drain', ({ status }) => status?.progress?.done === 1);
  await scene.actions.until('drain', (object) => condition(object, 'Ready').reason === 'DisruptionBudget');
  await held.letGo();
  await kubectl(['wait', '--for=condition=Ready', 'oa/drain', '--timeout=20s']);
  expect(await kubectl(['get', 'oa', 'drain', '-o', 'wide'])).toMatch(/Succeeded +3\/3 +Done .*node \S+ drained: 3 pods evicted\n$/);
  expect((await podsOnNode(scene.cp, held.name)).filter(({ metadata }) => metadata.deletionTimestamp === undefined)).toEqual([]);
  const events = () => eventsOf('drain');
  await eventually(events).toContainEqual(expect.stringMatching(/^Normal Succeeded node \S+ drained: 3 pods evicted$/));
  expect(await events()).toContainEqual(expect.stringMatching(/^Warning PDBNeverSatisfiable .*blocked by budget \S+\/shop/));
  const evictions = (await scene.writes()).filter((line) => held.pods.some((pod) => line.endsWith(pod)));
  expect(evictions.sort()).toEqual(held.pods.map((pod) => `create pods/eviction ${pod}`));
});

test('a drain that its pods forbid fails at once and leaves the node as it was', async () => {
  const [lone = ''] = await scene.tenant.createNodes(1);
  await scene.cp.api.create(`/api/v1/namespaces/${scene.namespace}/pods`, {
    metadata: { name: 'lone' },
    spec: { nodeName: lone, containers: [{ name: 'main', image: 'example.invalid/none' }] },
  });
  await eventually(async () => (await podsOnNode(scene.cp, lone))[0]?.status.phase).toBe('Running');
  const failed = await run('blocked', { action: 'Drain', drain: { nodeName: lone } }, 'condition=Stalled');
  expect(condition(failed, 'Ready')).toMatchObject({ status: 'False', reason: 'DrainBlocked', message: expect.stringContaining('/lone') });
  expect(inPhase('Failed')(failed)).toBe(true);
  expect(await writesOn(lone)).toEqual([]);
  await eventually(() => eventsOf('blocked')).toEqual([expect.stringMatching(/^Warning DrainBlocked no pod evicted because of/)]);
});
