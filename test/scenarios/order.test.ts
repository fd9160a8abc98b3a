import { beforeAll, expect, test } from 'vitest';
import type { CloudOptimBackend } from '../backends/cloudoptim/server.ts';
import { getNode } from '../cluster/nodes.ts';
import { controlPlane } from '../cluster/shared.ts';
import { condition, inPhase } from './objects.ts';
import { seedVariables, useScene } from './scene.ts';

const scene = useScene('order');
let backend: CloudOptimBackend;

beforeAll(async () => {
  backend = await scene.backend();
  await scene.operator(seedVariables(backend));
  await backend.socketOpen();
});

/** A node with one pod that its budget holds, and a drain of it that therefore does not end. */
async function heldDrain(taskID: string, more: object = {}): Promise<string> {
  const [node = ''] = await scene.tenant.createNodes(1);
  const podSpec = { nodeSelector: { 'kubernetes.io/hostname': node } };
  await scene.tenant.createDeployment({ name: taskID, replicas: 1, budget: { minAvailable: 1 }, podSpec });
  backend.pushTask({ task_id: taskID, task_type: 'drain_node', parameters: { node_name: node }, ...more });
  await scene.actions.untilTask(taskID, (object) => object.status?.blockers?.length === 1);
  return node;
}

test('of the tasks that wait for one node priority 1 goes first, and of equals the one that came first', async () => {
  const node = await heldDrain('holder');
  const order = [9, 5, 10, 1, 5, 2];
  for (const [index, priority] of order.entries()) {
    const task_id = `p${priority}-${index}`;
    backend.pushTask({ task_id, priority, task_type: 'label_node', parameters: { node_name: node, labels: { turn: task_id } } });
    // One after the other, so that "came first" is told apart.
    const waiting = await scene.actions.untilTask(task_id, inPhase('Queued'));
    expect(condition(waiting, 'Ready')).toMatchObject({ reason: 'TargetLocked', message: expect.stringContaining(`node/${node}`) });
  }
  const holder = await scene.actions.untilTask('holder', inPhase('Running'));
  await scene.actions.patch(holder.metadata.name, { cancel: true });
  expect((await backend.result('holder')).body).toMatchObject({ status: 'cancelled' });
  for (const [index, priority] of order.entries()) await backend.result(`p${priority}-${index}`);
  const turns = (await scene.actions.list())
    .filter((object) => object.spec.action === 'Label')
    .sort((a, b) => Date.parse(a.status?.startedAt ?? '') - Date.parse(b.status?.startedAt ?? ''));
  const expected = ['p1-3', 'p2-5', 'p5-1', 'p5-4', 'p9-0', 'p10-2'];
  expect(turns.map((object) => object.spec.source?.taskID)).toEqual(expected);
  expect((await getNode(controlPlane, node)).metadata.labels).toMatchObject({ turn: 'p10-2' });
});

test('a task whose deadline has passed is never started, and says timeout', async () => {
  const [node = ''] = await scene.tenant.createNodes(1);
  const late = { task_type: 'cordon_node', parameters: { node_name: node } };
  backend.pushTask({ task_id: 'late', ...late, deadline: '2025-11-28T10:00:00Z' });
  // Without a deadline: one hour after created_at.
  backend.pushTask({ task_id: 'old', ...late, created_at: '2025-11-28T10:00:00' });
  for (const id of ['late', 'old']) {
    const { body } = await backend.result(id);
    expect(body).toMatchObject({ status: 'timeout', metadata: { reason: 'DeadlineExceeded' } });
    expect(body.error).toMatch(/^never started: the deadline 2025-11-28T1\d:00:00.000Z has passed$/);
    expect((await scene.actions.untilTask(id, inPhase('Expired'))).status).not.toHaveProperty('startedAt');
  }
  expect((await scene.writes()).filter((line) => line.endsWith(node))).toEqual([]);
});

test('a drain that runs stops at its deadline', async () => {
  const deadline = new Date(Date.now() + 3000).toISOString();
  const node = await heldDrain('stops', { deadline });
  const { body } = await backend.result('stops');
  expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(deadline));
  expect(body).toMatchObject({ status: 'timeout', metadata: { reason: 'DeadlineExceeded', evicted: 0, remaining: 1 } });
  const writes = await scene.writes();
  expect(writes.filter((line) => line.includes('eviction'))).toEqual([]);
  expect(writes).toContain(`patch nodes/${node}`);
});

test('a task that waits behind another one expires in the queue', async () => {
  const node = await heldDrain('before');
  const deadline = new Date(Date.now() + 2000).toISOString();
  backend.pushTask({ task_id: 'waits', task_type: 'label_node', parameters: { node_name: node, labels: { a: 'b' } }, deadline });
  expect((await backend.result('waits')).body).toMatchObject({ status: 'timeout', error: expect.stringMatching(/^never started/) });
});
