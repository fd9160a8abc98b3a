import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import type { CloudOptimBackend } from '../backends/cloudoptim/server.ts';
import { startFaultProxy } from '../cluster/fault-proxy.ts';
import type { OperatorProcess } from './operator-process.ts';
import { eventually, seedVariables, useScene } from './scene.ts';

const scene = useScene('snapshots');
/** Two operators in one namespace would both make the backend `default`. */
const another = useScene('heartbeats');
let backend: CloudOptimBackend;
let operator: OperatorProcess;
let prices: string;
let nodes: string[];

type Metrics = Record<string, unknown> & { nodes: Record<string, unknown>[] };

const TYPE = 'node.kubernetes.io/instance-type';
const ZONE = 'topology.kubernetes.io/zone';

beforeAll(async () => {
  const made = [
    { labels: { 'eks.amazonaws.com/capacityType': 'SPOT', [TYPE]: 'scenario.large', [ZONE]: 'eu-1a' }, cpu: '4', memory: '16Gi' },
    { labels: { 'karpenter.sh/capacity-type': 'on-demand', [TYPE]: 'scenario.large', [ZONE]: 'eu-1b' }, cpu: '2500m', memory: '8388608Ki' },
    { labels: { 'cloud.google.com/gke-spot': 'true' }, cpu: '8' },
  ];
  nodes = [];
  for (const options of made) nodes.push(...(await scene.tenant.createNodes(1, options)));
  await scene.cp.api.patch(`/api/v1/nodes/${nodes[0]}`, { spec: { providerID: 'aws:///eu-1a/i-0spot' } });
  prices = join(scene.cp.dir, `${scene.namespace}-prices.yaml`);
  await writeFile(prices, 'scenario.large: { on-demand: 0.5, spot: 0.125 }\n');
  backend = await scene.backend();
  operator = await scene.operator({ ...seedVariables(backend), PRICE_TABLE_FILE: prices });
});

/** The next snapshot that is as asked for. */
function snapshot(look: (metrics: Metrics) => unknown, what: string): Promise<Metrics> {
  const known = backend.heard.metrics.length;
  return backend.waitFor(() => backend.heard.metrics.slice(known).find(({ body }) => look(body as Metrics))?.body as Metrics, what, 20_000);
}

function nodeIn(metrics: Metrics, index: number): Record<string, unknown> | undefined {
  return metrics.nodes.find((node) => node.node_name === nodes[index]);
}

test('a snapshot counts nodes, spot and on-demand, requests as the scheduler does, and money; both documented field sets', async () => {
  // Asks for 0.75 cores, because the init container needs more than the container and the sidecar together, and the runtime 0.05 more.
  const podSpec = {
    nodeSelector: { 'kubernetes.io/hostname': nodes[0] },
    initContainers: [
      { name: 'sidecar', image: 'example.invalid/none', restartPolicy: 'Always', resources: { requests: { cpu: '100m', memory: '64Mi' } } },
      { name: 'first', image: 'example.invalid/none', resources: { requests: { cpu: '0.65', memory: '1Mi' } } },
    ],
    containers: [{ name: 'main', image: 'example.invalid/none', resources: { requests: { cpu: '250m', memory: '192Mi' } } }],
  };
  await scene.tenant.createDeployment({ name: 'web', replicas: 2, podSpec });
  const metrics = await snapshot((each) => nodeIn(each, 0)?.pod_count === 2, 'a snapshot with both pods');
  expect(nodeIn(metrics, 0)).toEqual({
    node_name: nodes[0],
    instance_type: 'scenario.large',
    instance_id: 'i-0spot',
    availability_zone: 'eu-1a',
    node_type: 'spot',
    cpu_allocatable: 4,
    memory_allocatable_gb: 16,
    cpu_allocated: 1.5,
    memory_allocated_gb: 0.5,
    pod_count: 2,
  });
  expect(nodeIn(metrics, 1)).toMatchObject({
    node_type: 'on-demand',
    cpu_allocatable: 2.5,
    memory_allocatable_gb: 8,
    cpu_allocated: 0,
    pod_count: 0,
  });
  expect(nodeIn(metrics, 2)).toMatchObject({ node_type: 'spot', instance_type: '', cpu_allocatable: 8, memory_allocatable_gb: 32 });
  // The cluster has nodes of other tests too: totals are checked against the list, and the two field sets against each other.
  const sum = (member: string) => metrics.nodes.reduce((total, node) => total + Number(node[member]), 0);
  const spot = metrics.nodes.filter((node) => node.node_type === 'spot').length;
  const pairs = {
    node_count: 'total_nodes',
    spot_node_count: 'spot_nodes',
    on_demand_node_count: 'on_demand_nodes',
    pod_count: 'total_pods',
  };
  const amounts = { total_cpu_cores: 'total_cpu', allocated_cpu_cores: 'allocated_cpu', current_cost_per_hour: 'estimated_cost_per_hour' };
  for (const [seed, guide] of Object.entries({ ...pairs, ...amounts })) expect(metrics[seed], seed).toBe(metrics[guide]);
  expect(metrics).toMatchObject({
    cluster_id: backend.clusterID,
    node_count: metrics.nodes.length,
    spot_node_count: spot,
    on_demand_node_count: metrics.nodes.length - spot,
    total_cpu_cores: expect.closeTo(sum('cpu_allocatable'), 3),
    total_memory_gb: expect.closeTo(sum('memory_allocatable_gb'), 3),
    allocated_cpu_cores: expect.closeTo(sum('cpu_allocated'), 3),
    current_cost_per_hour: 0.625,
    spot_cost_per_hour: 0.125,
    on_demand_cost_per_hour: 0.5,
    instance_types: { 'scenario.large': 2 },
  });
  expect(metrics).not.toHaveProperty('cpu_utilization_percent');
  expect((await operator.fetch('/metrics')).body).toMatch(/^cloudoptim_unpriced_nodes [1-9]/m);
});

test.concurrent('another price table counts from the next snapshot on; a broken one is told and changes nothing', async () => {
  await writeFile(prices, 'scenario.large: { on-demand: 2, spot: 1 }\n');
  await snapshot((each) => each.current_cost_per_hour === 3, 'the new prices');
  await writeFile(prices, 'scenario.large: cheap\n');
  await eventually(() => operator.log.findLast(({ level }) => level === 'ERROR')?.message).toContain('scenario.large');
  expect((await snapshot(() => true, 'the next one')).current_cost_per_hour).toBe(3);
  expect(backend.violations).toEqual([]);
});

test.concurrent('heartbeats say starting, healthy, degraded while the API server is away, and stopping', async ({ onTestFinished }) => {
  const proxy = await startFaultProxy({ host: '127.0.0.1', port: another.cp.port });
  onTestFinished(() => proxy.close());
  const beating = await another.backend();
  const words = () => beating.heard.heartbeats.map(({ body }) => body.status);
  // Long enough to lead on while the API server is away: who leads no longer is silent.
  const other = await another.operator({ ...seedVariables(beating), LEASE_DURATION_SECONDS: '60' }, proxy.url);
  await beating.waitFor(() => words().at(-1) === 'healthy', 'healthy', 15_000);
  await proxy.refuse();
  proxy.cut();
  await beating.waitFor(() => words().at(-1) === 'degraded', 'degraded', 15_000);
  await proxy.accept();
  await beating.waitFor(() => words().at(-1) === 'healthy', 'healthy again', 15_000);
  await other.stop();
  expect([...new Set(words())]).toEqual(['starting', 'healthy', 'degraded', 'stopping']);
  expect(words().at(-1)).toBe('stopping');
});
