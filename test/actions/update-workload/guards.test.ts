import { describe, expect, it } from 'vitest';
import { updateWorkload } from '../../../operator/actions/update-workload/update-workload.ts';
import type { KubeObject } from '../../../operator/kube/object.ts';
import type { JsonObject } from '../../../operator/lib/json.ts';
import { contextFor, FakeCluster, refusal } from '../fake-cluster.ts';

const settled = { observedGeneration: 1, replicas: 2, updatedReplicas: 2, availableReplicas: 2 };
const template = { spec: { containers: [{ name: 'main', image: 'web:1', resources: { requests: { cpu: '1' } } }] } };
const scale = { replicas: 3 };
const image = { containers: [{ name: 'main', image: 'web:2' }] };
const resources = { containers: [{ name: 'main', requests: { cpu: '2' } }] };

function clusterWith(
  more: { metadata?: JsonObject; spec?: JsonObject; status?: JsonObject } = {},
  lists: Record<string, readonly object[] | Error> = {},
) {
  const cluster = new FakeCluster();
  const metadata = { name: 'web', namespace: 'shop', uid: 'web-uid', resourceVersion: '7', generation: 1, ...more.metadata };
  const web = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    spec: { replicas: 2, template, ...more.spec },
    status: { ...settled, ...more.status },
  };
  cluster.objects.set('Deployment/shop/web', web as KubeObject);
  const known = { HorizontalPodAutoscaler: [], ...lists };
  for (const [kind, objects] of Object.entries(known)) cluster.lists.set(kind, objects as readonly KubeObject[] | Error);
  return cluster;
}

function ask(asked: object) {
  return updateWorkload.params.parse({ kind: 'Deployment', namespace: 'shop', name: 'web', ...asked });
}

const context = (cluster: FakeCluster) => contextFor(cluster, { targetUID: 'web-uid' });

function scaler(kind: string, name: string, more: { aim?: JsonObject; metadata?: JsonObject; spec?: JsonObject } = {}): object {
  const aim = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', ...more.aim };
  const ref = kind === 'VerticalPodAutoscaler' ? { targetRef: aim } : { scaleTargetRef: aim };
  return { kind, metadata: { name, ...more.metadata }, spec: { ...ref, ...more.spec } };
}

const hpa = (more?: Parameters<typeof scaler>[2]) => ({ HorizontalPodAutoscaler: [scaler('HorizontalPodAutoscaler', 'web-hpa', more)] });
const keda = (more?: Parameters<typeof scaler>[2]) => ({ ScaledObject: [scaler('ScaledObject', 'web-so', more)] });
const vpa = (more?: Parameters<typeof scaler>[2]) => ({ VerticalPodAutoscaler: [scaler('VerticalPodAutoscaler', 'web-vpa', more)] });
const off = { spec: { updatePolicy: { updateMode: 'Off' } } };
const made = {
  metadata: { ownerReferences: [{ apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject', name: 'web-so', uid: 'u', controller: true }] },
};
const label = (key: string) => ({ metadata: { labels: { [key]: 'apps' } } });
const owned = {
  metadata: { ownerReferences: [{ apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', name: 'web', uid: 'u', controller: true }] },
};
const creating = { updatedReplicas: 0, conditions: [{ type: 'Progressing', status: 'True', reason: 'ReplicaSetUpdated' }] };
const scaling = {
  updatedReplicas: 1,
  replicas: 1,
  conditions: [{ type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable' }],
};

/** What stands in the way of what; the guard that overrides it, or nothing where nothing does. */
const cases: readonly [
  what: string,
  cluster: () => FakeCluster,
  asked: object,
  reason: string | undefined,
  guard?: string | undefined,
  says?: RegExp,
][] = [
  ['nothing', () => clusterWith(), { ...scale, ...resources }, undefined],
  [
    'a HorizontalPodAutoscaler',
    () => clusterWith({}, hpa()),
    scale,
    'ManagedByAutoscaler',
    'HorizontalPodAutoscaler',
    /web-hpa keeps its replicas; change minReplicas/,
  ],
  [
    'a HorizontalPodAutoscaler that would go dead',
    () => clusterWith({}, hpa()),
    { replicas: 0 },
    'ManagedByAutoscaler',
    'HorizontalPodAutoscaler',
    /0 replicas would switch it off/,
  ],
  [
    'a HorizontalPodAutoscaler that is off',
    () => clusterWith({ spec: { replicas: 0 }, status: { replicas: 0, updatedReplicas: 0 } }, hpa()),
    scale,
    'ManagedByAutoscaler',
    'HorizontalPodAutoscaler',
    /does not scale up by itself/,
  ],
  ['a HorizontalPodAutoscaler, for an image', () => clusterWith({}, hpa()), image, undefined],
  ['the HorizontalPodAutoscaler of another', () => clusterWith({}, hpa({ aim: { name: 'cart' } })), scale, undefined],
  [
    'the HorizontalPodAutoscaler of a StatefulSet of the same name',
    () => clusterWith({}, hpa({ aim: { kind: 'StatefulSet' } })),
    scale,
    undefined,
  ],
  [
    'the HorizontalPodAutoscaler of a Rollout of the same name',
    () => clusterWith({}, hpa({ aim: { apiVersion: 'argoproj.io/v1alpha1' } })),
    scale,
    undefined,
  ],
  [
    'a ScaledObject that leaves out what has a default',
    () => clusterWith({}, { ...keda({ aim: { kind: undefined, apiVersion: undefined } }), ...hpa(made) }),
    scale,
    'ManagedByAutoscaler',
    'ScaledObject',
    /^ScaledObject web-so keeps its replicas; change minReplicaCount/,
  ],
  [
    'a paused ScaledObject',
    () => clusterWith({}, keda({ metadata: { annotations: { 'autoscaling.keda.sh/paused': 'true' } } })),
    scale,
    undefined,
  ],
  [
    'a ScaledObject paused at a number',
    () =>
      clusterWith(
        {},
        keda({ metadata: { annotations: { 'autoscaling.keda.sh/paused': 'true', 'autoscaling.keda.sh/paused-replicas': '2' } } }),
      ),
    scale,
    'ManagedByAutoscaler',
    'ScaledObject',
  ],
  [
    'a VerticalPodAutoscaler',
    () => clusterWith({}, vpa()),
    resources,
    'ManagedByAutoscaler',
    'VerticalPodAutoscaler',
    /web-vpa keeps its requests and limits/,
  ],
  ['a VerticalPodAutoscaler that only recommends', () => clusterWith({}, vpa(off)), resources, undefined],
  ['a VerticalPodAutoscaler, for an image', () => clusterWith({}, vpa()), image, undefined],
  [
    'Argo CD by annotation',
    () => clusterWith({ metadata: { annotations: { 'argocd.argoproj.io/tracking-id': 'shop:apps/Deployment:shop/web' } } }),
    image,
    'ManagedByGitOps',
    'GitOps',
    /Argo CD \(shop:apps/,
  ],
  ['Argo CD by label', () => clusterWith(label('argocd.argoproj.io/instance')), scale, 'ManagedByGitOps', 'GitOps', /Argo CD \(apps\)/],
  [
    'Flux by Kustomization',
    () => clusterWith(label('kustomize.toolkit.fluxcd.io/name')),
    scale,
    'ManagedByGitOps',
    'GitOps',
    /Flux \(apps\)/,
  ],
  ['Flux by HelmRelease', () => clusterWith(label('helm.toolkit.fluxcd.io/name')), scale, 'ManagedByGitOps', 'GitOps', /Flux \(apps\)/],
  ['a controller', () => clusterWith(owned), image, 'ManagedByController', 'Controller', /Rollout web controls it/],
  ['a rollout', () => clusterWith({ status: { replicas: 3, updatedReplicas: 1 } }), image, 'RolloutInProgress', 'RolloutInProgress'],
  ['a rollout that begins with no pods', () => clusterWith({ status: creating }), scale, 'RolloutInProgress', 'RolloutInProgress'],
  ['scaling, which is no rollout', () => clusterWith({ status: scaling }), image, undefined],
  [
    'pods that are not healthy, which is no rollout',
    () => clusterWith({ status: { availableReplicas: 0 } }),
    { ...image, ...scale },
    undefined,
  ],
  ['a pause', () => clusterWith({ spec: { paused: true } }), image, 'RolloutPaused', undefined, /rollout resume deployment\/web/],
  ['a pause, for replicas', () => clusterWith({ spec: { paused: true } }), scale, undefined],
];

describe('M16 A47 A66 what keeps a workload', () => {
  it.each(cases)('%s', async (_, make, asked, reason, guard, says = /./) => {
    const cluster = make();
    const progress = await updateWorkload.execute(ask(asked), context(cluster));
    const plan = await updateWorkload.plan(ask(asked), context(cluster));
    if (reason === undefined) {
      expect(progress).toMatchObject({ state: 'running', reason: 'InProgress' });
      expect(plan).toMatchObject({ change: 1, blocked: [] });
      return;
    }
    expect(progress).toMatchObject({ state: 'failed', reason, message: says });
    expect(progress).toMatchObject({ message: /; nothing was written$/ });
    expect(plan.blocked).toHaveLength(1);
    const overridden = await updateWorkload.execute(ask({ ...asked, ignore: guard ? [guard] : [] }), context(cluster));
    expect(overridden.state).toBe(guard ? 'running' : 'failed');
  });

  it('all that stands in the way is told at once', async () => {
    const cluster = clusterWith(
      { metadata: { ...label('kustomize.toolkit.fluxcd.io/name').metadata, ...owned.metadata } },
      { ...hpa(), ...vpa() },
    );
    const { blocked, changes } = await updateWorkload.plan(ask({ ...scale, ...resources }), context(cluster));
    expect(blocked).toHaveLength(4);
    expect(changes).toEqual(['deployment/shop/web: replicas 2 → 3', 'deployment/shop/web: main requests cpu 1 → 2']);
  });

  it('what cannot be read is no consent: a missing right ends it, a fault is tried again', async () => {
    const forbidden = refusal(403, { reason: 'Forbidden', message: 'cannot list resource "scaledobjects"' });
    expect(await updateWorkload.execute(ask(scale), context(clusterWith({}, { ScaledObject: forbidden })))).toMatchObject({
      state: 'failed',
      reason: 'Forbidden',
      message: 'cannot list resource "scaledobjects"',
    });
    const fault = clusterWith({}, { ScaledObject: refusal(500) });
    await expect(updateWorkload.execute(ask(scale), context(fault))).rejects.toMatchObject({ status: 500 });
    expect(fault.calls.filter((call) => call.startsWith('patch'))).toEqual([]);
  });

  it('what is overridden is not asked for', async () => {
    const cluster = clusterWith();
    await updateWorkload.execute(
      ask({ ...scale, ...resources, ignore: ['HorizontalPodAutoscaler', 'ScaledObject', 'VerticalPodAutoscaler'] }),
      context(cluster),
    );
    expect(cluster.calls.filter((call) => call.startsWith('list'))).toEqual([]);
  });

  it('nothing is judged by a status that speaks of an earlier spec', async () => {
    const cluster = clusterWith({ metadata: { generation: 2 } });
    expect(await updateWorkload.execute(ask(image), context(cluster))).toMatchObject({
      state: 'running',
      reason: 'WaitingForRollout',
      message: /has not seen the last change yet$/,
      result: {},
    });
  });
});
