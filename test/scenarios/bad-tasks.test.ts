import { beforeAll, expect, test } from 'vitest';
import type { CloudOptimBackend } from '../backends/cloudoptim/server.ts';
import { getNode } from '../cluster/nodes.ts';
import { controlPlane } from '../cluster/shared.ts';
import type { OperatorProcess } from './operator-process.ts';
import { eventually, useScene } from './scene.ts';

const scene = useScene('bad-tasks');
let backend: CloudOptimBackend;
let operator: OperatorProcess;
let node: string;

beforeAll(async () => {
  [node = ''] = await scene.tenant.createNodes(1);
  backend = await scene.backend();
  operator = await scene.operator();
  await scene.connect('prod', backend, { actions: ['Cordon', 'Uncordon', 'Label', 'Drain'] });
  await backend.socketOpen();
});

const uncordon = (id: unknown, more = {}) =>
  ({ task_id: id, task_type: 'uncordon_node', parameters: { node_name: node }, ...more }) as never;

test('bad items of a batch are answered as failed with the reason while the rest of it runs', async () => {
  const bad: [id: string, item: object, reason: string, words: RegExp][] = [
    ['type', { task_type: 'launch_nodes' }, 'UnknownTaskType', /launch_nodes.*drain_node/],
    ['no-type', { task_type: null }, 'MalformedTask', /task_type is missing/],
    ['no-node', { parameters: {} }, 'MalformedTask', /parameters\.node_name is missing/],
    ['parameters', { parameters: ['worker-1'] }, 'MalformedTask', /parameters must be an object/],
    ['number', { parameters: { node_name: 7 } }, 'InvalidParameters', /nodeName/],
    ['words', { parameters: { node_name: 'Not A Name!' } }, 'InvalidParameters', /DNS-1123/],
    [
      'timeout',
      { task_type: 'drain_node', parameters: { node_name: node, timeout_seconds: 'soon' } },
      'InvalidParameters',
      /timeoutSeconds/,
    ],
    ['cluster', { cluster_id: 'somebody-else' }, 'WrongCluster', /somebody-else.*cluster-123/],
    ['deadline', { deadline: 'tomorrow' }, 'MalformedTask', /deadline is not a date/],
    ['instance', { parameters: { instance_id: 'i-404' } }, 'TargetNotFound', /no node has the instance id i-404/],
    ['absent', { parameters: { node_name: 'no-such-node' } }, 'TargetNotFound', /node no-such-node not found/],
    [
      'forbidden',
      { task_type: 'delete_pod', parameters: { namespace: 'a', pod_name: 'b' } },
      'ActionNotAllowed',
      /DeletePod.*Cordon, Uncordon/,
    ],
  ];
  for (const [id, item] of bad) backend.addTask(uncordon(id, item));
  // Nonsense without an id is passed over.
  for (const item of [null, 7, 'text', [], { task_type: 'cordon_node' }]) backend.tasks.add(item);
  backend.addTask({ task_id: 'good', task_type: 'cordon_node', parameters: { node_name: node }, unknown_member: { deep: [1] } });
  const good = await backend.result('good');
  expect(good.body).toMatchObject({ status: 'success', error: null });
  for (const [id, , reason, words] of bad) {
    const { body } = await backend.result(id);
    expect(body, id).toMatchObject({ status: 'failed', metadata: { reason } });
    expect(body.error, id).toMatch(words);
  }
  // A node that is not there is found out by an action; what cannot become one leaves no object.
  const tasks = (await scene.actions.list()).map((object) => object.spec.source?.taskID).sort();
  expect(tasks).toEqual(['absent', 'good']);
  expect((await getNode(controlPlane, node)).spec.unschedulable).toBe(true);
  const { body: metrics } = await operator.fetch('/metrics');
  for (const [outcome, least] of [
    ['created', 2],
    ['rejected', 11],
  ] as const) {
    const [, counted] = metrics.match(new RegExp(`^cloudoptim_tasks_total\\{backend="prod",outcome="${outcome}"\\} (\\d+)$`, 'm')) ?? [];
    expect(Number(counted), outcome).toBeGreaterThanOrEqual(least);
  }
});

test('both list shapes, numbers as ids and every spelling of the members are taken', async () => {
  for (const shape of ['array', 'tasks'] as const) {
    backend.desk.listShape = shape;
    const id = shape === 'array' ? 4711 : 4712;
    backend.addTask(uncordon(id));
    expect((await backend.result(String(id))).body).toMatchObject({ task_id: String(id), status: 'success' });
  }
  backend.tasks.add({ action_id: 'spelled', action_type: 'CORDON_NODE', payload: { node } });
  expect((await backend.result('spelled')).body).toMatchObject({ status: 'success' });
  const odd = 'a/b c?d=é&%2F';
  backend.addTask(uncordon(odd));
  expect((await backend.result(odd)).body).toMatchObject({ status: 'success' });
  const named = (await scene.actions.list()).map((object) => object.spec.source?.taskID);
  expect(named).toEqual(expect.arrayContaining(['4711', '4712', 'spelled', odd]));
});

test('instance_id names the node by the last segment of its providerID', async () => {
  await controlPlane.api.patch(`/api/v1/nodes/${node}`, { spec: { providerID: 'aws:///eu-1a/i-0abc' } });
  await eventually(async () => {
    const id = `instance-${backend.heard.results.length}`;
    backend.pushTask({ task_id: id, task_type: 'cordon_node', parameters: { instance_id: 'i-0abc' } });
    return (await backend.result(id)).body;
  }).toMatchObject({ status: 'success' });
  backend.pushTask({ task_id: 'part', task_type: 'cordon_node', parameters: { instance_id: '0abc' } });
  expect((await backend.result('part')).body).toMatchObject({ status: 'failed', metadata: { reason: 'TargetNotFound' } });
  expect(operator.output()).not.toContain(backend.key);
  expect(backend.violations).toEqual([]);
});
