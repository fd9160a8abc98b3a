import { expect, test } from 'vitest';
import { getNode } from '../cluster/nodes.ts';
import { heldNode, isHeld } from './held.ts';
import { condition, inPhase } from './objects.ts';
import { eventually, seedVariables, useScene } from './scene.ts';

const scene = useScene('dry-run');

test('with DRY_RUN every task and every action is a plan: the backend is told so, and nothing is changed', async () => {
  const held = await heldNode(scene, 'shop', 2);
  const backend = await scene.backend();
  const operator = await scene.operator({ ...seedVariables(backend), DRY_RUN: 'True' });
  await backend.socketOpen();
  const [namespace = '', pod_name = ''] = held.pods[0]?.split('/') ?? [];
  const node_name = held.name;
  const tasks = [
    ['drain_node', { node_name }, 2],
    ['cordon_node', { node_name }, 1],
    ['uncordon_node', { node_name }, 0],
    ['label_node', { node_name, labels: { a: 'b' } }, 1],
    ['evict_pod', { namespace, pod_name }, 1],
    ['delete_pod', { namespace, pod_name }, 1],
  ] as const;
  for (const [task_type, parameters, change] of tasks) {
    backend.pushTask({ task_id: task_type, task_type, parameters });
    const { body } = await backend.result(task_type);
    expect(body).toMatchObject({
      status: 'success',
      error: null,
      logs: expect.stringMatching(new RegExp(`^would change ${change}, `)),
      metadata: { dry_run: true, reason: 'Planned', plan: { change } },
    });
    expect(await scene.actions.untilTask(task_type, inPhase('Planned'))).toMatchObject({ spec: { mode: 'Plan' } });
  }
  const drained = backend.heard.results.find(({ taskID }) => taskID === 'drain_node');
  expect(drained?.body.metadata).toMatchObject({
    plan: { pods: held.pods.map((pod) => ({ pod, verdict: 'Wait', reason: 'PDBNeverSatisfiable', budget: `${namespace}/shop` })) },
  });
  // Made by hand, and not as a plan: the operator carries nothing out all the same.
  await scene.actions.create('by-hand', { action: 'Cordon', cordon: { nodeName: held.name } });
  const byHand = await scene.actions.until('by-hand', inPhase('Planned'));
  expect(condition(byHand, 'Ready').message).toBe('DRY_RUN: would change 1, leave 0 alone; 0 in the way');
  expect(await scene.writes()).toEqual([]);
  expect(backend.violations).toEqual([]);
  expect(await operator.stop()).toBe(0);
});

test('what was started before DRY_RUN was set is held, not even undone, and goes on without it', async () => {
  const goesOn = await heldNode(scene, 'goes-on');
  const cancelled = await heldNode(scene, 'cancelled');
  const first = await scene.operator();
  for (const { name } of [goesOn, cancelled]) {
    await scene.actions.create(name, { action: 'Drain', drain: { nodeName: name, uncordonOnFailure: true } });
    await scene.actions.until(name, isHeld);
  }
  expect(await first.stop()).toBe(0);
  const before = await scene.writes();

  const dry = await scene.operator({ DRY_RUN: 'true' });
  const waiting = await scene.actions.until(goesOn.name, (object) => condition(object, 'Ready').reason === 'DryRun');
  expect(waiting).toMatchObject({ status: { phase: 'Running', blockers: [{ pod: goesOn.pods[0] }] } });
  await goesOn.letGo();
  await scene.actions.patch(cancelled.name, { cancel: true });
  const ended = await scene.actions.until(cancelled.name, inPhase('Cancelled'));
  expect(condition(ended, 'Ready').message).toBe('stopped: spec.cancel was set; DRY_RUN: nothing was undone');
  expect((await getNode(scene.cp, cancelled.name)).spec.unschedulable).toBe(true);
  expect(await scene.writes()).toEqual(before);
  expect(await dry.stop()).toBe(0);

  await scene.operator();
  await scene.actions.until(goesOn.name, inPhase('Succeeded'));
  const evictions = async () => (await scene.writes()).filter((line) => line.includes('eviction'));
  await eventually(evictions).toEqual([`create pods/eviction ${goesOn.pods[0]}`]);
});
