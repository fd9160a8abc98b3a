import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { getNode } from '../cluster/nodes.ts';
import { controlPlane } from '../cluster/shared.ts';
import { podsOnNode } from '../cluster/workloads.ts';
import { condition, inPhase } from './objects.ts';
import { seedVariables, useScene } from './scene.ts';

const scene = useScene('mirror');

/** The name of API.md, counted anew: 16 hex digits over cluster id and task id. */
function nameOf(clusterID: string, taskID: string): string {
  return `default-${createHash('sha256').update(`${clusterID}\n${taskID}`).digest('hex').slice(0, 16)}`;
}

test('a task repeated by poll and socket, before, during and after, over SIGTERM and SIGKILL, runs once and is answered from its object', async () => {
  const [node = ''] = await scene.tenant.createNodes(2);
  const nodes = { 'kubernetes.io/hostname': node };
  await scene.tenant.createDeployment({ name: 'web', replicas: 3, budget: { minAvailable: 3 }, podSpec: { nodeSelector: nodes } });
  const evicted = (await podsOnNode(controlPlane, node)).map((pod) => pod.metadata.name).sort();
  expect(evicted).toHaveLength(3);
  const backend = await scene.backend({ redelivery: 'always' });
  backend.tasks.copies = 2;
  const task = backend.addTask({ task_id: 'drain-1', task_type: 'drain_node', parameters: { node_name: node } });
  const name = nameOf(backend.clusterID, 'drain-1');
  const again = async () => {
    await backend.socketOpen();
    for (const form of ['task', 'bare', 'array', 'tasks', 'inline'] as const) backend.pushTask(task, { form });
    const polled = backend.heard.polls.length;
    await backend.waitFor(() => backend.heard.polls.length >= polled + 1, 'one more poll that hands the task out');
  };

  let operator = await scene.operator(seedVariables(backend));
  await scene.actions.until(name, (object) => object.status?.blockers?.length === 3);
  await again();
  expect(await operator.stop('SIGTERM')).toBe(0);
  operator = await scene.operator(seedVariables(backend));
  await again();
  expect(await operator.stop('SIGKILL')).toBe('SIGKILL');
  operator = await scene.operator(seedVariables(backend));
  await again();
  expect(await scene.actions.get(name)).toMatchObject({ status: { phase: 'Running', startedAt: expect.any(String) } });
  expect(backend.heard.results).toEqual([]);

  await controlPlane.api.patch(`/apis/policy/v1/namespaces/${scene.namespace}/poddisruptionbudgets/web`, { spec: { minAvailable: 0 } });
  const first = await backend.result('drain-1', 20_000);
  expect(first.body).toMatchObject({ status: 'success', logs: 'Successfully drained 3 pods', error: null });
  await scene.actions.until(name, (object) => condition(object, 'Reported').status === 'True');
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    await operator.stop(signal);
    operator = await scene.operator(seedVariables(backend));
    const known = backend.heard.results.length;
    await again();
    await backend.waitFor(() => backend.heard.results.length > known, 'the stored result once more');
  }

  const finished = await scene.actions.get(name);
  expect(finished).toMatchObject({ metadata: { labels: { 'cloudoptim.io/backend': 'default' } }, spec: { source: { taskID: 'drain-1' } } });
  expect(new Set(backend.heard.results.map(({ body }) => JSON.stringify(body)))).toEqual(new Set([JSON.stringify(first.body)]));
  expect(await scene.actions.list()).toHaveLength(1);
  const evictions = evicted.map((pod) => `create pods/eviction ${scene.namespace}/${pod}`);
  expect((await scene.writes()).sort()).toEqual([...evictions, `patch nodes/${node}`].sort());
  expect(backend.violations).toEqual([]);
  await operator.stop();
});

test('one task on every channel at the same moment becomes one object and one write', async () => {
  const [node = ''] = await scene.tenant.createNodes(1);
  const backend = await scene.backend();
  const operator = await scene.operator(seedVariables(backend));
  await backend.socketOpen();
  const task = backend.addTask({ task_id: 'cordon-1', task_type: 'cordon_node', parameters: { node_name: node } });
  for (let times = 0; times < 20; times++) backend.pushTask(task);
  await backend.result('cordon-1');
  await scene.actions.until(nameOf(backend.clusterID, 'cordon-1'), inPhase('Succeeded'));
  expect((await scene.writes()).filter((line) => line.endsWith(node))).toEqual([`patch nodes/${node}`]);
  await operator.stop();
});

test('a process that is killed in the middle of many tasks: each was recorded once and wrote once', async () => {
  const nodes = await scene.tenant.createNodes(6);
  const backend = await scene.backend();
  const first = await scene.operator(seedVariables(backend));
  const ids = Array.from({ length: 120 }, (_, index) => `many-${index}`);
  for (const [index, task_id] of ids.entries()) {
    backend.addTask({
      task_id,
      task_type: 'label_node',
      parameters: { node_name: nodes[index % nodes.length], labels: { [task_id]: 'done' } },
    });
  }
  await backend.waitFor(() => backend.heard.results.length > 20, 'the first results');
  await first.stop('SIGKILL');
  const second = await scene.operator(seedVariables(backend));
  const heard = () => new Set(backend.heard.results.map(({ taskID }) => taskID));
  await backend.waitFor(() => heard().size === ids.length, 'all results', 30_000);
  expect(new Set(backend.heard.results.map(({ body }) => body.status))).toEqual(new Set(['success']));
  const named = (await scene.actions.list()).filter(({ spec }) => spec.source?.taskID.startsWith('many-'));
  expect(named).toHaveLength(ids.length);
  // A write whose answer the killed process did not live to hear may be missing in the audit log; one too many would be there.
  const writes = (await scene.writes()).filter((line) => nodes.some((node) => line === `patch nodes/${node}`));
  expect(writes.length).toBeLessThanOrEqual(ids.length);
  const labels = await Promise.all(nodes.map(async (node) => Object.entries((await getNode(scene.cp, node)).metadata.labels ?? {})));
  expect(labels.flat().filter(([key, value]) => ids.includes(key) && value === 'done')).toHaveLength(ids.length);
  expect(backend.violations).toEqual([]);
  await second.stop();
});
