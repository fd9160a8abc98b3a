import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { actions } from '../../operator/actions/index.ts';
import { rulesIn } from '../../operator/codegen/rights.ts';
import { loopRights, type PolicyRule } from '../../operator/kube/rights.ts';
import { NAMESPACE, SERVICE_ACCOUNT } from './install.ts';
import { compareRights, nameOf, rightsIn } from './right.ts';

const folder = join(import.meta.dirname, '../../config/rbac');
const ROLES = [
  ['cluster-role.yaml', 'cluster', rulesIn('cluster', actions, loopRights)],
  ['role.yaml', 'namespace', rulesIn('namespace', actions, loopRights)],
  ['../rbac-sessions/role.yaml', 'namespace', rulesIn('sessions', actions, loopRights)],
  ['../rbac-stream-space/role.yaml', 'namespace', rulesIn('stream-space', actions, loopRights)],
] as const;
const TUNNELS = '../rbac-vnc/role.yaml';

function read<T>(name: string): T {
  return parse(readFileSync(join(folder, name), 'utf8')) as T;
}

test.each(ROLES)('%s grants exactly what is declared, and has no other kind of rule', (file, scope, declared) => {
  const { rules } = read<{ rules: readonly PolicyRule[] }>(file);
  const members = ['apiGroups', 'resourceNames', 'resources', 'verbs'];
  for (const rule of rules) expect(Object.keys(rule).every((member) => members.includes(member))).toBe(true);
  expect(compareRights(rightsIn(scope, rules), rightsIn(scope, declared))).toEqual({ undeclared: [], unused: [] });
});

test.each(ROLES)('%s has no wildcard, and nothing that makes more rights out of few', (file, scope) => {
  const rights = rightsIn(scope, read<{ rules: readonly PolicyRule[] }>(file).rules);
  const names = rights.map(nameOf);
  expect(names.filter((name) => name.includes('*'))).toEqual([]);
  expect(
    names.filter((name) =>
      /^(escalate|bind|impersonate|update|deletecollection) |^create pods |(token|exec|attach|proxy|portforward)\b/.test(name),
    ),
  ).toEqual([]);
});

test('only the role of tunnels grants a way into pods, and it grants nothing else', () => {
  const { rules } = read<{ rules: readonly PolicyRule[] }>(TUNNELS);
  expect(rightsIn('namespace', rules).map(nameOf)).toEqual([
    'get pods (namespace)',
    'get pods/portforward (namespace)',
    'create pods/portforward (namespace)',
  ]);
});

test('what the Role grants, the ClusterRole does not', () => {
  const everywhere = new Set(rightsIn('cluster', rulesIn('cluster', actions, loopRights)).map(nameOf));
  const here = rightsIn('namespace', rulesIn('namespace', actions, loopRights));
  expect(here.filter((right) => everywhere.has(nameOf({ ...right, scope: 'cluster' }))).map(nameOf)).toEqual([]);
});

test.each([
  ['cluster-role-binding.yaml', 'ClusterRole', undefined],
  ['role-binding.yaml', 'Role', NAMESPACE],
  ['../rbac-sessions/role-binding.yaml', 'Role', NAMESPACE, '-sessions'],
  ['../rbac-vnc/role-binding.yaml', 'Role', NAMESPACE, '-vnc'],
  ['../rbac-stream-space/role-binding.yaml', 'Role', NAMESPACE, '-stream-space'],
])('%s binds the ServiceAccount and nobody else', (file, kind, namespace, suffix = '') => {
  expect(read(file)).toMatchObject({
    metadata: { ...(namespace ? { namespace } : {}) },
    roleRef: { kind, name: `${SERVICE_ACCOUNT}${suffix}` },
    subjects: [{ kind: 'ServiceAccount', name: SERVICE_ACCOUNT, namespace: NAMESPACE }],
  });
});
