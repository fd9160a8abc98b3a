import { beforeAll, expect, test } from 'vitest';
import { useScene } from './scene.ts';
import { claimOf, inSessionPhase, SessionRig } from './session-objects.ts';

const scene = useScene('session');
const rig = new SessionRig(scene);

beforeAll(async () => {
  await scene.tenant.createNodes(1);
  await rig.template('firefox');
  await scene.operator();
});

test('a session starts, is hibernated, wakes and is stopped by edits of its spec', async () => {
  await rig.create('ada');
  const running = await rig.until('ada', inSessionPhase('Running'));
  expect(running.status).toMatchObject({
    observedGeneration: 1,
    desired: 'Running',
    url: `http://ada.${scene.namespace}.svc.cluster.local:3000`,
    port: 3000,
    image: 'lscr.io/linuxserver/firefox:latest',
    startSeconds: expect.any(Number),
  });
  expect(claimOf(running, 'Ready')).toMatchObject({ status: 'True', reason: 'Running', observedGeneration: 1 });
  await rig.edit('ada', { state: 'Hibernated' });
  const hibernated = await rig.until('ada', inSessionPhase('Hibernated'));
  expect(hibernated.status).toMatchObject({ hibernation: { replicas: 1 } });
  expect((await rig.deployment('ada')).spec.replicas).toBe(0);
  await rig.edit('ada', { state: 'Running' });
  const woken = await rig.until('ada', inSessionPhase('Running'));
  expect(woken.status).toMatchObject({ wakeSeconds: expect.any(Number) });
  expect(woken.status).not.toHaveProperty('hibernation');
  await rig.edit('ada', { state: 'Stopped' });
  await rig.until('ada', inSessionPhase('Stopped'));
  expect(await rig.exists('deployments', 'ada')).toBe(false);
  expect(await rig.exists('services', 'ada')).toBe(false);
  await rig.edit('ada', { state: 'Running' });
  await rig.until('ada', inSessionPhase('Running'));
  await scene.cp.api.remove(rig.path('sessions', 'ada'));
  await rig.gone('ada');
  expect(await rig.exists('deployments', 'ada')).toBe(false);
});
