import type { NodeSnapshot } from '../backends/snapshot.ts';

type Labels = Readonly<Record<string, string>>;
type Capacity = NodeSnapshot['capacityType'];

const saysSpot = (value: string): boolean => value.toLowerCase().includes('spot');
const saysTrue = (value: string): boolean => value.toLowerCase() === 'true';

/**
 * The labels that tell, the first one present deciding (protocols/optimizer.md 2.2). The last five are not named there: GKE's other
 * label, CAST AI (a fallback stands in for spot and is paid as on-demand), Oracle OKE, Spot Ocean, and the node role of hand-made groups.
 */
const CAPACITY: readonly (readonly [label: string, isSpot: (value: string) => boolean])[] = [
  ['eks.amazonaws.com/capacityType', saysSpot],
  ['karpenter.sh/capacity-type', saysSpot],
  ['node.kubernetes.io/lifecycle', saysSpot],
  ['cloud.google.com/gke-spot', saysTrue],
  ['cloud.google.com/gke-preemptible', saysTrue],
  ['kubernetes.azure.com/scalesetpriority', saysSpot],
  ['cloud.google.com/gke-provisioning', (value) => saysSpot(value) || value === 'preemptible'],
  ['scheduling.cast.ai/spot-fallback', () => false],
  ['scheduling.cast.ai/spot', saysTrue],
  ['oci.oraclecloud.com/oke-is-preemptible', saysTrue],
  ['spotinst.io/node-lifecycle', saysSpot],
  ['node-role.kubernetes.io/spot-worker', (value) => value !== 'false'],
];

/** How the node is paid for; on-demand where no label tells (protocols/optimizer.md 2.2). */
export function capacityTypeOf(labels: Labels): Capacity {
  for (const [label, isSpot] of CAPACITY) {
    const value = labels[label];
    if (value !== undefined) return isSpot(value) ? 'spot' : 'on-demand';
  }
  return 'on-demand';
}

/** The instance type by its stable label, then by the old one; empty without either (protocols/optimizer.md 2.2). */
export function instanceTypeOf(labels: Labels): string {
  return labels['node.kubernetes.io/instance-type'] ?? labels['beta.kubernetes.io/instance-type'] ?? '';
}

/** The zone by its stable label, then by the old one; empty without either (protocols/optimizer.md 2.2). */
export function zoneOf(labels: Labels): string {
  return labels['topology.kubernetes.io/zone'] ?? labels['failure-domain.beta.kubernetes.io/zone'] ?? '';
}

/** The last path segment of `spec.providerID`, exactly as tasks name it (protocols/optimizer.md 1, row "node"). */
export function instanceIDOf(providerID: string): string {
  return providerID.slice(providerID.lastIndexOf('/') + 1);
}
