import { expect, test } from 'vitest';
import { projectPod } from '../../operator/kube/pod.ts';

const raw = {
  metadata: {
    namespace: 'shop',
    name: 'web-1',
    uid: 'u1',
    resourceVersion: '9',
    labels: { app: 'web' },
    annotations: { secret: 'x' },
    ownerReferences: [
      { apiVersion: 'v1', kind: 'ConfigMap', name: 'c', uid: 'u8' },
      { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'u9', controller: true, blockOwnerDeletion: true },
    ],
  },
  spec: {
    nodeName: 'worker-3',
    containers: [
      { name: 'main', image: 'i', env: [{ name: 'PASSWORD', value: 'x' }], resources: { requests: { cpu: '1', memory: '1Ki' } } },
    ],
    volumes: [
      { name: 'tmp', emptyDir: {} },
      { name: 'shm', emptyDir: { medium: 'Memory', sizeLimit: '64Mi' } },
      { name: 'conf', configMap: { name: 'c' } },
    ],
  },
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
};

test('a pod keeps what this operator reads, and nothing that may hold a secret', () => {
  expect(projectPod(raw)).toEqual({
    namespace: 'shop',
    name: 'web-1',
    uid: 'u1',
    resourceVersion: '9',
    labels: { app: 'web' },
    nodeName: 'worker-3',
    phase: 'Running',
    ready: true,
    controller: { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'u9' },
    mirror: false,
    emptyDirs: [
      { name: 'tmp', medium: '' },
      { name: 'shm', medium: 'Memory', sizeLimit: '64Mi' },
    ],
    requests: { cpuMillicores: 1000, memoryBytes: 1024 },
    oomKills: [],
  });
});

test.each([{}, null, undefined, { metadata: { labels: null, ownerReferences: null }, spec: { volumes: null } }])(
  '%j is a pod of which nothing is known',
  (empty) => {
    const pod = projectPod(empty);
    expect(pod).toMatchObject({
      name: '',
      labels: {},
      nodeName: '',
      phase: 'Pending',
      ready: false,
      mirror: false,
      emptyDirs: [],
      oomKills: [],
    });
    expect(pod).not.toHaveProperty('controller');
    expect(pod).not.toHaveProperty('deletionTimestamp');
  },
);

test('pods share what is equal, so that 100,000 fit', () => {
  const [one, other] = [projectPod(raw), projectPod(structuredClone(raw))];
  expect(one.requests).toBe(other.requests);
  expect(one.controller).toBe(other.controller);
  expect(one.oomKills).toBe(other.oomKills);
});

test.each([
  ['Pending', 'Pending'],
  ['Succeeded', 'Succeeded'],
  ['Failed', 'Failed'],
  ['Unknown', 'Unknown'],
  ['Dreaming', 'Unknown'],
])('phase %s is %s', (phase, expected) => {
  expect(projectPod({ status: { phase } }).phase).toBe(expected);
});

test.each([
  ['annotation', { annotations: { 'kubernetes.io/config.mirror': '' } }, true],
  ['owner of kind Node', { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'n', uid: 'u' }] }, true],
  ['another Node kind', { ownerReferences: [{ apiVersion: 'example.org/v1', kind: 'Node', name: 'n', uid: 'u' }] }, false],
])('mirror by %s', (_how, metadata, mirror) => {
  expect(projectPod({ metadata }).mirror).toBe(mirror);
});

test('a pod on its way out says until when', () => {
  expect(projectPod({ metadata: { deletionTimestamp: '2026-01-01T00:00:30Z' } }).deletionTimestamp).toBe('2026-01-01T00:00:30Z');
});

test('one kill gives one entry, before the restart and after it', () => {
  const killed = { terminated: { reason: 'OOMKilled', exitCode: 137, finishedAt: '2026-01-01T00:00:00Z' } };
  const kills = (containerStatus: object) => projectPod({ status: { containerStatuses: [{ name: 'main', ...containerStatus }] } }).oomKills;
  const before = kills({ restartCount: 2, state: killed });
  expect(before).toEqual([{ container: 'main', restartCount: 2, finishedAt: '2026-01-01T00:00:00Z' }]);
  expect(kills({ restartCount: 3, state: { running: {} }, lastState: killed })).toEqual(before);
});

test('kills of init containers and two kills of one container are seen, other ends are not', () => {
  const at = (second: number, reason = 'OOMKilled') => ({ terminated: { reason, finishedAt: `2026-01-01T00:00:0${second}Z` } });
  const { oomKills } = projectPod({
    status: {
      initContainerStatuses: [{ name: 'init', restartCount: 0, state: at(1) }],
      containerStatuses: [
        { name: 'main', restartCount: 1, lastState: at(2), state: at(3) },
        { name: 'other', restartCount: 1, lastState: at(4, 'Error'), state: at(5, 'Completed') },
      ],
    },
  });
  expect(oomKills.map(({ container, restartCount }) => `${container} ${restartCount}`)).toEqual(['init 0', 'main 0', 'main 1']);
});

test.each([
  ['a claim', [{ name: 'd', persistentVolumeClaim: { claimName: 'data' } }], ['data']],
  ['an ephemeral volume, whose claim is named after the pod', [{ name: 'd', ephemeral: {} }], ['web-1-d']],
  [
    'both',
    [
      { name: 'a', emptyDir: {} },
      { name: 'b', persistentVolumeClaim: { claimName: 'b' } },
      { name: 'c', ephemeral: {} },
    ],
    ['b', 'web-1-c'],
  ],
  ['none', [{ name: 'a', emptyDir: {} }], undefined],
])('%s is kept by its name', (_case, volumes, claims) => {
  expect(projectPod({ metadata: { name: 'web-1' }, spec: { volumes } }).claims).toEqual(claims);
});

test('of annotations only those about disruptions are kept, with the start from which they count', () => {
  const annotations = { secret: 'x', 'karpenter.sh/do-not-disrupt': '5m', 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false' };
  const startTime = '2026-01-01T00:00:00Z';
  expect(projectPod({ metadata: { annotations }, status: { startTime } }).disruption).toEqual({
    marks: [
      { name: 'karpenter.sh/do-not-disrupt', value: '5m' },
      { name: 'cluster-autoscaler.kubernetes.io/safe-to-evict', value: 'false' },
    ],
    startedAt: startTime,
  });
  expect(projectPod({ metadata: { annotations: { secret: 'x' } }, status: { startTime } })).not.toHaveProperty('disruption');
});

test('a terminating pod keeps the grace that its deletion was asked for with', () => {
  const metadata = { deletionTimestamp: '2026-01-01T00:00:30Z', deletionGracePeriodSeconds: 30 };
  expect(projectPod({ metadata })).toMatchObject({ deletionTimestamp: metadata.deletionTimestamp, deletionGraceSeconds: 30 });
});
