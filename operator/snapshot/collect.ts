import type { ClusterSnapshot, NodeSnapshot } from '../backends/snapshot.ts';
import type { ClusterView } from '../kube/cluster.ts';
import type { Node } from '../kube/node.ts';
import type { Pod } from '../kube/pod.ts';
import type { Usage } from '../kube/usage.ts';
import { capacityTypeOf, instanceIDOf, instanceTypeOf, zoneOf } from './capacity.ts';
import { type PriceTable, priceOf } from './cost.ts';

interface Load {
  cpuMillicores: number;
  memoryBytes: number;
  podCount: number;
}

/** The cluster as it is now, out of watched objects alone: each pod is looked at once, nothing is requested. */
export function collectSnapshot(
  view: Pick<ClusterView, 'nodes' | 'pods'>,
  prices: PriceTable,
  now: Date,
  usage?: ReadonlyMap<string, Usage>,
): ClusterSnapshot {
  const total = load();
  const byNode = new Map<string, Load>();
  const count = { running: 0, pending: 0, failed: 0 };
  for (const pod of view.pods()) {
    total.podCount += 1;
    if (pod.phase === 'Running') count.running += 1;
    else if (pod.phase === 'Pending') count.pending += 1;
    else if (pod.phase === 'Failed') count.failed += 1;
    if (pod.nodeName === '') continue;
    const onNode = byNode.get(pod.nodeName) ?? load();
    byNode.set(pod.nodeName, onNode);
    onNode.podCount += 1;
    if (finished(pod)) continue;
    ask(onNode, pod);
    ask(total, pod);
  }
  return {
    at: now,
    nodes: view.nodes().map((node) => nodeSnapshot(node, byNode.get(node.name) ?? load(), prices, usage)),
    pods: { total: total.podCount, ...count },
    allocated: { cpuMillicores: total.cpuMillicores, memoryBytes: total.memoryBytes },
  };
}

function nodeSnapshot(node: Node, on: Load, prices: PriceTable, usage: ReadonlyMap<string, Usage> | undefined): NodeSnapshot {
  const instanceType = instanceTypeOf(node.labels);
  const capacityType = capacityTypeOf(node.labels);
  const used = usage?.get(node.name);
  const pricePerHour = priceOf(prices, instanceType, capacityType);
  return {
    name: node.name,
    instanceType,
    instanceID: instanceIDOf(node.providerID),
    zone: zoneOf(node.labels),
    capacityType,
    ready: node.ready,
    unschedulable: node.unschedulable,
    allocatable: node.allocatable,
    allocated: { cpuMillicores: on.cpuMillicores, memoryBytes: on.memoryBytes },
    ...(used && { usage: used }),
    podCount: on.podCount,
    ...(pricePerHour !== undefined && { pricePerHour }),
  };
}

/** The scheduler forgets a pod when it finished; one that is terminating still holds what it asked for. */
function finished(pod: Pod): boolean {
  return pod.phase === 'Succeeded' || pod.phase === 'Failed';
}

function ask(load: Load, pod: Pod): void {
  load.cpuMillicores += pod.requests.cpuMillicores;
  load.memoryBytes += pod.requests.memoryBytes;
}

function load(): Load {
  return { cpuMillicores: 0, memoryBytes: 0, podCount: 0 };
}
