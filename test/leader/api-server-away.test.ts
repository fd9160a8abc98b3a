import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { applyCrds } from '../cluster/crds.ts';
import { startFaultProxy } from '../cluster/fault-proxy.ts';
import { createTenant } from '../cluster/tenant.ts';
import { heldNode, isHeld } from '../scenarios/held.ts';
import { inPhase } from '../scenarios/objects.ts';
import type { OperatorProcess } from '../scenarios/operator-process.ts';
import { eventually, Scene, seedVariables } from '../scenarios/scene.ts';

const scene = new Scene();
let cp: ControlPlane;

beforeAll(async () => {
  cp = await startControlPlane({ audit: true });
  await applyCrds(cp);
  await scene.set(cp, await createTenant(cp, 'leader-away'));
});

afterAll(async () => {
  await scene.clear();
  await cp.close();
});

const LEASE = { LEASE_DURATION_SECONDS: '6' };
const leading = (operator: OperatorProcess) => operator.log.filter(({ message }) => message === 'this process leads').length;
const lost = (operator: OperatorProcess) => operator.log.some(({ message }) => message.startsWith('this process leads no longer'));

test('an API server that hangs for longer than the lease: acting ends, the process goes on and acts again', {
  timeout: 120_000,
}, async () => {
  const held = await heldNode(scene, 'hangs', 2);
  const backend = await scene.backend();
  const operator = await scene.operator({ ...seedVariables(backend), ...LEASE });
  await backend.socketOpen();
  backend.pushTask({ task_id: 'hangs', task_type: 'drain_node', parameters: { node_name: held.name } });
  await scene.actions.untilTask('hangs', isHeld);

  await cp.pauseApiServer();
  await eventually(() => lost(operator)).toBe(true);
  await backend.waitFor(() => backend.stream.size === 0, 'nobody speaks to the backend');
  expect((await operator.fetch('/healthz')).status).toBe(200);
  expect((await operator.fetch('/metrics')).body).toMatch(/^cloudoptim_leader 0$/m);
  backend.addTask({ task_id: 'meanwhile', task_type: 'label_node', parameters: { node_name: held.name, labels: { a: 'b' } } });
  await cp.resumeApiServer();
  await held.letGo();

  expect((await backend.result('hangs', 60_000)).body).toMatchObject({ status: 'success', logs: 'Successfully drained 2 pods' });
  expect((await backend.result('meanwhile', 60_000)).body).toMatchObject({ status: 'success' });
  expect(leading(operator)).toBeGreaterThan(1);
  expect((await operator.fetch('/metrics')).body).toMatch(/^cloudoptim_leader 1$/m);
  expect((await scene.writes()).filter((line) => line.includes('eviction')).sort()).toEqual(
    held.pods.map((pod) => `create pods/eviction ${pod}`),
  );
  expect(backend.stream.size).toBe(1);
  expect(await operator.stop()).toBe(0);
  expect(backend.violations).toEqual([]);
});

test('a leader that alone is cut off is followed by the other, and writes nothing when it is back', { timeout: 120_000 }, async () => {
  const proxy = await startFaultProxy({ host: '127.0.0.1', port: cp.port });
  onTestFinished(() => proxy.close());
  const backend = await scene.backend();
  const env = { ...seedVariables(backend), ...LEASE };
  const first = await scene.operator({ ...env, POD_NAME: 'cut-a', POD_UID: 'a' }, proxy.url);
  await first.ready();
  const second = await scene.operator({ ...env, POD_NAME: 'cut-b', POD_UID: 'b' });
  await second.ready();
  expect((await second.fetch('/readyz')).body).toContain('[+] leader: standby; cut-a leads');
  proxy.freeze();
  await eventually(() => leading(second)).toBe(1);
  expect(lost(first)).toBe(true);
  await backend.waitFor(() => backend.stream.size === 1, 'only the new leader speaks to the backend');
  await scene.actions.create('cut', { action: 'Label', label: { kind: 'Namespace', name: scene.namespace, set: { a: 'b' } } });
  await scene.actions.until('cut', inPhase('Succeeded'));
  proxy.thaw();
  await first.ready();
  expect((await first.fetch('/readyz')).body).toContain('[+] leader: standby; cut-b leads');
  expect(leading(first)).toBe(1);
  expect((await scene.writes()).filter((line) => line.startsWith('patch namespaces'))).toHaveLength(1);
});
