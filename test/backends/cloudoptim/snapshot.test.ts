import { describe, expect, test } from 'vitest';
import type { ClusterEvent, ClusterSnapshot, NodeSnapshot } from '../../../operator/backends/snapshot.ts';
import { calm, startRig } from './rig.ts';

const gib = 2 ** 30;

function makeNode(changes: Partial<NodeSnapshot> = {}): NodeSnapshot {
  return {
    name: 'w1',
    instanceType: 'm6i.large',
    instanceID: 'i-0abc',
    zone: 'eu-1a',
    capacityType: 'on-demand',
    ready: true,
    unschedulable: false,
    allocatable: { cpuMillicores: 1930, memoryBytes: 7 * gib },
    allocated: { cpuMillicores: 500, memoryBytes: gib },
    podCount: 3,
    pricePerHour: 0.1,
    ...changes,
  };
}

const snapshot: ClusterSnapshot = {
  at: new Date('2025-11-28T10:00:00.999Z'),
  nodes: [
    makeNode(),
    makeNode({ name: 'w2', capacityType: 'spot', pricePerHour: 0.2, ready: false, zone: 'eu-1b' }),
    makeNode({ name: 'w3', capacityType: 'spot', instanceType: '', instanceID: '', zone: '' }),
  ],
  pods: { total: 9, running: 6, pending: 2, failed: 1 },
  allocated: { cpuMillicores: 1500, memoryBytes: 3 * gib },
};

test('a snapshot is sent as the union of both field sets', async () => {
  const { backend, adapter } = await startRig({ reading: false });
  await adapter.snapshots.push(snapshot, calm);
  expect(backend.violations).toEqual([]);
  expect(backend.heard.metrics[0]?.body).toMatchObject({
    cluster_id: 'cluster-123',
    timestamp: '2025-11-28T10:00:00Z',
    node_count: 3,
    total_nodes: 3,
    spot_node_count: 2,
    on_demand_nodes: 1,
    total_cpu_cores: 5.79,
    total_memory_gb: 21,
    allocated_cpu: 1.5,
    allocated_memory_gb: 3,
    pod_count: 9,
    current_cost_per_hour: 0.4,
    spot_cost_per_hour: 0.3,
    on_demand_cost_per_hour: 0.1,
    running_pods: 6,
    pending_pods: 2,
    failed_pods: 1,
    ready_nodes: 2,
    not_ready_nodes: 1,
    instance_types: { 'm6i.large': 2 },
    availability_zones: { 'eu-1a': 1, 'eu-1b': 1 },
  });
  const body = backend.heard.metrics[0]?.body as { nodes: unknown[] };
  expect(body.nodes[0]).toEqual({
    node_name: 'w1',
    instance_type: 'm6i.large',
    instance_id: 'i-0abc',
    availability_zone: 'eu-1a',
    node_type: 'on-demand',
    cpu_allocatable: 1.93,
    memory_allocatable_gb: 7,
    cpu_allocated: 0.5,
    memory_allocated_gb: 1,
    pod_count: 3,
  });
  expect(body).not.toHaveProperty('cpu_utilization_percent');
});

test('utilisation counts the nodes that have usage', async () => {
  const { backend, adapter } = await startRig({ reading: false });
  const usage = { cpuMillicores: 965, memoryBytes: 0.7 * gib };
  await adapter.snapshots.push({ ...snapshot, nodes: [makeNode({ usage }), makeNode({ name: 'w2' })] }, calm);
  expect(backend.heard.metrics[0]?.body).toMatchObject({ cpu_utilization_percent: 50, memory_utilization_percent: 10 });
});

test('an empty cluster is a valid snapshot', async () => {
  const { backend, adapter } = await startRig({ reading: false });
  await adapter.snapshots.push({ ...snapshot, nodes: [] }, calm);
  expect(backend.violations).toEqual([]);
});

test('422 is answered by the documented fields alone, and from then on at once', async () => {
  const { backend, adapter } = await startRig({ reading: false });
  backend.desk.documentedOnly = true;
  await adapter.snapshots.push(snapshot, calm);
  await adapter.snapshots.push(snapshot, calm);
  expect(backend.heard.requests.map((request) => request.answer)).toEqual([422, 200, 200]);
  expect(backend.heard.metrics[1]?.body).not.toHaveProperty('running_pods');
  expect(backend.violations).toEqual([]);
});

test('metrics refused twice are final; other refusals and faults are thrown', async () => {
  const { backend, adapter } = await startRig({ reading: false });
  backend.fail('metrics', { kind: 'status', status: 422 }, 2);
  await expect(adapter.snapshots.push(snapshot, calm)).rejects.toMatchObject({ status: 422, final: true });
  backend.fail('metrics', { kind: 'status', status: 400 });
  await expect(adapter.snapshots.push(snapshot, calm)).rejects.toMatchObject({ status: 400, final: true });
  backend.fail('metrics', { kind: 'status', status: 503, retryAfter: 3 });
  await expect(adapter.snapshots.push(snapshot, calm)).rejects.toMatchObject({ status: 503, final: false, retryAfter: 3 });
});

function makeEvents(count: number): ClusterEvent[] {
  return Array.from({ length: count }, (_, index) => ({
    key: `uid-${index}/1`,
    kind: 'OOMKilled',
    severity: 'Warning',
    reason: 'OOMKilled',
    message: 'Container app was killed',
    involvedObject: { kind: 'Pod', namespace: 'shop', name: `cart-${index}` },
    name: `cart-${index}`,
    count: 1,
    at: new Date('2025-11-28T10:00:00Z'),
  }));
}

describe('events', () => {
  test('go as a bare array of items with event_type', async () => {
    const { backend, adapter } = await startRig({ reading: false });
    await adapter.events.push(makeEvents(1), calm);
    expect(backend.violations).toEqual([]);
    expect(backend.heard.events[0]?.body).toEqual([
      {
        metric_type: 'event',
        event_type: 'OOMKilled',
        cluster_id: 'cluster-123',
        timestamp: '2025-11-28T10:00:00Z',
        namespace: 'shop',
        name: 'cart-0',
        type: 'Warning',
        reason: 'OOMKilled',
        message: 'Container app was killed',
        involved_object: { kind: 'Pod', name: 'cart-0', namespace: 'shop' },
        count: 1,
      },
    ]);
  });

  test('an empty list sends nothing', async () => {
    const { backend, adapter } = await startRig({ reading: false });
    await adapter.events.push([], calm);
    expect(backend.heard.requests).toEqual([]);
  });

  test('413 halves the batch, and later ones start with the size that went', async () => {
    const { backend, adapter } = await startRig({ reading: false });
    backend.desk.maxEvents = 3;
    await adapter.events.push(makeEvents(10), calm);
    expect(backend.heard.events.map((batch) => batch.body.length)).toEqual([2, 2, 2, 2, 2]);
    const before = backend.heard.requests.length;
    await adapter.events.push(makeEvents(4), calm);
    expect(backend.heard.requests.length - before).toBe(2);
  });

  test('an event that is too large alone is dropped and told', async () => {
    const { backend, adapter, contacts } = await startRig({ reading: false });
    backend.fail('events', { kind: 'status', status: 413 }, 3);
    await adapter.events.push(makeEvents(2), calm);
    expect(contacts.filter((event) => event.kind === 'malformed')).toHaveLength(2);
    expect(backend.heard.events).toHaveLength(0);
  });

  test('a repeated push leaves out what was taken before the failure', async () => {
    const { backend, adapter } = await startRig({ reading: false });
    backend.desk.maxEvents = 2;
    const list = makeEvents(4);
    // The whole list is answered 413, its first half is taken, the second half fails.
    backend.fail('events', { kind: 'delay', ms: 0 }, 2);
    backend.fail('events', { kind: 'status', status: 500 });
    await expect(adapter.events.push(list, calm)).rejects.toMatchObject({ status: 500 });
    const taken = backend.heard.events.flatMap((batch) => batch.body.map((event) => event.name));
    await adapter.events.push(list, calm);
    const all = backend.heard.events.flatMap((batch) => batch.body.map((event) => event.name));
    expect(taken).toEqual(['cart-0', 'cart-1']);
    expect(all).toEqual(['cart-0', 'cart-1', 'cart-2', 'cart-3']);
  });
});

test('heartbeats carry the four words', async () => {
  const { backend, adapter } = await startRig({ reading: false, tuning: { now: () => new Date('2025-11-28T10:00:00.5Z') } });
  for (const status of ['starting', 'healthy', 'degraded', 'stopping'] as const) await adapter.heartbeat.beat(status, calm);
  expect(backend.violations).toEqual([]);
  expect(backend.heard.heartbeats.map((beat) => beat.body.status)).toEqual(['starting', 'healthy', 'degraded', 'stopping']);
  expect(backend.heard.heartbeats[0]?.body.timestamp).toBe('2025-11-28T10:00:00Z');
});
