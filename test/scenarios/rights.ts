import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { ControlPlaneAccess } from '../cluster/access.ts';
import { waitFor } from '../cluster/wait-for.ts';

const folder = join(import.meta.dirname, '../../config/rbac');
const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const NAME = 'cloudoptim-operator';

interface RbacObject {
  metadata: { name: string; namespace?: string };
  roleRef?: { name: string };
  subjects?: { namespace: string }[];
}

/** A ServiceAccount that has exactly the rights of `config/rbac`, in a namespace of its own. */
export interface Rights {
  readonly kubeconfig: string;
  /** A kubeconfig that names another address of the API server. */
  through(server: string): Promise<string>;
  /** How the API server knows it. */
  readonly user: string;
  /** Takes the cluster-wide right to this resource away (`pods/eviction`), and resolves when the API server knows. */
  forbid(resource: string): Promise<void>;
  /** Removes what the namespace does not take with it. */
  remove(): Promise<void>;
}

/** Gives the generated rights to a ServiceAccount of the namespace; cluster-wide objects get names of their own. */
export async function grantRights(cp: ControlPlaneAccess, namespace: string): Promise<Rights> {
  const own = `${NAME}-${namespace}`;
  const read = async (file: string) => parse(await readFile(join(folder, file), 'utf8')) as RbacObject;
  const bind = (binding: RbacObject) => ({ ...binding, subjects: binding.subjects?.map((subject) => ({ ...subject, namespace })) });
  const [clusterRole, clusterBinding, role, binding, ...ofSessions] = await Promise.all(
    [
      ...['cluster-role.yaml', 'cluster-role-binding.yaml', 'role.yaml', 'role-binding.yaml'],
      ...['../rbac-sessions/role.yaml', '../rbac-sessions/role-binding.yaml'],
    ].map(read),
  );
  const [sessionRole, sessionBinding] = ofSessions;
  if (!sessionRole || !sessionBinding || !clusterRole || !clusterBinding || !role || !binding) throw new Error(`${folder} is not complete`);
  const inNamespace = `${RBAC}/namespaces/${namespace}`;
  await Promise.all([
    cp.api.create(`/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: NAME } }),
    cp.api.create(`${RBAC}/clusterroles`, { ...clusterRole, metadata: { name: own } }),
    cp.api.create(`${inNamespace}/roles`, { ...role, metadata: { name: NAME } }),
    cp.api.create(`${inNamespace}/roles`, { ...sessionRole, metadata: { name: sessionRole.metadata.name } }),
  ]);
  await Promise.all([
    cp.api.create(`${RBAC}/clusterrolebindings`, {
      ...bind(clusterBinding),
      metadata: { name: own },
      roleRef: { ...clusterBinding.roleRef, name: own },
    }),
    cp.api.create(`${inNamespace}/rolebindings`, { ...bind(binding), metadata: { name: NAME } }),
    cp.api.create(`${inNamespace}/rolebindings`, { ...bind(sessionBinding), metadata: { name: sessionBinding.metadata.name } }),
  ]);
  return {
    kubeconfig: await cp.serviceAccountKubeconfig(namespace, NAME),
    through: (server) => cp.serviceAccountKubeconfig(namespace, NAME, { server }),
    forbid: async (resource) => {
      const path = `${RBAC}/clusterroles/${own}`;
      const { rules } = await cp.api.get<{ rules: { resources?: string[] }[] }>(path);
      const left = rules.map((rule) => ({ ...rule, resources: rule.resources?.filter((each) => each !== resource) ?? [] }));
      await cp.api.patch(path, { rules: left.filter((rule) => rule.resources.length > 0) });
      const user = `system:serviceaccount:${namespace}:${NAME}`;
      const may = () => cp.kubectl(['auth', 'can-i', 'create', resource, '-n', namespace, '--as', user]);
      await waitFor(async () => (await may()).stdout.trim() === 'no', { what: `${user} has no right to ${resource}` });
    },
    user: `system:serviceaccount:${namespace}:${NAME}`,
    remove: async () => {
      await Promise.all([cp.api.remove(`${RBAC}/clusterroles/${own}`), cp.api.remove(`${RBAC}/clusterrolebindings/${own}`)]);
    },
  };
}
