import { beforeAll, expect, test } from 'vitest';
import type { Fault } from '../backends/cloudoptim/faults.ts';
import type { CloudOptimBackend } from '../backends/cloudoptim/server.ts';
import { getNode } from '../cluster/nodes.ts';
import { inPhase } from './objects.ts';
import type { OperatorProcess } from './operator-process.ts';
import { seedVariables, useScene } from './scene.ts';

const scene = useScene('bad-backend');
let backend: CloudOptimBackend;
let operator: OperatorProcess;
let node: string;

beforeAll(async () => {
  [node = ''] = await scene.tenant.createNodes(1);
  backend = await scene.backend({ redelivery: 'once' });
  operator = await scene.operator(seedVariables(backend));
  await backend.socketOpen();
});

let tasks = 0;

function nextTask(more: object = {}) {
  const task_id = `t-${++tasks}`;
  return { task_id, task_type: 'label_node', parameters: { node_name: node, labels: { turn: task_id } }, ...more };
}

test.each<[name: string, fault: Fault]>([
  ['cut JSON', { kind: 'invalidJSON' }],
  ['an HTML page', { kind: 'invalidJSON', text: '<html>' }],
  ['a number', { kind: 'invalidJSON', text: '7' }],
  ['a list that is none', { kind: 'invalidJSON', text: '{"tasks":{"task_id":"x"}}' }],
  ['nested a hundred thousand deep', { kind: 'invalidJSON', text: '['.repeat(100_000) }],
  ['nine megabytes', { kind: 'huge', bytes: 9 * 2 ** 20 }],
  ['half of it', { kind: 'half' }],
  ['a redirect', { kind: 'status', status: 302, location: 'http://127.0.0.1:1/' }],
])('polls answered with %s leave the operator at work', async (_name, fault) => {
  const handle = backend.fail('tasks', fault, 1);
  await backend.waitFor(() => handle.hits === 1, 'the poll that goes wrong');
  const task = backend.addTask(nextTask());
  expect((await backend.result(task.task_id, 15_000)).body).toMatchObject({ status: 'success', metadata: { changed: true } });
});

test('frames that are no tasks are passed over', async () => {
  const frames = [
    '',
    'Ack: 7 bytes',
    '7',
    'null',
    '[]',
    '{"type":"config_update"}',
    '{"type":"task"}',
    '{"type":"task","task":[[]]}',
    '[null,{}]',
  ];
  for (const frame of frames) backend.stream.send(frame);
  backend.stream.send(Buffer.from([0, 255, 254]));
  const task = backend.pushTask(nextTask());
  expect((await backend.result(task.task_id)).body).toMatchObject({ status: 'success' });
});

test('a frame without end closes the socket, and the next socket works', async () => {
  const before = backend.heard.sockets.length;
  backend.stream.send(`{"tasks":["${'x'.repeat(16 * 2 ** 20)}"]}`);
  await backend.waitFor(() => backend.heard.sockets.length > before && backend.stream.size > 0, 'another socket', 15_000);
  const task = backend.pushTask(nextTask());
  expect((await backend.result(task.task_id)).body).toMatchObject({ status: 'success' });
});

test.each([
  ['made in the far future', { created_at: '2099-01-01T00:00:00Z' }],
  ['with a deadline at the end of time', { deadline: '9999-12-31T23:59:59.999999Z' }],
  ['with times of another zone and without seconds', { created_at: '2001-01-01T00:00', deadline: '2099-01-01T00:00:00+14:00' }],
])('a task %s runs', async (_name, times) => {
  const task = backend.pushTask(nextTask(times));
  expect((await backend.result(task.task_id)).body).toMatchObject({ status: 'success' });
});

test('a backend that answers nothing any more holds up nobody else, and its results wait for it', async () => {
  const silent = backend.fail('any', { kind: 'silent' }, Number.POSITIVE_INFINITY);
  await backend.waitFor(() => silent.hits > 0, 'a request that is not answered');
  const task = backend.pushTask(nextTask());
  const recorded = await scene.actions.untilTask(task.task_id, inPhase('Succeeded'));
  await scene.actions.create('mine', { action: 'Cordon', cordon: { nodeName: node } });
  await scene.actions.until('mine', inPhase('Succeeded'));
  expect((await operator.fetch('/healthz')).status).toBe(200);
  // Its connections end, as when it is restarted: everything goes on.
  const { clusterID, key, url } = backend;
  await backend.close();
  const back = await scene.backend({ clusterID, key, port: Number(new URL(url).port) });
  expect((await back.result(task.task_id, 20_000)).body).toMatchObject({ status: 'success' });
  await scene.actions.until(recorded.metadata.name, ({ status }) => status?.conditions?.some((each) => each.type === 'Reported'));
});

test('every task ran once, the key stands in no log, and the process stops as always', async () => {
  const labels = (await scene.writes()).filter((line) => line === `patch nodes/${node}`);
  // One for each task, and one for the Cordon.
  expect(labels).toHaveLength(tasks + 1);
  expect((await getNode(scene.cp, node)).metadata.labels).toMatchObject({ turn: `t-${tasks}` });
  expect(backend.violations).toEqual([]);
  expect(operator.output()).not.toContain(backend.key);
  expect(await operator.stop()).toBe(0);
});
