import { afterAll, beforeAll, expect, it } from 'vitest';
import { controlPlane, tenant } from '../../cluster/shared.ts';
import type { Tenant } from '../../cluster/tenant.ts';
import { waitFor } from '../../cluster/wait-for.ts';
import { connectLive, type Live } from '../live.ts';
import { type Asked, Workloads } from './workloads.ts';

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const KEDA = { group: 'keda.sh', version: 'v1alpha1', plural: 'scaledobjects', kind: 'ScaledObject' };
const VPA = { group: 'autoscaling.k8s.io', version: 'v1', plural: 'verticalpodautoscalers', kind: 'VerticalPodAutoscaler' };
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
  await Promise.all([KEDA, VPA].map(({ group, plural }) => controlPlane.api.remove(`${CRDS}/${plural}.${group}`)));
  await live?.[Symbol.asyncDispose]();
});

/** Installs a kind without any schema, and makes an object of it. */
async function createForeign({ group, version, plural, kind }: typeof KEDA, spec: object): Promise<void> {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  await controlPlane.api.create(CRDS, {
    metadata: { name: `${plural}.${group}`, annotations: { 'api-approved.kubernetes.io': 'unapproved, for a test' } },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural, kind, singular: kind.toLowerCase() },
      versions: [{ name: version, served: true, storage: true, schema }],
    },
  });
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
  ['ScaledObject', () => createForeign(KEDA, { scaleTargetRef: { name: 'web' } }), { replicas: 3, ignore: ['HorizontalPodAutoscaler'] }],
  [
    'VerticalPodAutoscaler',
    () => createForeign(VPA, { targetRef: aim, updatePolicy: { updateMode: 'Initial' } }),
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
