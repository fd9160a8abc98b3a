import { describe, expect, it } from 'vitest';
import { changeOf, linesOf, templatePatch } from '../../../operator/actions/update-workload/change.ts';
import { updateWorkload } from '../../../operator/actions/update-workload/update-workload.ts';
import type { Workload } from '../../../operator/actions/update-workload/workload.ts';
import type { KubeObject } from '../../../operator/kube/object.ts';
import { contextFor, FakeCluster } from '../fake-cluster.ts';

const web: Workload = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop', uid: 'web-uid', resourceVersion: '7', generation: 1 },
  spec: {
    replicas: 2,
    selector: {
      matchLabels: { app: 'web' },
      matchExpressions: [
        { key: 'tier', operator: 'In', values: ['a', 'b'] },
        { key: 'track', operator: 'NotIn', values: ['canary'] },
        { key: 'part', operator: 'Exists' },
        { key: 'old', operator: 'DoesNotExist' },
      ],
    },
    template: {
      spec: {
        containers: [
          { name: 'main', image: 'web:1', resources: { requests: { cpu: '500m', memory: '1Gi' } } },
          { name: 'sidecar', image: 's:1' },
        ],
      },
    },
  },
  status: { observedGeneration: 1, replicas: 2, updatedReplicas: 2, availableReplicas: 0 },
};

function ask(asked: object) {
  return updateWorkload.params.parse({ kind: 'Deployment', namespace: 'shop', name: 'web', ...asked });
}

function clusterWithWeb(): FakeCluster {
  const cluster = new FakeCluster();
  cluster.objects.set('Deployment/shop/web', web as unknown as KubeObject);
  return cluster;
}

describe('what differs', () => {
  it.each<[what: string, asked: object, lines: readonly string[]]>([
    ['nothing', { replicas: 2, containers: [{ name: 'main', image: 'web:1' }] }, []],
    ['the same amounts in other words', { containers: [{ name: 'main', requests: { cpu: '.5', memory: '1048576Ki' } }] }, []],
    ['replicas', { replicas: 0 }, ['replicas 2 → 0']],
    ['an image', { containers: [{ name: 'main', image: 'web:2' }] }, ['main image web:1 → web:2']],
    ['one request of two', { containers: [{ name: 'main', requests: { cpu: '1', memory: '1Gi' } }] }, ['main requests cpu 500m → 1']],
    ['what was not there', { containers: [{ name: 'sidecar', limits: { cpu: '1' } }] }, ['sidecar limits cpu none → 1']],
    [
      'a resource called as what every object has',
      { containers: [{ name: 'main', limits: { constructor: '1' } }] },
      ['main limits constructor none → 1'],
    ],
  ])('%s', (_, asked, lines) => {
    expect(linesOf(changeOf(ask(asked), web))).toEqual(lines);
  });

  it('M15 is all that the patch holds', () => {
    const asked = { containers: [{ name: 'main', image: 'web:1', requests: { cpu: '1', memory: '1Gi' } }] };
    expect(templatePatch(changeOf(ask(asked), web))).toEqual({
      template: { spec: { containers: [{ name: 'main', resources: { requests: { cpu: '1' } } }] } },
    });
  });
});

describe('what the API server takes but something else puts back', () => {
  it.each([
    ['replicas', { replicas: 3 }, 'replicas'],
    ['an image', { containers: [{ name: 'main', image: 'web:2' }] }, 'main image'],
  ])('is a failure: %s', async (_, asked, named) => {
    const cluster = clusterWithWeb();
    cluster.lists.set('HorizontalPodAutoscaler', []);
    cluster.patchScale = async () => ({ ...web, spec: { replicas: 2 } }) as unknown as KubeObject;
    cluster.strategicPatch = async () => web as unknown as KubeObject;
    const context = contextFor(cluster, { targetUID: 'web-uid' });
    const begun = await updateWorkload.execute(ask(asked), context);
    expect(begun).toMatchObject({ state: 'running', result: { changed: false } });
    expect(await updateWorkload.execute(ask(asked), { ...context, before: { result: begun.result ?? {}, blockers: [] } })).toMatchObject({
      state: 'failed',
      reason: 'NotKept',
      message: `the API server took the change but deployment/shop/web did not keep it: ${named}`,
      result: { changed: true },
    });
  });
});

describe('M20 what the pods say at the end', () => {
  const waiting = (reason: string) => ({ containerStatuses: [{ name: 'main', state: { waiting: { reason } } }] });
  const unscheduled = {
    conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes are available' }],
  };
  const ready = { conditions: [{ type: 'Ready', status: 'True' }] };
  const gone = { metadata: { deletionTimestamp: '2026-01-02T03:04:05Z' } };

  it.each<[what: string, pods: readonly (readonly [status: object, more?: { metadata: object }])[], says: string]>([
    ['nothing', [[ready]], ''],
    ['an image that cannot be pulled', [[waiting('ImagePullBackOff')]], '; web-0: main ImagePullBackOff'],
    ['a crash loop', [[ready], [waiting('CrashLoopBackOff')]], '; web-1: main CrashLoopBackOff'],
    [
      'an init container',
      [[{ initContainerStatuses: [{ name: 'init', state: { waiting: { reason: 'ErrImagePull' } } }] }]],
      '; web-0: init ErrImagePull',
    ],
    ['no room', [[unscheduled]], '; web-0: Unschedulable: 0/3 nodes are available'],
    ['slow ones', [[waiting('ContainerCreating')]], '; web-0: not ready'],
    ['causes before slow ones', [[{}], [waiting('CrashLoopBackOff')]], '; web-1: main CrashLoopBackOff'],
    ['those that go anyway', [[waiting('CrashLoopBackOff'), gone]], ''],
    [
      'many',
      Array.from({ length: 5 }, () => [waiting('CrashLoopBackOff')] as const),
      '; web-0: main CrashLoopBackOff, web-1: main CrashLoopBackOff, web-2: main CrashLoopBackOff and 2 more',
    ],
  ])('%s', async (_, pods, says) => {
    const cluster = clusterWithWeb();
    const asked: (string | undefined)[] = [];
    cluster.list = async (_resource, _namespace, selector) => {
      asked.push(selector);
      return pods.map(([status, more], index) => ({
        status,
        metadata: { name: `web-${index}`, ...more?.metadata },
      })) as unknown as KubeObject[];
    };
    const late = contextFor(cluster, { targetUID: 'web-uid' }, 600);
    expect(await updateWorkload.execute(ask({ replicas: 2 }), late)).toMatchObject({
      state: 'failed',
      reason: 'Timeout',
      message: `not done within 600 s: deployment/shop/web: 0 of 2 pods available${says}`,
    });
    expect(asked).toEqual(['app=web,tier in (a,b),track notin (canary),part,!old']);
  });
});

describe('the pause between looks', () => {
  it.each([
    [0, 0.5],
    [30, 3],
    [300, 10],
    [598, 2],
  ])('grows with the time it takes, and ends with the timeout: after %d s it is %d s', async (seconds, after) => {
    const context = contextFor(clusterWithWeb(), { targetUID: 'web-uid' }, seconds);
    expect(await updateWorkload.execute(ask({ replicas: 2 }), context)).toMatchObject({ state: 'running', next: { kind: 'again', after } });
  });
});
