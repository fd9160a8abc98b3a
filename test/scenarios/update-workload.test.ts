import { beforeAll, expect, test } from 'vitest';
import { condition, inPhase, type Stored } from './objects.ts';
import { eventually, useScene } from './scene.ts';

const scene = useScene('workload');
const NEXT = 'example.invalid/next';

interface Workload {
  metadata: { generation: number };
  spec: { replicas: number; template: { spec: { containers: { image: string }[] } } };
  status: { conditions?: { reason?: string }[] };
}

beforeAll(async () => {
  await scene.tenant.createNodes(1);
});

const path = (name: string) => `/apis/apps/v1/namespaces/${scene.namespace}/deployments/${name}`;
const get = (name: string) => scene.cp.api.get<Workload>(path(name));
const shown = (name: string) => `deployment/${scene.namespace}/${name}`;
const writesOn = async (name: string) => (await scene.writes()).filter((line) => line.endsWith(`/${name}`));

async function deploy(name: string, replicas = 2): Promise<void> {
  await scene.tenant.createDeployment({ name, replicas });
  await eventually(async () => (await get(name)).status.conditions?.map(({ reason }) => reason)).toContain('NewReplicaSetAvailable');
}

function spec(name: string, params: object, more: object = {}) {
  return { action: 'UpdateWorkload', updateWorkload: { kind: 'Deployment', namespace: scene.namespace, name, ...params }, ...more };
}

/** Pods that fit on no node: the rollout is under way until somebody helps. */
const stuck = { containers: [{ name: 'main', image: NEXT, requests: { cpu: '1000' } }] };
const isWaiting = ({ status }: Stored) =>
  status?.conditions?.some(({ reason }) => reason === 'WaitingForRollout') && (status.progress?.total ?? 0) > 0;

test('M16 an update through kubectl: plan, progress, before and after', async () => {
  await deploy('web');
  const params = { replicas: 3, expectedReplicas: 2, containers: [{ name: 'main', image: NEXT, limits: { memory: '1Gi' } }] };
  await using _operator = await scene.operator();
  await scene.actions.create('plan', spec('web', params, { mode: 'Plan' }));
  expect((await scene.actions.until('plan', inPhase('Planned'))).status?.plan).toEqual({
    change: 1,
    changes: ['replicas 2 → 3', `main image example.invalid/none → ${NEXT}`, 'main limits memory none → 1Gi'].map(
      (line) => `${shown('web')}: ${line}`,
    ),
    skip: [],
    blocked: [],
  });
  expect(await writesOn('web')).toEqual([]);
  await scene.actions.create('web', spec('web', params));
  const { stdout } = await scene.cp.kubectl(['-n', scene.namespace, 'wait', '--for=condition=Ready', 'oa/web', '--timeout=40s']);
  expect(stdout).toContain('condition met');
  expect(await scene.actions.get('web')).toMatchObject({
    status: {
      phase: 'Succeeded',
      target: shown('web'),
      progress: { done: 3, total: 3 },
      result: {
        changed: true,
        replicas: { from: 2, to: 3 },
        containers: { main: { image: { from: 'example.invalid/none', to: NEXT }, limits: { memory: { from: null, to: '1Gi' } } } },
        written: ['Template', 'Replicas'],
      },
    },
  });
  expect(await writesOn('web')).toEqual([`patch deployments ${scene.namespace}/web`, `patch deployments/scale ${scene.namespace}/web`]);
  await scene.actions.create('again', spec('web', params));
  expect(await scene.actions.until('again', inPhase('Succeeded'))).toMatchObject({ status: { result: { changed: false } } });
  expect(await writesOn('web')).toHaveLength(2);
});

test('cancelled in the middle it writes nothing further, says what stays, and how to go back', async () => {
  await deploy('cancelled');
  await using _operator = await scene.operator();
  await scene.actions.create('cancelled', spec('cancelled', { ...stuck, replicas: 5 }));
  await scene.actions.until('cancelled', isWaiting);
  await scene.actions.patch('cancelled', { cancel: true });
  const ended = await scene.actions.until('cancelled', inPhase('Cancelled'));
  expect(condition(ended, 'Ready').message).toBe(
    `stopped: spec.cancel was set; ${shown('cancelled')} keeps main image example.invalid/none → ${NEXT}, main requests cpu none → 1000; ` +
      `to go back: kubectl -n ${scene.namespace} rollout undo deployment/cancelled`,
  );
  expect(ended.status?.result).toMatchObject({ written: ['Template'], replicas: { from: 2, to: 5 } });
  expect((await get('cancelled')).spec.replicas).toBe(2);
});

test('suspended in the middle it waits; resumed it goes on with what is left', async () => {
  await deploy('held');
  await using _operator = await scene.operator();
  const asked = { containers: [{ name: 'main', image: NEXT }], replicas: 3 };
  await scene.cp.api.patch(path('held'), { spec: { minReadySeconds: 5 } });
  await eventually(
    async () => (await scene.cp.api.get<{ status: { availableReplicas?: number } }>(path('held'))).status.availableReplicas,
  ).toBe(2);
  await scene.actions.create('held', spec('held', asked));
  await scene.actions.until('held', isWaiting);
  await scene.actions.patch('held', { suspend: true });
  await scene.actions.until('held', inPhase('Suspended'));
  const available = async () => {
    const { status } = await scene.cp.api.get<{ status: { updatedReplicas?: number; availableReplicas?: number; replicas: number } }>(
      path('held'),
    );
    return [status.replicas, status.updatedReplicas, status.availableReplicas];
  };
  await expect.poll(available, { timeout: 40_000 }).toEqual([2, 2, 2]);
  expect(await writesOn('held')).toEqual([`patch deployments ${scene.namespace}/held`]);
  await scene.actions.patch('held', { suspend: false });
  const ended = await scene.actions.until('held', inPhase('Succeeded'), 40_000);
  expect(ended.status?.result).toMatchObject({ written: ['Template', 'Replicas'] });
  expect(await writesOn('held')).toHaveLength(2);
});

test('F1 killed while it waits, the next process knows what was before and writes the rest once', async () => {
  await deploy('killed');
  const first = await scene.operator();
  await scene.actions.create('killed', spec('killed', { ...stuck, replicas: 4, expectedReplicas: 2 }));
  await scene.actions.until('killed', isWaiting);
  await first.stop('SIGKILL');
  // Somebody makes room: the requests of the action stay as they are.
  const [big = ''] = await scene.tenant.createNodes(1, { cpu: '8000' });
  expect(big).not.toBe('');
  await using _operator = await scene.operator();
  const ended = await scene.actions.until('killed', inPhase('Succeeded'), 40_000);
  expect(ended.status?.result).toEqual({
    changed: true,
    replicas: { from: 2, to: 4 },
    containers: { main: { image: { from: 'example.invalid/none', to: NEXT }, requests: { cpu: { from: null, to: '1000' } } } },
    written: ['Template', 'Replicas'],
  });
  expect(await writesOn('killed')).toEqual([
    `patch deployments ${scene.namespace}/killed`,
    `patch deployments/scale ${scene.namespace}/killed`,
  ]);
});

test.each([
  ['before its write', 'early', [`patch deployments`]],
  ['after its write, which it could not note', 'late', []],
])('F1 killed right %s, the next process writes what is left and still tells what was before', async (_, name, writes) => {
  await deploy(name);
  const { metadata } = await scene.cp.api.get<{ metadata: { uid: string } }>(path(name));
  await scene.actions.create(name, spec(name, { containers: [{ name: 'main', image: NEXT }] }));
  // What a process leaves that was killed there: the record, and the write or not.
  const result = { changed: false, containers: { main: { image: { from: 'example.invalid/none', to: NEXT } } }, written: [] };
  const status = { phase: 'Running', target: shown(name), targetUID: metadata.uid, startedAt: new Date().toISOString(), result };
  await scene.cp.api.patch(`${scene.actions.path}/${name}/status`, { status });
  if (name === 'late') await scene.cp.api.call('PATCH', path(name), templateWith(NEXT), { type: 'application/strategic-merge-patch+json' });
  await using _operator = await scene.operator();
  const ended = await scene.actions.until(name, inPhase('Succeeded'), 40_000);
  expect(ended.status?.result).toEqual({ ...result, changed: true, written: ['Template'] });
  expect(await writesOn(name)).toEqual(writes.map((line) => `${line} ${scene.namespace}/${name}`));
  expect((await get(name)).spec.template.spec.containers[0]?.image).toBe(NEXT);
});

test('cancelled before the write was noted, it still says what is written', async () => {
  await deploy('unnoted');
  const { metadata } = await scene.cp.api.get<{ metadata: { uid: string } }>(path('unnoted'));
  await scene.actions.create('unnoted', spec('unnoted', { replicas: 4 }, { cancel: true }));
  const result = { changed: false, replicas: { from: 2, to: 4 }, written: [] };
  const status = { phase: 'Running', target: shown('unnoted'), targetUID: metadata.uid, startedAt: new Date().toISOString(), result };
  await scene.cp.api.patch(`${scene.actions.path}/unnoted/status`, { status });
  await scene.cp.api.patch(path('unnoted'), { spec: { replicas: 4 } });
  await using _operator = await scene.operator();
  expect(condition(await scene.actions.until('unnoted', inPhase('Cancelled')), 'Ready').message).toBe(
    `stopped: spec.cancel was set; ${shown('unnoted')} keeps replicas 2 → 4; to go back: ` +
      `kubectl -n ${scene.namespace} scale deployment/unnoted --replicas=2`,
  );
  expect(await writesOn('unnoted')).toEqual([]);
});

test('TargetReplaced: a namesake that came while it was suspended is left alone', async () => {
  await deploy('namesake');
  await using _operator = await scene.operator();
  await scene.actions.create('namesake', spec('namesake', { replicas: 3 }, { suspend: true }));
  await scene.actions.until('namesake', inPhase('Suspended'));
  await scene.cp.api.remove(path('namesake'));
  await eventually(async () => (await scene.cp.api.call('GET', path('namesake'))).status).toBe(404);
  await scene.tenant.createDeployment({ name: 'namesake', replicas: 2 });
  await scene.actions.patch('namesake', { suspend: false });
  const ended = await scene.actions.until('namesake', inPhase('Failed'));
  expect(condition(ended, 'Ready').reason).toBe('TargetReplaced');
  expect(await writesOn('namesake')).toEqual([]);
});

function templateWith(image: string) {
  return { spec: { template: { spec: { containers: [{ name: 'main', image }] } } } };
}
