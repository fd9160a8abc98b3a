import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import type { CloudOptimBackend } from '../backends/cloudoptim/server.ts';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { applyCrds } from '../cluster/crds.ts';
import { startFaultProxy } from '../cluster/fault-proxy.ts';
import { getNode } from '../cluster/nodes.ts';
import { createTenant } from '../cluster/tenant.ts';
import { podsOnNode } from '../cluster/workloads.ts';
import { startBlackHole } from '../kube/black-hole.ts';
import { inPhase } from '../scenarios/objects.ts';
import type { OperatorProcess } from '../scenarios/operator-process.ts';
import { eventually, Scene, seedVariables } from '../scenarios/scene.ts';

// A restart and dead connections take their time on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const scene = new Scene();
let cp: ControlPlane;
let backend: CloudOptimBackend;

beforeAll(async () => {
  cp = await startControlPlane({ audit: true });
  await applyCrds(cp);
  await scene.set(cp, await createTenant(cp, 'faults'));
  backend = await scene.backend();
});

afterAll(async () => {
  await scene.clear();
  await cp.close();
});

/** An operator that ends with the test; nothing ended it before. */
async function operatorOfTest(env: Record<string, string> = {}, server?: string): Promise<OperatorProcess> {
  const operator = await scene.operator({ ...seedVariables(backend), ...env }, server);
  onTestFinished(async () => {
    expect(await operator.stop()).toBe(0);
  });
  await operator.ready();
  return operator;
}

function add(task_id: string, task_type: string, node_name: string): void {
  backend.addTask({ task_id, task_type, parameters: { node_name } });
}

/** A node with pods that take a while to go, one after the other. */
async function slowNode(name: string, replicas: number): Promise<string> {
  const [node = ''] = await scene.tenant.createNodes(1);
  const podSpec = { nodeSelector: { 'kubernetes.io/hostname': node } };
  await scene.tenant.createDeployment({ name, replicas, terminatesAfter: '300ms', podSpec });
  return node;
}

test('the API server restarts in the middle of a drain: it is finished, and each pod was evicted once', async () => {
  const node = await slowNode('restart', 4);
  const path = `/apis/policy/v1/namespaces/${scene.namespace}/poddisruptionbudgets`;
  const selector = { matchLabels: { app: 'restart' } };
  // Two may go, the others have to wait: the middle of a drain that holds still.
  await cp.api.create(path, { metadata: { name: 'restart' }, spec: { selector, minAvailable: 2 } });
  const evicted = (await podsOnNode(cp, node)).map((pod) => `create pods/eviction ${scene.namespace}/${pod.metadata.name}`);
  const operator = await operatorOfTest();
  add('drain', 'drain_node', node);
  await scene.actions.untilTask('drain', (object) => object.status?.progress?.done === 2);
  await cp.stopApiServer();
  let stopped = true;
  const start = async () => {
    if (stopped) await cp.startApiServer();
    stopped = false;
  };
  // Whatever fails here is no reason for the tests that follow to fail too.
  onTestFinished(start);
  await eventually(async () => (await operator.fetch('/readyz')).body).toMatch(/\[-\] watches: .*nodes \(/);
  await start();
  await cp.api.patch(`${path}/restart`, { spec: { minAvailable: 0 } });
  const { body } = await backend.result('drain', 30_000);
  expect(body).toMatchObject({ status: 'success', logs: 'Successfully drained 4 pods', metadata: { verified: true, remaining: 0 } });
  expect((await scene.writes()).sort()).toEqual([...evicted, `patch nodes/${node}`].sort());
  expect(backend.heard.results.filter(({ taskID }) => taskID === 'drain')).toHaveLength(1);
  await operator.ready();
});

test('tasks that come while the API server refuses connections are recorded once it is back, and run once', async () => {
  const [node = ''] = await scene.tenant.createNodes(1);
  const proxy = await startFaultProxy({ host: '127.0.0.1', port: cp.port });
  onTestFinished(() => proxy.close());
  const operator = await operatorOfTest({}, proxy.url);
  await proxy.refuse();
  proxy.cut();
  backend.addTask({ task_id: 'refused', task_type: 'cordon_node', parameters: { node_name: node } });
  await eventually(() => operator.log.some((line) => line.what === 'intake' && line.task_id === 'refused')).toBe(true);
  const notReady = await operator.fetch('/readyz');
  expect(notReady.status).toBe(503);
  expect(notReady.body).toMatch(/\[-\] watches: .*nodes \(.*ECONNREFUSED/);
  expect((await operator.fetch('/metrics')).body).toContain('cloudoptim_watch_connected{resource="nodes"} 0');
  expect((await operator.fetch('/healthz')).status).toBe(200);
  await proxy.accept();
  expect((await backend.result('refused', 30_000)).body).toMatchObject({ status: 'success', metadata: { changed: true } });
  expect((await scene.writes()).filter((line) => line.endsWith(node))).toEqual([`patch nodes/${node}`]);
});

test('an API server that hangs and goes on', async () => {
  const [node = ''] = await scene.tenant.createNodes(1);
  const operator = await operatorOfTest();
  await cp.pauseApiServer();
  onTestFinished(() => cp.resumeApiServer());
  add('hung', 'cordon_node', node);
  const polled = backend.heard.polls.length;
  await backend.waitFor(() => backend.heard.polls.length >= polled + 2, 'polls that go on meanwhile');
  expect((await operator.fetch('/healthz')).status).toBe(200);
  await cp.resumeApiServer();
  expect((await backend.result('hung', 30_000)).body).toMatchObject({ status: 'success' });
  expect((await scene.writes()).filter((line) => line.endsWith(node))).toEqual([`patch nodes/${node}`]);
});

test('connections that die without a word: the silent watch is noticed, requests do not wait for their own time-out', async () => {
  const [node = ''] = await scene.tenant.createNodes(1);
  const hole = await startBlackHole(cp.port);
  onTestFinished(() => hole.close());
  const operator = await operatorOfTest({ WATCH_SILENCE_SECONDS: '3' }, hole.url);
  // Ready is also who waits for the lead, and then looks at everything anew.
  await eventually(() => operator.log.some(({ message }) => message.startsWith('watching;'))).toBe(true);
  hole.swallow();
  await scene.actions.create('silent', { action: 'Cordon', cordon: { nodeName: node } });
  await scene.actions.until('silent', inPhase('Succeeded'), 45_000);
  expect((await getNode(cp, node)).spec.unschedulable).toBe(true);
  expect(operator.output()).toContain('the watch was silent for 3 s');
  // No request for it met a dead connection, where it would have had to wait for 30 s.
  expect(operator.output()).not.toMatch(/(nodes|optimizationactions)\/[^ ]+: no answer within/);
});

test('a connection to the API server that breaks again and again during a drain', async () => {
  const node = await slowNode('flapping', 6);
  const path = `/apis/policy/v1/namespaces/${scene.namespace}/poddisruptionbudgets`;
  await cp.api.create(path, { metadata: { name: 'flapping' }, spec: { selector: { matchLabels: { app: 'flapping' } }, minAvailable: 6 } });
  const pods = (await podsOnNode(cp, node)).map((pod) => `create pods/eviction ${scene.namespace}/${pod.metadata.name}`);
  const proxy = await startFaultProxy({ host: '127.0.0.1', port: cp.port });
  onTestFinished(() => proxy.close());
  await operatorOfTest({}, proxy.url);
  add('flapping', 'drain_node', node);
  for (let left = 5; left >= 0; left--) {
    await scene.actions.untilTask('flapping', (object) => (object.status?.progress?.done ?? 0) >= 5 - left && inPhase('Running')(object));
    proxy.cut();
    await cp.api.patch(`${path}/flapping`, { spec: { minAvailable: left } });
  }
  expect((await backend.result('flapping', 40_000)).body).toMatchObject({ status: 'success', logs: 'Successfully drained 6 pods' });
  expect(new Set((await scene.writes()).filter((line) => pods.includes(line))).size).toBe(6);
  expect(backend.heard.results.filter(({ taskID }) => taskID === 'flapping')).toHaveLength(1);
  expect(backend.violations).toEqual([]);
});
