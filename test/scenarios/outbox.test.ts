import { beforeAll, expect, test } from 'vitest';
import type { Fault } from '../backends/cloudoptim/faults.ts';
import type { HeardRequest } from '../backends/cloudoptim/journal.ts';
import type { CloudOptimBackend } from '../backends/cloudoptim/server.ts';
import { heldNode, isHeld } from './held.ts';
import { condition } from './objects.ts';
import { seedVariables, useScene } from './scene.ts';

const scene = useScene('outbox');
let backend: CloudOptimBackend;
let node: string;

beforeAll(async () => {
  [node = ''] = await scene.tenant.createNodes(1);
  backend = await scene.backend();
  await scene.operator(seedVariables(backend));
  await backend.socketOpen();
});

let tasks = 0;

/** Pushes one task that is never offered again, and returns its id. */
function push(): string {
  const task_id = `label-${++tasks}`;
  backend.pushTask({ task_id, task_type: 'label_node', parameters: { node_name: node, labels: { turn: task_id } } });
  return task_id;
}

function attempts(taskID: string): readonly HeardRequest[] {
  return backend.heard.requests.filter(({ call, target }) => call === 'result' && target.includes(`/${taskID}/`));
}

/** Waits for as many polls as would have brought another attempt. */
async function afterPolls(count: number): Promise<void> {
  const polled = backend.heard.polls.length;
  await backend.waitFor(() => backend.heard.polls.length >= polled + count, `${count} more polls`);
}

test.each<[name: string, fault: Fault]>([
  ['500', { kind: 'status', status: 500 }],
  ['502 of a proxy', { kind: 'status', status: 502, body: '<html>' }],
  ['a path that is not served for a while', { kind: 'status', status: 404, body: { detail: 'Not Found' } }],
  ['a connection that breaks', { kind: 'drop' }],
  ['a connection that breaks when the result was recorded already', { kind: 'drop', handled: true }],
  ['half an answer', { kind: 'half' }],
])('a result that met %s is sent again until it is taken', async (_name, fault) => {
  backend.fail('result', fault, 2);
  const id = push();
  const object = await scene.actions.untilTask(id, (each) => condition(each, 'Reported').status === 'True');
  expect(condition(object, 'Reported')).toMatchObject({ reason: 'Taken' });
  expect(attempts(id)).toHaveLength(3);
  const bodies = new Set(backend.heard.results.filter(({ taskID }) => taskID === id).map(({ body }) => JSON.stringify(body)));
  expect(bodies.size).toBe(1);
});

test.each([429, 503])('%i with Retry-After is not tried again before', async (status) => {
  backend.fail('result', { kind: 'status', status, retryAfter: 3 });
  const id = push();
  await backend.result(id);
  const [first, second] = attempts(id).map(({ at }) => at);
  expect((second ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(2950);
});

test('an answer that is not JSON is an answer: 2xx means taken', async () => {
  backend.fail('result', { kind: 'invalidJSON' });
  const id = push();
  await scene.actions.untilTask(id, (each) => condition(each, 'Reported').status === 'True');
  expect(attempts(id)).toHaveLength(1);
});

test.each([
  [
    422,
    { error: { code: 'validation_error', message: 'task is archived', request_id: 'r-1' } },
    /422 validation_error: task is archived.*r-1/,
  ],
  [404, { error: { code: 'unknown_task', message: 'no such task' } }, /404 unknown_task: no such task/],
])('a final refusal (%i) ends it, and the object shows the words of the backend', async (status, body, words) => {
  backend.fail('result', { kind: 'status', status, body });
  const id = push();
  const object = await scene.actions.untilTask(id, (each) => condition(each, 'Reported').status === 'False');
  expect(condition(object, 'Reported')).toMatchObject({ reason: 'Refused', message: expect.stringMatching(words) });
  expect(object.status?.phase).toBe('Succeeded');
  await afterPolls(2);
  expect(attempts(id)).toHaveLength(1);
});

test('409 means recorded before', async () => {
  backend.fail('result', { kind: 'status', status: 409 });
  const object = await scene.actions.untilTask(push(), (each) => condition(each, 'Reported').status === 'True');
  expect(condition(object, 'Reported')).toMatchObject({ reason: 'Taken' });
});

test('the rejection of a bad task is sent until it is taken as well', async () => {
  backend.fail('result', { kind: 'status', status: 500 }, 2);
  backend.pushTask({ task_id: 'bad', task_type: 'resize' });
  expect((await backend.result('bad')).body).toMatchObject({ status: 'failed', metadata: { reason: 'UnknownTaskType' } });
  expect(attempts('bad')).toHaveLength(3);
  expect(backend.violations).toEqual([]);
});

test('a drain whose object is deleted while it runs is told as cancelled, and the object goes when that was taken', async () => {
  const held = await heldNode(scene, 'deleted');
  backend.pushTask({ task_id: 'deleted', task_type: 'drain_node', parameters: { node_name: held.name } });
  const { metadata } = await scene.actions.untilTask('deleted', isHeld);
  const refused = backend.fail('result', { kind: 'status', status: 500 }, 2);
  await scene.actions.remove(metadata.name);
  expect((await backend.result('deleted')).body).toMatchObject({ status: 'cancelled', metadata: { reason: 'Deleted', evicted: 0 } });
  expect(refused.hits).toBe(2);
  await scene.actions.gone(metadata.name);
});
