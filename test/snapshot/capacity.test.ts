import { expect, test } from 'vitest';
import { capacityTypeOf, instanceIDOf, instanceTypeOf, zoneOf } from '../../operator/snapshot/capacity.ts';

const rows: readonly (readonly [cloud: string, labels: Readonly<Record<string, string>>, capacityType: 'spot' | 'on-demand'])[] = [
  ['no cloud', { 'kubernetes.io/hostname': 'spot-1' }, 'on-demand'],
  ['EKS', { 'eks.amazonaws.com/capacityType': 'SPOT', 'eks.amazonaws.com/nodegroup': 'n' }, 'spot'],
  ['EKS', { 'eks.amazonaws.com/capacityType': 'ON_DEMAND' }, 'on-demand'],
  ['EKS capacity block', { 'eks.amazonaws.com/capacityType': 'CAPACITY_BLOCK' }, 'on-demand'],
  ['Karpenter', { 'karpenter.sh/capacity-type': 'spot', 'karpenter.sh/nodepool': 'default' }, 'spot'],
  ['Karpenter', { 'karpenter.sh/capacity-type': 'on-demand' }, 'on-demand'],
  ['Karpenter reserved', { 'karpenter.sh/capacity-type': 'reserved' }, 'on-demand'],
  ['kops or eksctl with the lifecycle label', { 'node.kubernetes.io/lifecycle': 'Ec2Spot' }, 'spot'],
  ['kops or eksctl with the lifecycle label', { 'node.kubernetes.io/lifecycle': 'normal' }, 'on-demand'],
  ['GKE spot', { 'cloud.google.com/gke-spot': 'true', 'cloud.google.com/gke-provisioning': 'spot' }, 'spot'],
  ['GKE preemptible', { 'cloud.google.com/gke-preemptible': 'true' }, 'spot'],
  ['GKE', { 'cloud.google.com/gke-spot': 'false' }, 'on-demand'],
  ['GKE standard', { 'cloud.google.com/gke-provisioning': 'standard' }, 'on-demand'],
  ['GKE provisioning', { 'cloud.google.com/gke-provisioning': 'preemptible' }, 'spot'],
  ['AKS', { 'kubernetes.azure.com/scalesetpriority': 'spot' }, 'spot'],
  ['AKS regular', { 'kubernetes.azure.com/scalesetpriority': 'regular' }, 'on-demand'],
  ['CAST AI', { 'scheduling.cast.ai/spot': 'true' }, 'spot'],
  ['CAST AI fallback', { 'scheduling.cast.ai/spot': 'true', 'scheduling.cast.ai/spot-fallback': 'true' }, 'on-demand'],
  ['OKE', { 'oci.oraclecloud.com/oke-is-preemptible': 'true' }, 'spot'],
  ['Ocean', { 'spotinst.io/node-lifecycle': 'spot' }, 'spot'],
  ['Ocean on-demand', { 'spotinst.io/node-lifecycle': 'od' }, 'on-demand'],
  ['kops with a node role', { 'node-role.kubernetes.io/spot-worker': '' }, 'spot'],
  ['the first label present decides', { 'eks.amazonaws.com/capacityType': 'ON_DEMAND', 'karpenter.sh/capacity-type': 'spot' }, 'on-demand'],
  [
    'the first label present decides',
    { 'node.kubernetes.io/lifecycle': 'spot', 'kubernetes.azure.com/scalesetpriority': 'regular' },
    'spot',
  ],
  ['an empty first label decides too', { 'karpenter.sh/capacity-type': '', 'cloud.google.com/gke-spot': 'true' }, 'on-demand'],
];

test.each(rows)('%s %j', (_cloud, labels, capacityType) => {
  expect(capacityTypeOf(labels)).toBe(capacityType);
});

test('the stable label goes before the old one', () => {
  const old = { 'beta.kubernetes.io/instance-type': 'm4.large', 'failure-domain.beta.kubernetes.io/zone': 'a' };
  const both = { ...old, 'node.kubernetes.io/instance-type': 'm5.large', 'topology.kubernetes.io/zone': 'b' };
  expect([instanceTypeOf(both), zoneOf(both)]).toEqual(['m5.large', 'b']);
  expect([instanceTypeOf(old), zoneOf(old)]).toEqual(['m4.large', 'a']);
  expect([instanceTypeOf({}), zoneOf({})]).toEqual(['', '']);
});

test.each([
  ['aws:///us-east-1a/i-0abc', 'i-0abc'],
  ['gce://project/europe-west1-b/gke-pool-1', 'gke-pool-1'],
  ['azure:///subscriptions/s/providers/Microsoft.Compute/virtualMachineScaleSets/v/virtualMachines/0', '0'],
  ['kind://docker/kind/kind-worker', 'kind-worker'],
  ['i-0abc', 'i-0abc'],
  ['', ''],
])('provider id %j is instance %j', (providerID, instanceID) => {
  expect(instanceIDOf(providerID)).toBe(instanceID);
});
