import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ForeignKind, installKind, SCALED_OBJECT, VERTICAL_POD_AUTOSCALER } from '../../cluster/foreign-kinds.ts';
import { controlPlane, tenant } from '../../cluster/shared.ts';
import type { Tenant } from '../../cluster/tenant.ts';
import { waitFor } from '../../cluster/wait-for.ts';
import { connectLive, type Live } from '../live.ts';
import { type Asked, Workloads } from './workloads.ts';

let mine: Tenant;
let live: Live;
let workloads: Workloads;

beforeAll(async () => {
  mine = await tenant('guards');
  await mine.createNodes(1);
  live = await connectLive(controlPlane.kubeconfig);
  workloads = new Workloads(mine, live);
  await workloads.createDeployment({ name: 'web' });
});
afterAll(async () => {
  await live?.[Symbol.asyncDispose]();
});

/** Makes an object of a kind that may have to be installed. */
async function createForeign(foreign: ForeignKind, spec: object): Promise<void> {
  const { group, version, plural, kind } = foreign;
  await installKind(controlPlane, foreign);
  const path = `/apis/${group}/${version}/namespaces/${mine.namespace}/${plural}`;
  const create = () => controlPlane.api.create(path, { apiVersion: `${group}/${version}`, kind, metadata: { name: 'web' }, spec });
  await waitFor(create, { what: `${kind} can be made` });
}

const aim = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };

it.each<[guard: 'HorizontalPodAutoscaler' | 'ScaledObject' | 'VerticalPodAutoscaler', make: () => Promise<unknown>, asked: Asked]>([
  [
    'HorizontalPodAutoscaler',
    () =>
      controlPlane.api.create(`/apis/autoscaling/v2/namespaces/${mine.namespace}/horizontalpodautoscalers`, {
        metadata: { name: 'web' },
        spec: { scaleTargetRef: aim, minReplicas: 1, maxReplicas: 9 },
      }),
    { replicas: 2 },
  ],
  [
    'ScaledObject',
    () => createForeign(SCALED_OBJECT, { scaleTargetRef: { name: 'web' } }),
    { replicas: 3, ignore: ['HorizontalPodAutoscaler'] },
  ],
  [
    'VerticalPodAutoscaler',
    () => createForeign(VERTICAL_POD_AUTOSCALER, { targetRef: aim, updatePolicy: { updateMode: 'Initial' } }),
    { containers: [{ name: 'main', requests: { cpu: '1m' } }] },
  ],
])('M16 A66 a %s as the API server has it keeps the workload until it is named in ignore', async (guard, make, asked) => {
  await make();
  const before = workloads.writes('web').length;
  expect((await workloads.update('web', asked)).end).toMatchObject({
    state: 'failed',
    reason: 'ManagedByAutoscaler',
    message: expect.stringMatching(new RegExp(`^${guard} web keeps its .*, or add ${guard} to ignore; nothing was written$`)),
  });
  expect(workloads.writes('web')).toHaveLength(before);
  const ignored = await workloads.update('web', { ...asked, ignore: [...(asked.ignore ?? []), guard] });
  expect(ignored.end).toMatchObject({ state: 'succeeded', result: { changed: true } });
});
