import { beforeAll, expect, test } from 'vitest';
import { installKind, SCALED_OBJECT } from '../cluster/foreign-kinds.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { useScene } from './scene.ts';
import { claimOf, inSessionPhase, SessionRig, type StoredDeployment } from './session-objects.ts';

const scene = useScene('session-hibernation');
const rig = new SessionRig(scene);

beforeAll(async () => {
  await scene.tenant.createNodes(1);
  await rig.template('firefox', { resources: { cpu: '10m', memory: '16Mi' } });
});

/** As long as it takes on a machine that has other things to do. */
const until: SessionRig['until'] = (name, look) => rig.until(name, look, 60_000);
const autoscalers = () => `/apis/autoscaling/v2/namespaces/${scene.namespace}/horizontalpodautoscalers`;
const replicas = async (name: string) => (await rig.deployment(name)).spec.replicas;

async function untilReplicas(name: string, count: number): Promise<void> {
  // The controller of autoscalers looks every 15 s.
  await waitFor(async () => (await replicas(name)) === count, { what: `${name} has ${count} replicas`, within: 90_000 });
}

function autoscale(name: string, minReplicas: number) {
  return scene.cp.api.create(autoscalers(), {
    metadata: { name },
    spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name }, minReplicas, maxReplicas: 5 },
  });
}

test('F11 A55 P20 the replicas of an autoscaler come back exactly, over restarts, and it goes on from there', async () => {
  {
    await using _operator = await scene.operator();
    await rig.create('scaled');
    await until('scaled', inSessionPhase('Running'));
    await autoscale('scaled', 2);
    await untilReplicas('scaled', 2);
    // Not fought: whatever asks for a pass, they stay.
    await scene.cp.api.patch(rig.path('sessions', 'scaled'), { metadata: { annotations: { 'cloudoptim.io/keep-awake': 'true' } } });
    await rig.edit('scaled', { idleTimeout: '30m' });
    await until('scaled', (session) => session.status?.observedGeneration === session.metadata.generation);
    expect(await replicas('scaled')).toBe(2);
    await rig.edit('scaled', { state: 'Hibernated' });
    const asleep = await until('scaled', inSessionPhase('Hibernated'));
    expect(asleep.status?.hibernation).toMatchObject({
      replicas: 2,
      keptBy: 'HorizontalPodAutoscaler scaled is off until the wake and goes on from there',
    });
    expect(claimOf(asleep, 'Ready')?.message).toContain('HorizontalPodAutoscaler scaled is off until the wake');
    expect(await replicas('scaled')).toBe(0);
  }
  await using _operator = await scene.operator();
  await rig.edit('scaled', { state: 'Running' });
  const woken = await until('scaled', inSessionPhase('Running'));
  expect(woken.status).not.toHaveProperty('hibernation');
  expect(await replicas('scaled')).toBe(2);
  await scene.cp.api.patch(`${autoscalers()}/scaled`, { spec: { minReplicas: 3 } });
  await untilReplicas('scaled', 3);
}, 240_000);

test('F11 what somebody changes in the workload meanwhile stays, and a budget is named', async () => {
  await using _operator = await scene.operator();
  await rig.create('drifted');
  await until('drifted', inSessionPhase('Running'));
  await scene.cp.api.create(`/apis/policy/v1/namespaces/${scene.namespace}/poddisruptionbudgets`, {
    metadata: { name: 'guard' },
    spec: { minAvailable: 1, selector: { matchLabels: { session: 'drifted' } } },
  });
  await scene.cp.api.patch(rig.at('deployments', 'drifted'), {
    metadata: { labels: { 'kustomize.toolkit.fluxcd.io/name': 'desks' } },
  });
  await rig.edit('drifted', { state: 'Hibernated' });
  const asleep = await until('drifted', inSessionPhase('Hibernated'));
  expect(asleep.status?.hibernation).toMatchObject({
    replicas: 1,
    keptBy:
      'PodDisruptionBudget guard guards against evictions only, not against this; ' +
      'Flux (desks) keeps the Deployment: let it leave spec.replicas alone, or it scales it up again',
  });
  await scene.cp.api.patch(rig.at('deployments', 'drifted'), {
    metadata: { annotations: { 'example.com/owner': 'ada' } },
    spec: {
      revisionHistoryLimit: 3,
      template: { metadata: { annotations: { 'example.com/note': 'mine' } }, spec: { terminationGracePeriodSeconds: 7 } },
    },
  });
  await rig.edit('drifted', { state: 'Running' });
  await until('drifted', inSessionPhase('Running'));
  expect(await rig.deployment('drifted')).toMatchObject({
    metadata: { annotations: { 'example.com/owner': 'ada' }, labels: { 'kustomize.toolkit.fluxcd.io/name': 'desks' } },
    spec: {
      replicas: 1,
      revisionHistoryLimit: 3,
      template: { metadata: { annotations: { 'example.com/note': 'mine' } }, spec: { terminationGracePeriodSeconds: 7 } },
    },
  });
}, 240_000);

test('a session that comes back from a backup without its status is what its Deployment is, and wakes as it was', async () => {
  const name = 'restored';
  {
    await using _operator = await scene.operator();
    await rig.create(name);
    await until(name, inSessionPhase('Running'));
    await scene.cp.api.patch(rig.at('deployments', name), { spec: { replicas: 2 } });
    await rig.edit(name, { state: 'Hibernated' });
    expect((await until(name, inSessionPhase('Hibernated'))).status?.hibernation).toMatchObject({ replicas: 2 });
  }
  const before = await rig.deployment(name);
  await scene.cp.api.patch(rig.path('sessions', name), { metadata: { finalizers: null } });
  await scene.cp.api.remove(rig.path('sessions', name), { propagationPolicy: 'Orphan' });
  await rig.gone(name);
  await rig.create(name, { state: 'Hibernated' });
  await using _operator = await scene.operator();
  expect((await until(name, inSessionPhase('Hibernated'))).status?.hibernation).toMatchObject({ replicas: 2 });
  expect(await replicas(name)).toBe(0);
  await rig.edit(name, { state: 'Running' });
  await until(name, inSessionPhase('Running'));
  const after: StoredDeployment = await rig.deployment(name);
  expect([after.metadata.uid, after.spec.replicas]).toEqual([before.metadata.uid, 2]);
}, 240_000);

test('a session that lost its status while it ran is not started anew, nor does it wait for room', async () => {
  {
    await using _operator = await scene.operator();
    for (const name of ['kept-1', 'kept-2']) await rig.create(name);
    for (const name of ['kept-1', 'kept-2']) await until(name, inSessionPhase('Running'));
  }
  const pods = async () => {
    const { items } = await scene.cp.api.get<{ items: { metadata: { uid: string; labels: Record<string, string> } }[] }>(rig.at('pods'));
    return items
      .filter(({ metadata }) => metadata.labels.session?.startsWith('kept'))
      .map(({ metadata }) => metadata.uid)
      .toSorted();
  };
  const before = await pods();
  for (const name of ['kept-1', 'kept-2']) {
    const { status: _, ...session } = await rig.get(name);
    const { status } = await scene.cp.api.call('PUT', `${rig.path('sessions', name)}/status`, { ...session, status: {} });
    expect(status).toBe(200);
  }
  await using _operator = await scene.operator({ MAX_SESSIONS: '1' });
  for (const name of ['kept-1', 'kept-2']) await until(name, inSessionPhase('Running'));
  expect(await pods()).toEqual(before);
}, 240_000);

test('A54 a ScaledObject that is not paused is in the way of a hibernation, which says so and goes on when it is gone', async () => {
  await installKind(scene.cp, SCALED_OBJECT);
  const path = `/apis/keda.sh/v1alpha1/namespaces/${scene.namespace}/scaledobjects`;
  const body = {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: { name: 'keda' },
    spec: { scaleTargetRef: { name: 'eager' } },
  };
  await waitFor(() => scene.cp.api.create(path, body), { what: 'a ScaledObject can be made' });
  await using _operator = await scene.operator();
  await rig.create('eager');
  await until('eager', inSessionPhase('Running'));
  await rig.edit('eager', { state: 'Hibernated' });
  const kept = await until('eager', (session) => claimOf(session, 'Ready')?.reason === 'ManagedByAutoscaler');
  expect([kept.status?.phase, claimOf(kept, 'Ready')?.status, await replicas('eager')]).toEqual(['Running', 'Unknown', 1]);
  expect(claimOf(kept, 'Ready')?.message).toMatch(/^the ScaledObject keda would scale it up again, so it is not hibernated: pause it/);
  await scene.cp.api.patch(`${path}/keda`, { metadata: { annotations: { 'autoscaling.keda.sh/paused': 'true' } } });
  // Nobody watches ScaledObjects: it is looked at again in a minute, or at the next change of the session.
  await scene.cp.api.patch(rig.path('sessions', 'eager'), { metadata: { annotations: { 'example.com/look': 'again' } } });
  await until('eager', inSessionPhase('Hibernated'));
}, 240_000);
