import type { JsonObject } from '../../lib/json.ts';
import { formatSeconds } from '../../lib/time.ts';
import type { ClusterSnapshot, NodeSnapshot } from '../snapshot.ts';

/** ClusterMetrics in three parts: the members with documented names, and the inferred ones (optimizer.md 2.2). */
export interface ClusterMetrics {
  readonly documented: JsonObject;
  readonly inferred: JsonObject;
}

/** Snapshot → ClusterMetrics: the union of both documented field sets. Cores and GiB (bytes / 2^30), USD per hour, rounded to 6 decimals. */
export function writeMetrics(snapshot: ClusterSnapshot, clusterID: string): ClusterMetrics {
  return { documented: documented(snapshot, clusterID), inferred: inferred(snapshot) };
}

function documented(snapshot: ClusterSnapshot, clusterID: string): JsonObject {
  const { nodes, allocated, pods } = snapshot;
  const spot = nodes.filter((node) => node.capacityType === 'spot').length;
  const cpu = cores(sum(nodes, (node) => node.allocatable.cpuMillicores));
  const cost = money(nodes);
  return {
    cluster_id: clusterID,
    timestamp: formatSeconds(snapshot.at),
    node_count: nodes.length,
    total_nodes: nodes.length,
    spot_node_count: spot,
    spot_nodes: spot,
    on_demand_node_count: nodes.length - spot,
    on_demand_nodes: nodes.length - spot,
    total_cpu_cores: cpu,
    total_cpu: cpu,
    total_memory_gb: gigabytes(sum(nodes, (node) => node.allocatable.memoryBytes)),
    allocated_cpu_cores: cores(allocated.cpuMillicores),
    allocated_cpu: cores(allocated.cpuMillicores),
    allocated_memory_gb: gigabytes(allocated.memoryBytes),
    pod_count: pods.total,
    total_pods: pods.total,
    current_cost_per_hour: cost,
    estimated_cost_per_hour: cost,
    nodes: nodes.map(writeNode),
  };
}

function writeNode(node: NodeSnapshot): JsonObject {
  return {
    node_name: node.name,
    instance_type: node.instanceType,
    instance_id: node.instanceID,
    availability_zone: node.zone,
    node_type: node.capacityType,
    cpu_allocatable: cores(node.allocatable.cpuMillicores),
    memory_allocatable_gb: gigabytes(node.allocatable.memoryBytes),
    cpu_allocated: cores(node.allocated.cpuMillicores),
    memory_allocated_gb: gigabytes(node.allocated.memoryBytes),
    pod_count: node.podCount,
  };
}

/** What seed 003 names without field names. Utilisation counts the nodes that have usage, and is left out when none has. */
function inferred(snapshot: ClusterSnapshot): JsonObject {
  const { nodes, pods } = snapshot;
  const ready = nodes.filter((node) => node.ready).length;
  const measured = nodes.filter((node) => node.usage !== undefined);
  return {
    running_pods: pods.running,
    pending_pods: pods.pending,
    failed_pods: pods.failed,
    ready_nodes: ready,
    not_ready_nodes: nodes.length - ready,
    cpu_utilization_percent: percent(measured, 'cpuMillicores'),
    memory_utilization_percent: percent(measured, 'memoryBytes'),
    spot_cost_per_hour: money(nodes.filter((node) => node.capacityType === 'spot')),
    on_demand_cost_per_hour: money(nodes.filter((node) => node.capacityType === 'on-demand')),
    instance_types: tally(nodes.map((node) => node.instanceType)),
    availability_zones: tally(nodes.map((node) => node.zone)),
  };
}

function percent(nodes: readonly NodeSnapshot[], resource: 'cpuMillicores' | 'memoryBytes'): number | undefined {
  const allocatable = sum(nodes, (node) => node.allocatable[resource]);
  return allocatable > 0 ? rounded((100 * sum(nodes, (node) => node.usage?.[resource] ?? 0)) / allocatable) : undefined;
}

/** How often each name occurs; nodes without the label are left out. */
function tally(names: readonly string[]): JsonObject {
  const counts = new Map<string, number>();
  for (const name of names) if (name !== '') counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function money(nodes: readonly NodeSnapshot[]): number {
  return rounded(sum(nodes, (node) => node.pricePerHour ?? 0));
}

function cores(millicores: number): number {
  return rounded(millicores / 1000);
}

function gigabytes(bytes: number): number {
  return rounded(bytes / 2 ** 30);
}

function sum(nodes: readonly NodeSnapshot[], value: (node: NodeSnapshot) => number): number {
  return nodes.reduce((total, node) => total + value(node), 0);
}

function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
