import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../cluster/wait-for.ts';
import { useScene } from './scene.ts';
import { inSessionPhase, RUNS, SessionRig } from './session-objects.ts';

const scene = useScene('restart');
const rig = new SessionRig(scene);

beforeAll(async () => {
  await rig.bareNode();
  await rig.template('firefox');
});

afterAll(() => rig.clear());

const writesOn = async (name: string) => (await scene.writes()).filter((line) => line.endsWith(`/${name}`));
const isLeaving = async (name: string) =>
  (await scene.cp.api.get<{ metadata: { deletionTimestamp?: string } }>(rig.at('deployments', name))).metadata.deletionTimestamp !==
  undefined;

test('F1 killed in the middle of each step, the next process goes on, and nothing is done twice', async () => {
  let operator = await scene.operator();
  const killed = async () => {
    await operator.stop('SIGKILL');
    operator = await scene.operator();
  };
  await rig.create('ada');
  await waitFor(async () => (await rig.pods('ada')).length > 0);
  await killed();
  await rig.podStatus('ada', RUNS);
  const { metadata } = await rig.until('ada', inSessionPhase('Running'));
  expect(metadata.finalizers).toEqual(['cloudoptim.io/session']);
  await rig.edit('ada', { state: 'Hibernated' });
  await waitFor(async () => (await rig.deployment('ada')).spec.replicas === 0);
  await killed();
  await rig.letPodsGo('ada');
  expect((await rig.until('ada', inSessionPhase('Hibernated'))).status).toMatchObject({ hibernation: { replicas: 1 } });
  await rig.edit('ada', { state: 'Running' });
  await waitFor(async () => (await rig.pods('ada')).length > 0);
  await killed();
  await rig.podStatus('ada', RUNS);
  await rig.until('ada', inSessionPhase('Running'));
  await rig.edit('ada', { state: 'Stopped' });
  await waitFor(() => isLeaving('ada'));
  await killed();
  await rig.letPodsGo('ada');
  await rig.until('ada', inSessionPhase('Stopped'));
  const at = `${scene.namespace}/ada`;
  // The answer to what a killed process still asked for may be missing in the log: the Service can have gone without one.
  expect((await writesOn('ada')).filter((line) => line.includes('deployments'))).toEqual([
    `patch deployments ${at}`,
    `patch deployments ${at}`,
    `patch deployments ${at}`,
    `delete deployments ${at}`,
  ]);
  await operator.stop();
}, 120_000);

test('F1 what was recorded and not done is done; a deadline that passed meanwhile has passed', async () => {
  const first = await scene.operator();
  for (const name of ['up', 'down', 'gone', 'late']) {
    await rig.create(name);
    await rig.podStatus(name, RUNS);
    await rig.until(name, inSessionPhase('Running'));
  }
  await first.stop('SIGKILL');
  const record = (name: string, status: object) => scene.cp.api.patch(`${rig.path('sessions', name)}/status`, { status });
  const now = new Date().toISOString();
  await record('up', { phase: 'Starting', phaseSince: now });
  await scene.cp.api.remove(rig.at('services', 'up'));
  await rig.edit('down', { state: 'Hibernated' });
  await record('down', { phase: 'Hibernating', phaseSince: now, hibernation: { replicas: 1, reason: 'Asked', at: now } });
  await rig.edit('gone', { state: 'Stopped' });
  await record('gone', { phase: 'Stopping', phaseSince: now });
  await scene.cp.api.remove(rig.at('services', 'gone'));
  await record('late', { phase: 'Starting', phaseSince: '2026-01-01T00:00:00Z' });
  await rig.podStatus('late', { conditions: [{ type: 'Ready', status: 'False' }] });
  await scene.operator();
  await rig.until('up', inSessionPhase('Running'));
  expect(await rig.exists('services', 'up')).toBe(true);
  await waitFor(async () => (await rig.deployment('down')).spec.replicas === 0);
  await waitFor(() => isLeaving('gone'));
  for (const name of ['down', 'gone']) await rig.letPodsGo(name);
  await rig.until('down', inSessionPhase('Hibernated'));
  await rig.until('gone', inSessionPhase('Stopped'));
  await rig.until('late', inSessionPhase('Failed'));
}, 120_000);
