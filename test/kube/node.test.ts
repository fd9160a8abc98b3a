import { expect, test } from 'vitest';
import { projectNode } from '../../operator/kube/node.ts';

test('a node keeps what this operator reads, and only its own annotations', () => {
  const raw = {
    metadata: {
      name: 'worker-3',
      uid: 'u3',
      resourceVersion: '42',
      labels: { 'kubernetes.io/hostname': 'worker-3' },
      annotations: {
        'cloudoptim.io/cordoned-by': 'drain-1',
        'session.cloudoptim.io/id': 's',
        'notcloudoptim.io/x': 'a',
        'cloudoptim.io': 'b',
        'kubectl.kubernetes.io/last-applied-configuration': '{"secret":1}',
      },
      managedFields: [
        { manager: 'kubelet', fieldsV1: { 'f:status': {} } },
        { manager: 'kubectl-cordon', fieldsV1: { 'f:spec': { 'f:unschedulable': {} } } },
      ],
    },
    spec: { unschedulable: true, providerID: 'aws:///eu-west-1a/i-0abc' },
    status: {
      conditions: [
        { type: 'MemoryPressure', status: 'True' },
        { type: 'Ready', status: 'True' },
      ],
      capacity: { cpu: '4', memory: '16Gi' },
      allocatable: { cpu: '3920m', memory: '15Gi', pods: '110' },
      images: [{ names: ['x'] }],
    },
  };
  expect(projectNode(raw)).toEqual({
    name: 'worker-3',
    uid: 'u3',
    resourceVersion: '42',
    labels: { 'kubernetes.io/hostname': 'worker-3' },
    annotations: { 'cloudoptim.io/cordoned-by': 'drain-1', 'session.cloudoptim.io/id': 's' },
    unschedulable: true,
    cordonManager: 'kubectl-cordon',
    ready: true,
    providerID: 'aws:///eu-west-1a/i-0abc',
    allocatable: { cpuMillicores: 3920, memoryBytes: 15 * 2 ** 30 },
  });
});

test.each(['False', 'Unknown', undefined])('Ready=%s is not ready', (status) => {
  expect(projectNode({ status: { conditions: [{ type: 'Ready', status }] } }).ready).toBe(false);
});

test.each([{}, null, undefined, { metadata: { labels: null, annotations: null } }])('%j is a node of which nothing is known', (raw) => {
  expect(projectNode(raw)).toMatchObject({
    name: '',
    labels: {},
    annotations: {},
    ready: false,
    allocatable: { cpuMillicores: 0, memoryBytes: 0 },
  });
});

test.each([
  [[{ name: 'kubernetes.io/csi/x^y', devicePath: '' }], true],
  [[], undefined],
  [null, undefined],
])('a node whose status names the volumes %j', (volumesAttached, expected) => {
  expect(projectNode({ status: { volumesAttached } }).volumesAttached).toBe(expected);
});
