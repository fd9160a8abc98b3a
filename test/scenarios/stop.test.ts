import { expect, test } from 'vitest';
import { heldNode, isHeld } from './held.ts';
import { condition, inPhase } from './objects.ts';
import { eventually, seedVariables, useScene } from './scene.ts';

const scene = useScene('stop');

const labels = (task_id: string, name: string) => ({
  task_id,
  task_type: 'label_node',
  parameters: { node_name: name, labels: { task_id } },
});

test('a stop in the middle of a drain says goodbye and ends with 0; the next process finishes the drain', async () => {
  const held = await heldNode(scene, 'middle', 4);
  const backend = await scene.backend();
  const first = await scene.operator(seedVariables(backend));
  await backend.socketOpen();
  backend.pushTask({ task_id: 'drain', task_type: 'drain_node', parameters: { node_name: held.name } });
  await scene.actions.untilTask('drain', isHeld);
  await held.letGo(2);
  const { status } = await scene.actions.untilTask('drain', (object) => object.status?.progress?.done === 2 && isHeld(object));
  const before = backend.heard.metrics.length;
  await backend.waitFor(() => backend.heard.heartbeats.some(({ body }) => body.status === 'healthy'), 'a heartbeat of every day');

  expect(await first.stop()).toBe(0);
  expect(first.log.at(-1)?.message).toBe('stopped');
  expect(backend.heard.metrics.length).toBeGreaterThan(before);
  // The last word is the goodbye, after the last snapshot; what is left of events may go with that.
  const last = backend.heard.requests.slice(-3).map(({ call }) => call);
  expect(last.at(-1)).toBe('heartbeat');
  expect(last).toContain('metrics');
  expect(backend.heard.heartbeats.at(-1)?.body).toMatchObject({ status: 'stopping' });
  expect(backend.stream.size).toBe(0);
  await held.letGo();
  backend.addTask(labels('while-away', held.name));
  expect(await scene.actions.untilTask('drain', inPhase('Running'))).toMatchObject({ status: { startedAt: status?.startedAt } });

  const second = await scene.operator(seedVariables(backend));
  expect((await backend.result('drain', 20_000)).body).toMatchObject({ status: 'success', logs: 'Successfully drained 4 pods' });
  expect((await backend.result('while-away')).body).toMatchObject({ status: 'success' });
  expect(backend.heard.results.filter(({ taskID }) => taskID === 'drain')).toHaveLength(1);
  const evictions = (await scene.writes()).filter((line) => line.includes('eviction'));
  expect(evictions.sort()).toEqual(held.pods.map((pod) => `create pods/eviction ${pod}`));
  expect(await second.stop()).toBe(0);
  expect(backend.violations).toEqual([]);
});

test('a result that is on its way is waited for, and noted', async () => {
  const [node = ''] = await scene.tenant.createNodes(1);
  const backend = await scene.backend();
  const operator = await scene.operator(seedVariables(backend));
  await backend.socketOpen();
  const slow = backend.fail('result', { kind: 'delay' });
  backend.pushTask(labels('on-its-way', node));
  await backend.waitFor(() => slow.hits === 1, 'the result on its way');
  const stopped = operator.stop();
  await eventually(() => operator.log.some(({ message }) => message === 'stopping')).toBe(true);
  slow.release();
  expect(await stopped).toBe(0);
  expect(backend.heard.results.map(({ taskID }) => taskID)).toEqual(['on-its-way']);
  expect(condition(await scene.actions.untilTask('on-its-way', inPhase('Succeeded')), 'Reported').status).toBe('True');
});

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s while the backend never answers: it ends within the grace period, and the second one at once',
  async (signal) => {
    const [node = ''] = await scene.tenant.createNodes(1);
    const backend = await scene.backend();
    const patient = { ...seedVariables(backend), SHUTDOWN_GRACE_SECONDS: signal === 'SIGTERM' ? '6' : '600' };
    const operator = await scene.operator(patient);
    await backend.socketOpen();
    const silent = backend.fail('any', { kind: 'silent' }, Number.POSITIVE_INFINITY);
    backend.pushTask(labels(`silent-${signal}`, node));
    await scene.actions.untilTask(`silent-${signal}`, inPhase('Succeeded'));
    await backend.waitFor(() => silent.hits >= 3, 'requests that are not answered');
    const began = performance.now();
    const stopped = operator.stop(signal);
    if (signal === 'SIGINT') {
      await eventually(() => operator.log.some(({ message }) => message === 'stopping')).toBe(true);
      expect(await operator.stop(signal)).toBe(signal);
    } else {
      expect(await stopped).toBe(0);
      expect(performance.now() - began).toBeLessThan(7000);
      expect(backend.heard.requests.at(-1)?.call).toBe('heartbeat');
    }
    // The result is still in its object.
    expect(condition(await scene.actions.untilTask(`silent-${signal}`, inPhase('Succeeded')), 'Reported').status).toBe('Unknown');
  },
);
