import { mkdtemp, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { actions } from '../../operator/actions/index.ts';
import { type MergedRule, rulesIn } from '../../operator/codegen/rights.ts';
import { loopRights } from '../../operator/kube/rights.ts';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { createNodes } from '../cluster/nodes.ts';
import { waitFor } from '../cluster/wait-for.ts';

const folder = join(import.meta.dirname, '../../config/default');
const IDENTITY = 'system:serviceaccount:cloudoptim:cloudoptim-operator';
// Its own control plane: what is installed is seen by the whole cluster.
let cluster: ControlPlane;

async function kubectl(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await cluster.kubectl(args);
  expect({ code, stderr }, args.join(' ')).toEqual({ code: 0, stderr: '' });
  return stdout;
}

beforeAll(async () => {
  cluster = await startControlPlane({ log: () => {} });
  await createNodes(cluster, ['worker-1']);
});
afterAll(() => cluster?.close());

test('kubectl apply -k is accepted at once, a second time changes nothing', async () => {
  const first = await kubectl('apply', '--kustomize', folder);
  expect(first).toContain('deployment.apps/cloudoptim-operator created');
  const second = await kubectl('apply', '--kustomize', folder);
  expect(
    second
      .trim()
      .split('\n')
      .filter((line) => !line.endsWith(' unchanged')),
    // kubectl sends the selector of a budget each time, and says so even where it is the same.
  ).toEqual(['poddisruptionbudget.policy/cloudoptim-operator configured']);
  const budget = ['poddisruptionbudget/cloudoptim-operator', '--namespace=cloudoptim', '-o', 'jsonpath={.metadata.generation}'];
  expect(await kubectl('get', ...budget)).toBe('1');
});

test('both pods are admitted under the restricted profile and run, also on one node', async () => {
  await kubectl('rollout', 'status', 'deployment/cloudoptim-operator', '--namespace=cloudoptim', '--timeout=30s');
  expect(await kubectl('get', 'pods', '--namespace=cloudoptim', '-o', 'jsonpath={.items[*].spec.containers[*].image}')).toBe(
    'cloudoptim-operator:0.1.0 cloudoptim-operator:0.1.0',
  );
});

test('the Service finds the pod by the port named http', async () => {
  // Pods of kwok have no address, and what has none is no endpoint.
  const pod = await kubectl('get', 'pods', '--namespace=cloudoptim', '-o', 'jsonpath={.items[0].metadata.name}');
  await cluster.api.patch(`/api/v1/namespaces/cloudoptim/pods/${pod}/status`, {
    status: { podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }] },
  });
  const path = 'jsonpath={.items[*].ports[*].name} {.items[*].ports[*].port} {.items[*].endpoints[*].conditions.ready}';
  const endpoint = () => kubectl('get', 'endpointslices', '--namespace=cloudoptim', '-o', path);
  await waitFor(async () => (await endpoint()) === 'http 8080 true', { what: 'the endpoint of the Service is ready' });
});

test('one of the pods may be evicted at a time', async () => {
  const path = '/apis/policy/v1/namespaces/cloudoptim/poddisruptionbudgets/cloudoptim-operator';
  const allowed = async () => (await cluster.api.get<{ status: { expectedPods: number; disruptionsAllowed: number } }>(path)).status;
  await waitFor(async () => (await allowed()).expectedPods === 2 && (await allowed()).disruptionsAllowed === 1, {
    what: 'the budget counts',
  });
});

test('an overlay chooses the image', async () => {
  const overlay = await mkdtemp(join(cluster.dir, 'overlay-'));
  const image = { name: 'cloudoptim-operator', newName: 'registry.example.com/operator', newTag: 'next' };
  await writeFile(join(overlay, 'kustomization.yaml'), JSON.stringify({ resources: [relative(overlay, folder)], images: [image] }));
  expect(await kubectl('kustomize', overlay)).toContain('image: registry.example.com/operator:next\n');
});

test('the ServiceAccount holds every declared right, in the whole cluster or in its own namespace', async () => {
  await expectRights(rulesIn('cluster', actions, loopRights), 'default');
  for (const scope of ['namespace', 'sessions'] as const) await expectRights(rulesIn(scope, actions, loopRights), 'cloudoptim');
});

test('the ServiceAccount holds no rights in other namespaces beside those of the cluster role', async () => {
  for (const [verb, resource] of [
    ['list', 'secrets'],
    ['list', 'configmaps'],
    ['patch', 'optimizationactions.cloudoptim.io'],
  ] as const) {
    expect(await can(verb, resource, 'default'), `${verb} ${resource}`).toBe(false);
  }
});

async function expectRights(rules: readonly MergedRule[], namespace: string): Promise<void> {
  for (const { apiGroups, resources, verbs, resourceNames = [''] } of rules) {
    const [resource = '', subresource] = resources[0]?.split('/') ?? [];
    for (const verb of verbs)
      expect(await can(verb, `${resource}.${apiGroups[0]}`, namespace, subresource, resourceNames[0]), `${verb} ${resources[0]}`).toBe(
        true,
      );
  }
}

async function can(verb: string, groupResource: string, namespace: string, subresource = '', name = ''): Promise<boolean> {
  const [resource = '', ...group] = groupResource.split('.');
  const review = { resourceAttributes: { verb, resource, subresource, group: group.join('.'), namespace, name }, user: IDENTITY };
  const answer = await cluster.api.create<{ status: { allowed: boolean } }>('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { ...review, groups: ['system:serviceaccounts', 'system:serviceaccounts:cloudoptim', 'system:authenticated'] },
  });
  return answer.status.allowed;
}
