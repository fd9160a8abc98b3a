import { expect, test } from 'vitest';
import { controlPlane } from '../cluster/shared.ts';
import { condition, inPhase } from './objects.ts';
import { eventually, seedVariables, useScene } from './scene.ts';

const scene = useScene('away');

test('what ends while the backend is away waits in its object, over a restart, a deletion and a TTL, and is told once it is back', async () => {
  const [node = '', other = ''] = await scene.tenant.createNodes(2);
  const podSpec = { nodeSelector: { 'kubernetes.io/hostname': node } };
  await scene.tenant.createDeployment({ name: 'web', replicas: 2, budget: { minAvailable: 2 }, podSpec });
  const backend = await scene.backend();
  const env = seedVariables(backend);
  const first = await scene.operator(env);
  await backend.socketOpen();
  // Two that end only when the backend is away: one held by a budget, one behind it. A third ends before and its result is never answered.
  const silent = backend.fail('result', { kind: 'silent' }, Number.POSITIVE_INFINITY);
  const on = (name: string) => ({ parameters: { node_name: name } });
  backend.pushTask({ task_id: 'drain', task_type: 'drain_node', ...on(node) });
  const drain = await scene.actions.untilTask('drain', (object) => object.status?.blockers?.length === 2);
  backend.pushTask({ task_id: 'uncordon', task_type: 'uncordon_node', ...on(node) });
  const uncordon = await scene.actions.untilTask('uncordon', inPhase('Queued'));
  backend.pushTask({ task_id: 'cordon', task_type: 'cordon_node', ...on(other) });
  const cordon = await scene.actions.untilTask('cordon', inPhase('Succeeded'));
  await backend.waitFor(() => silent.hits > 0, 'the result that is never answered');
  await backend.close();

  await controlPlane.api.patch(`/apis/policy/v1/namespaces/${scene.namespace}/poddisruptionbudgets/web`, { spec: { minAvailable: 0 } });
  await scene.actions.until(drain.metadata.name, inPhase('Succeeded'));
  expect(await first.stop()).toBe(0);
  const second = await scene.operator(env);
  await scene.actions.until(uncordon.metadata.name, inPhase('Succeeded'));
  await eventually(async () => second.fetch('/readyz')).toMatchObject({
    status: 503,
    body: expect.stringMatching(/\[-\] backend default: .*ECONNREFUSED/),
  });
  // Deleted by a user, and over its TTL: both stay. An action of nobody's with the same TTL shows that the TTL works.
  await scene.actions.remove(drain.metadata.name);
  await scene.actions.patch(uncordon.metadata.name, { ttlSecondsAfterFinished: 0 });
  await scene.actions.create('own', { action: 'Uncordon', uncordon: { nodeName: other }, ttlSecondsAfterFinished: 0 });
  await scene.actions.gone('own');
  expect(await scene.actions.get(drain.metadata.name)).toMatchObject({ metadata: { deletionTimestamp: expect.any(String) } });
  for (const { metadata } of [drain, uncordon, cordon]) {
    expect(condition(await scene.actions.get(metadata.name), 'Reported').status).toBe('Unknown');
  }

  const { clusterID, key } = backend;
  const back = await scene.backend({ clusterID, key, port: Number(new URL(env.CENTRAL_SERVER_URL ?? '').port) });
  expect((await back.result('drain', 30_000)).body).toMatchObject({ status: 'success', logs: 'Successfully drained 2 pods' });
  expect((await back.result('uncordon')).body).toMatchObject({ status: 'success', metadata: { changed: true } });
  expect((await back.result('cordon')).body).toMatchObject({
    status: 'success',
    executed_at: cordon.status?.startedAt?.replace(/\.\d+/, ''),
  });
  await scene.actions.gone(drain.metadata.name);
  await scene.actions.gone(uncordon.metadata.name);
  await scene.actions.until(cordon.metadata.name, (object) => condition(object, 'Reported').status === 'True');
  expect(back.heard.results.map(({ taskID }) => taskID).sort()).toEqual(['cordon', 'drain', 'uncordon']);
  expect(back.violations).toEqual([]);
  await second.ready();
});
