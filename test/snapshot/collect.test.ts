import { expect, test } from 'vitest';
import { projectNode } from '../../operator/kube/node.ts';
import { projectPod } from '../../operator/kube/pod.ts';
import { collectSnapshot } from '../../operator/snapshot/collect.ts';
import { NO_PRICES, parsePriceTable } from '../../operator/snapshot/cost.ts';

const now = new Date('2026-01-01T00:00:00Z');
const pod = (nodeName: string, phase: string, cpu: string, memory: string, metadata: object = {}) =>
  projectPod({ metadata, spec: { nodeName, containers: [{ name: 'c', resources: { requests: { cpu, memory } } }] }, status: { phase } });

const spot = projectNode({
  metadata: {
    name: 'a',
    labels: {
      'node.kubernetes.io/instance-type': 'm5.large',
      'topology.kubernetes.io/zone': 'eu-1a',
      'karpenter.sh/capacity-type': 'spot',
    },
  },
  spec: { providerID: 'aws:///eu-1a/i-0a' },
  status: { conditions: [{ type: 'Ready', status: 'True' }], allocatable: { cpu: '1930m', memory: '8Gi' } },
});
const bare = projectNode({ metadata: { name: 'b' }, spec: { unschedulable: true } });

const pods = [
  pod('a', 'Running', '1', '1k'),
  pod('a', 'Running', '250m', '1k', { deletionTimestamp: '2026-01-01T00:00:30Z' }),
  pod('a', 'Pending', '100m', '10'),
  pod('a', 'Succeeded', '7', '1G'),
  pod('b', 'Failed', '7', '1G'),
  pod('', 'Pending', '9', '1G'),
  pod('gone', 'Running', '1m', '1'),
];

test('nodes and pods are summed as the scheduler counts them, each pod looked at once', () => {
  let looked = 0;
  const view = {
    nodes: () => [spot, bare],
    *pods() {
      for (const each of pods) {
        looked += 1;
        yield each;
      }
    },
  };
  const usage = new Map([['a', { cpuMillicores: 700, memoryBytes: 5 }]]);
  expect(collectSnapshot(view, parsePriceTable({ 'm5.large': { spot: 0.035 } }), now, usage)).toEqual({
    at: now,
    nodes: [
      {
        name: 'a',
        instanceType: 'm5.large',
        instanceID: 'i-0a',
        zone: 'eu-1a',
        capacityType: 'spot',
        ready: true,
        unschedulable: false,
        allocatable: { cpuMillicores: 1930, memoryBytes: 8 * 2 ** 30 },
        allocated: { cpuMillicores: 1350, memoryBytes: 2010 },
        usage: { cpuMillicores: 700, memoryBytes: 5 },
        podCount: 4,
        pricePerHour: 0.035,
      },
      {
        name: 'b',
        instanceType: '',
        instanceID: '',
        zone: '',
        capacityType: 'on-demand',
        ready: false,
        unschedulable: true,
        allocatable: { cpuMillicores: 0, memoryBytes: 0 },
        allocated: { cpuMillicores: 0, memoryBytes: 0 },
        podCount: 1,
      },
    ],
    pods: { total: 7, running: 3, pending: 2, failed: 1 },
    allocated: { cpuMillicores: 1351, memoryBytes: 2011 },
  });
  expect(looked).toBe(pods.length);
});

test('an empty cluster is a snapshot too', () => {
  const empty = collectSnapshot({ nodes: () => [], pods: () => [] }, NO_PRICES, now);
  expect(empty).toEqual({
    at: now,
    nodes: [],
    pods: { total: 0, running: 0, pending: 0, failed: 0 },
    allocated: { cpuMillicores: 0, memoryBytes: 0 },
  });
});
