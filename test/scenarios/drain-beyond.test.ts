import { expect, test } from 'vitest';
import { attach, createVolume, detach } from '../actions/volumes.ts';
import { heldNode } from './held.ts';
import { condition, inPhase } from './objects.ts';
import { useScene } from './scene.ts';

const scene = useScene('drain-beyond');

/** A node with one pod on it, and a second node for the pod that replaces it. */
async function nodeWith(name: string, pod: { annotations?: Record<string, string>; podSpec?: Record<string, unknown> }): Promise<string> {
  const [node = '', other = ''] = await scene.tenant.createNodes(2);
  await scene.cp.api.patch(`/api/v1/nodes/${other}`, { spec: { unschedulable: true } });
  await scene.tenant.createDeployment({ name, ...pod });
  await scene.cp.api.patch(`/api/v1/nodes/${other}`, { spec: { unschedulable: null } });
  return node;
}

test('the wait for volumes goes on in the next process, and counts from when the pods had gone', async () => {
  const first = await scene.operator();
  const volume = await createVolume(scene.cp, scene.namespace, 'data');
  const podSpec = { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] };
  const node = await nodeWith('mounts', { podSpec });
  await attach(scene.cp, volume, node);
  await scene.actions.create('volumes', { action: 'Drain', drain: { nodeName: node } });
  const isWaiting = (reason: string) => (object: Parameters<typeof condition>[0]) => condition(object, 'Reconciling').reason === reason;
  const { status } = await scene.actions.until('volumes', isWaiting('VolumesAttached'));
  expect(status?.result).toMatchObject({ evicted: 1, volumes: { attached: [volume], since: expect.any(String) } });
  await first.stop('SIGKILL');
  await scene.operator();
  await detach(scene.cp, volume, node);
  const ended = await scene.actions.until('volumes', inPhase('Succeeded'));
  expect(ended.status?.result).toMatchObject({ verified: true, volumes: { ...(status?.result?.volumes as object), attached: [] } });
});

test('a protected pod is shown as a blocker with its mark and the time it ends', async () => {
  const annotations = { 'cloudoptim.io/do-not-disrupt': '1h' };
  const node = await nodeWith('protected', { annotations });
  await scene.actions.create('protected', { action: 'Drain', drain: { nodeName: node, timeoutSeconds: 7200 } });
  const { status } = await scene.actions.until('protected', ({ status: now }) => now?.blockers);
  expect(status?.blockers).toEqual([
    expect.objectContaining({ cause: 'DoNotDisrupt', detail: 'cloudoptim.io/do-not-disrupt: 1h', retryAt: expect.any(String) }),
  ]);
  expect(condition(await scene.actions.get('protected'), 'Reconciling')).toMatchObject({ reason: 'DoNotDisrupt' });
  await scene.actions.patch('protected', { cancel: true });
  await scene.actions.until('protected', inPhase('Cancelled'));
});

test('an escalation leaves its steps in the result', async () => {
  const held = await heldNode(scene, 'escalated');
  await scene.actions.create('escalated', { action: 'Drain', drain: { nodeName: held.name, escalation: { deleteAfterSeconds: 2 } } });
  const { status } = await scene.actions.until('escalated', inPhase('Succeeded'));
  expect(status?.result?.escalation).toEqual([
    { pod: held.pods[0], uid: expect.any(String), step: 'Deleted', at: expect.any(String), why: expect.stringContaining('budget') },
  ]);
  const asked = (await scene.writes()).filter((line) => line.endsWith(held.pods[0] ?? ''));
  expect(asked).toEqual([`delete pods ${held.pods[0]}`]);
});
