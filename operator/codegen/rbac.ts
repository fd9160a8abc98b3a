import { isSeq, type Node } from 'yaml';
import type { JsonObject } from '../lib/json.ts';
import type { MergedRule } from './rights.ts';
import { commentedYamlFile, yamlDocument, yamlFile } from './yaml-file.ts';

const NAME = 'cloudoptim-operator';
const NAMESPACE = 'cloudoptim';
const API_GROUP = 'rbac.authorization.k8s.io';
const SUBJECTS = [{ kind: 'ServiceAccount', name: NAME, namespace: NAMESPACE }];

/** The files of `config/rbac/` for these rights: a role and its binding for the cluster, and for the operator's own namespace. */
export function rbacFiles(cluster: readonly MergedRule[], namespace: readonly MergedRule[]): readonly (readonly [string, string])[] {
  const files: readonly (readonly [string, string])[] = [
    ['cluster-role.yaml', roleFile('ClusterRole', {}, cluster)],
    ['cluster-role-binding.yaml', yamlFile(binding('ClusterRole', {}))],
    ['role.yaml', roleFile('Role', { namespace: NAMESPACE }, namespace)],
    ['role-binding.yaml', yamlFile(binding('Role', { namespace: NAMESPACE }))],
  ];
  return withKustomization(files);
}

/** The files of a folder with one more role, in a namespace that whoever installs it chooses. */
export function extraRoleFiles(suffix: string, rules: readonly MergedRule[]): readonly (readonly [string, string])[] {
  const name = `${NAME}-${suffix}`;
  return withKustomization([
    ['role.yaml', roleFile('Role', { namespace: NAMESPACE }, rules, name)],
    ['role-binding.yaml', yamlFile(binding('Role', { namespace: NAMESPACE }, name))],
  ]);
}

function withKustomization(files: readonly (readonly [string, string])[]): readonly (readonly [string, string])[] {
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: files.map(([name]) => name).toSorted(),
  };
  // Not kustomization.yaml, which `kubectl apply -f` would take for an object.
  return [...files, ['Kustomization', yamlFile(kustomization)]];
}

function roleFile(kind: string, place: JsonObject, rules: readonly MergedRule[], name = NAME): string {
  const plain = rules.map(({ askedBy: _, ...rule }) => rule);
  const document = yamlDocument({ apiVersion: `${API_GROUP}/v1`, kind, metadata: { name, ...place }, rules: plain });
  const nodes = document.get('rules');
  if (isSeq<Node>(nodes)) {
    nodes.items.forEach((node, index) => {
      node.commentBefore = (rules[index]?.askedBy ?? []).map((line) => ` ${line}`).join('\n');
    });
  }
  return commentedYamlFile(document);
}

function binding(kind: string, place: JsonObject, name = NAME): JsonObject {
  return {
    apiVersion: `${API_GROUP}/v1`,
    kind: `${kind}Binding`,
    metadata: { name, ...place },
    roleRef: { apiGroup: API_GROUP, kind, name },
    subjects: SUBJECTS,
  };
}
