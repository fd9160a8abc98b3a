import type { ActionDefinition } from '../actions/action.ts';
import { type Kind, kinds } from '../api/kinds.ts';
import type { LoopRights } from '../kube/rights.ts';
import { actionDocs } from './action-docs.ts';
import { customResourceDefinition } from './custom-resource-definition.ts';
import { extraRoleFiles, rbacFiles } from './rbac.ts';
import { reference } from './reference.ts';
import { rulesIn } from './rights.ts';
import { sampleFiles } from './samples.ts';
import { kebab } from './words.ts';
import { yamlFile } from './yaml-file.ts';

/** Every generated file: its path from the root of the repository, and its text. */
export type Generated = ReadonlyMap<string, string>;

/** Rights that have a role of their own: of the sessions, which may be in another namespace, and of what not everybody switches on. */
const EXTRA_ROLES = ['sessions', 'vnc', 'stream-space'] as const;

/** The folders that hold nothing but generated files. */
export const GENERATED_FOLDERS = ['crds', 'config/rbac', ...EXTRA_ROLES.map((scope) => `config/rbac-${scope}`), 'config/samples'];

/** Everything `make generate` writes, from what the actions and the loops declare; the same input gives the same text. */
export function generate(actions: readonly ActionDefinition[], loops: readonly LoopRights[]): Generated {
  const all = kinds(actions);
  return new Map([
    ...under('crds', crdFiles(all)),
    ['crds/README.md', reference(all)],
    ...under('config/rbac', rbacFiles(rulesIn('cluster', actions, loops), rulesIn('namespace', actions, loops))),
    ...EXTRA_ROLES.flatMap((scope) => under(`config/rbac-${scope}`, extraRoleFiles(scope, rulesIn(scope, actions, loops)))),
    ...under('config/samples', sampleFiles(actions)),
    ['operator/actions/README.md', actionDocs(actions)],
  ]);
}

function crdFiles(all: readonly Kind[]): readonly (readonly [string, string])[] {
  const files = all.map((kind) => [`${kebab(kind.resource.kind)}.yaml`, yamlFile(customResourceDefinition(kind))] as const);
  const resources = files.map(([name]) => name);
  // Not kustomization.yaml, which `kubectl apply -f crds/` would take for an object.
  return [...files, ['Kustomization', yamlFile({ apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization', resources })]];
}

function under(folder: string, files: readonly (readonly [string, string])[]): readonly (readonly [string, string])[] {
  return files.map(([name, content]) => [`${folder}/${name}`, content]);
}
