import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { controlPlane } from '../cluster/shared.ts';

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Readonly<Record<string, string>> };
  readonly subjects?: readonly { readonly name: string; readonly namespace: string }[];
  readonly spec?: {
    readonly template: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: { readonly containers: readonly { readonly env: readonly { readonly name: string }[] }[] };
    };
  };
}

const { code, stdout, stderr } = await controlPlane.kubectl(['kustomize', join(import.meta.dirname, '../../config/streamspace')]);
const manifests = parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
const all = (kind: string) => manifests.filter((each) => each.kind === kind);

test('the overlay in place of the agent of seed 002 can be built', () => {
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});

test('the selector of seed 002 finds the pods, and the variables it requires are set', () => {
  const [deployment] = all('Deployment');
  expect(deployment?.metadata.namespace).toBe('cloudoptim');
  expect(deployment?.spec?.template.metadata.labels).toMatchObject({
    component: 'k8s-agent',
    'app.kubernetes.io/name': 'cloudoptim-operator',
  });
  const names = deployment?.spec?.template.spec.containers[0]?.env.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['AGENT_ID', 'CONTROL_PLANE_URL', 'POD_NAMESPACE', 'CLUSTER_ID']));
  expect(names).not.toContain('AGENT_API_KEY');
});

test('the sessions have a namespace that takes their pods, and the operator its rights there', () => {
  const namespaces = all('Namespace').map(({ metadata }) => [metadata.name, metadata.labels?.['pod-security.kubernetes.io/enforce']]);
  expect(namespaces.toSorted()).toEqual([
    ['cloudoptim', 'restricted'],
    ['streamspace', 'baseline'],
  ]);
  const there = all('RoleBinding').filter(({ metadata }) => metadata.namespace === 'streamspace');
  expect(there.map(({ metadata, subjects }) => [metadata.name, subjects?.[0]])).toEqual([
    ['cloudoptim-operator-sessions', { kind: 'ServiceAccount', name: 'cloudoptim-operator', namespace: 'cloudoptim' }],
  ]);
});
