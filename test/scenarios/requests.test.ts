import { beforeAll, expect, test } from 'vitest';
import { getNode } from '../cluster/nodes.ts';
import { heldNode, isHeld } from './held.ts';
import { condition, inPhase } from './objects.ts';
import { useScene } from './scene.ts';

const scene = useScene('requests');

beforeAll(() => scene.operator());

async function writesOn(...names: readonly string[]): Promise<string[]> {
  return (await scene.writes()).filter((line) => names.some((name) => line.endsWith(name)));
}

const isUnschedulable = async (node: string) => (await getNode(scene.cp, node)).spec.unschedulable === true;

/** Something else from start to end: whatever the operator was going to do at once, it has done by then. */
let others = 0;
async function meanwhile(): Promise<void> {
  const name = `other-${++others}`;
  await scene.actions.create(name, { action: 'Label', label: { kind: 'Namespace', name: scene.namespace, set: { turn: name } } });
  await scene.actions.until(name, inPhase('Succeeded'));
}

test('Plan tells what would happen and writes nothing but its own status', async () => {
  const held = await heldNode(scene, 'planned', 2);
  await scene.actions.create('plan', { action: 'Drain', mode: 'Plan', drain: { nodeName: held.name } });
  const { status } = await scene.actions.until('plan', inPhase('Planned'));
  expect(status?.plan).toMatchObject({ change: 2, skip: [], blocked: held.pods.map((pod) => expect.stringContaining(pod)) });
  expect(status).not.toHaveProperty('startedAt');
  expect(await writesOn(held.name, ...held.pods)).toEqual([]);
});

test('suspend holds it before the start, and pauses it between steps', async () => {
  const held = await heldNode(scene, 'paused');
  await scene.actions.create('pause', { action: 'Drain', suspend: true, drain: { nodeName: held.name } });
  expect((await scene.actions.until('pause', inPhase('Suspended'))).status).not.toHaveProperty('startedAt');
  expect(await isUnschedulable(held.name)).toBe(false);
  // A suspended request that has not started keeps nobody off the node.
  await scene.actions.create('passes', { action: 'Label', label: { kind: 'Node', name: held.name, set: { a: 'b' } } });
  await scene.actions.until('passes', inPhase('Succeeded'));
  await scene.actions.patch('pause', { suspend: false });
  await scene.actions.until('pause', isHeld);
  await scene.actions.patch('pause', { suspend: true });
  await scene.actions.until('pause', inPhase('Suspended'));
  await held.letGo();
  await meanwhile();
  expect(await writesOn(...held.pods)).toEqual([]);
  await scene.actions.patch('pause', { suspend: false });
  await scene.actions.until('pause', inPhase('Succeeded'));
  expect(await writesOn(...held.pods)).toEqual([`create pods/eviction ${held.pods[0]}`]);
});

test.each([true, false])('cancel stops a drain; its own cordon goes when asked for (%s)', async (uncordonOnFailure) => {
  const held = await heldNode(scene, `cancelled-${uncordonOnFailure}`);
  const name = `cancel-${uncordonOnFailure}`;
  await scene.actions.create(name, { action: 'Drain', drain: { nodeName: held.name, uncordonOnFailure } });
  await scene.actions.until(name, isHeld);
  expect(await isUnschedulable(held.name)).toBe(true);
  await scene.actions.patch(name, { cancel: true });
  const ended = await scene.actions.until(name, inPhase('Cancelled'));
  const undone = uncordonOnFailure ? `; node ${held.name} uncordoned again` : '';
  expect(condition(ended, 'Ready')).toMatchObject({ reason: 'Cancelled', message: `stopped: spec.cancel was set${undone}` });
  expect(await isUnschedulable(held.name)).toBe(!uncordonOnFailure);
  await held.letGo();
  await meanwhile();
  expect(await writesOn(...held.pods)).toEqual([]);
});

test('deleting a running drain ends it, undoes its cordon when asked for, and releases the object and the node', async () => {
  const held = await heldNode(scene, 'deleted');
  await scene.actions.create('delete', { action: 'Drain', drain: { nodeName: held.name, uncordonOnFailure: true } });
  expect((await scene.actions.until('delete', isHeld)).metadata.finalizers).toEqual(['cloudoptim.io/operator']);
  await scene.actions.create('next', { action: 'Cordon', cordon: { nodeName: held.name } });
  await scene.actions.until('next', inPhase('Queued'));
  const { code } = await scene.cp.kubectl(['delete', 'oa', 'delete', '-n', scene.namespace, '--timeout=20s']);
  expect(code).toBe(0);
  // Uncordoned by the first before the second cordons: both wrote.
  expect(await scene.actions.until('next', inPhase('Succeeded'))).toMatchObject({ status: { result: { changed: true } } });
  expect(await writesOn(held.name, ...held.pods)).toEqual(Array(3).fill(`patch nodes/${held.name}`));
});

test('requests for one node go one after the other, and name who holds it', async () => {
  const held = await heldNode(scene, 'locked');
  await scene.actions.create('holder', { action: 'Drain', drain: { nodeName: held.name } });
  await scene.actions.until('holder', isHeld);
  for (const name of ['queued', 'cancelled', 'gone']) {
    await scene.actions.create(name, { action: 'Uncordon', uncordon: { nodeName: held.name } });
    const object = await scene.actions.until(name, inPhase('Queued'));
    const message = `waits for ${scene.namespace}/holder, which is working on node/${held.name}`;
    expect(condition(object, 'Ready')).toMatchObject({ status: 'Unknown', reason: 'TargetLocked', message });
  }
  await scene.actions.patch('cancelled', { cancel: true });
  const cancelled = await scene.actions.until('cancelled', inPhase('Cancelled'));
  expect(condition(cancelled, 'Ready').message).toBe('never started: spec.cancel was set');
  await scene.actions.remove('gone');
  await scene.actions.gone('gone');
  await held.letGo();
  const [holder, queued] = await Promise.all(['holder', 'queued'].map((name) => scene.actions.until(name, inPhase('Succeeded'))));
  expect(Date.parse(queued?.status?.startedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(holder?.status?.finishedAt ?? ''));
  expect(await isUnschedulable(held.name)).toBe(false);
});

test('what is asked for cannot be edited while it runs; how long it is kept can', async () => {
  const held = await heldNode(scene, 'edited');
  await scene.actions.create('edit', { action: 'Drain', drain: { nodeName: held.name } });
  await scene.actions.until('edit', isHeld);
  for (const change of [{ drain: { nodeName: 'another' } }, { drain: { force: true } }, { mode: 'Plan' }, { priority: 1 }]) {
    await expect(scene.actions.patch('edit', change)).rejects.toThrow(/immutable/);
  }
  await scene.actions.patch('edit', { ttlSecondsAfterFinished: 0 });
  await held.letGo();
  await scene.actions.gone('edit');
  expect(await writesOn(...held.pods)).toEqual([`create pods/eviction ${held.pods[0]}`]);
});

test('an object that Argo CD tracks is not deleted by its TTL', async () => {
  await scene.cp.api.create(scene.actions.path, {
    apiVersion: 'cloudoptim.io/v1alpha1',
    kind: 'OptimizationAction',
    metadata: { name: 'tracked', annotations: { 'argocd.argoproj.io/tracking-id': 'app:x' } },
    spec: { action: 'Label', ttlSecondsAfterFinished: 0, label: { kind: 'Namespace', name: scene.namespace, set: { tracked: 'a' } } },
  });
  await scene.actions.until('tracked', inPhase('Succeeded'));
  await meanwhile();
  expect(await scene.actions.get('tracked')).toMatchObject({ metadata: { name: 'tracked' } });
});
