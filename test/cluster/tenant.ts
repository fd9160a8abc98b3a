import { randomBytes } from 'node:crypto';
import type { ControlPlaneAccess } from './access.ts';
import { createNodes, deleteNodes, type NodeOptions } from './nodes.ts';
import { createDeployment, createNamespace, type DeploymentOptions, deleteNamespace, type Pod } from './workloads.ts';

/** A test's own corner of a shared control plane: one namespace, and nodes that only its pods are sent to, and they to no others. */
export interface Tenant extends AsyncDisposable {
  readonly namespace: string;
  /** The label of its nodes: `{ 'cloudoptim.test/set': <namespace> }`. */
  readonly nodeSelector: Record<string, string>;
  /** Makes so many nodes with unique names, waits until they are ready and returns the names. */
  createNodes(count: number, options?: NodeOptions): Promise<string[]>;
  /** Makes a Deployment in its namespace on its nodes; resolves with the ready pods. */
  createDeployment(options: Omit<DeploymentOptions, 'namespace' | 'nodeSelector'>): Promise<Pod[]>;
  /** Deletes the namespace, its pods and the nodes; may be called more than once. */
  remove(): Promise<void>;
}

/** Makes a tenant with the namespace `t-<name>-<random>`; the name is lower-case letters, digits and dashes. */
export async function createTenant(cp: ControlPlaneAccess, name: string): Promise<Tenant> {
  const namespace = `t-${name}-${randomBytes(4).toString('hex')}`;
  const nodeSelector = { 'cloudoptim.test/set': namespace };
  const nodes: string[] = [];
  // Its pods stay off the nodes of other tests, which drain them or count what is there.
  await createNamespace(cp, namespace, nodeSelector);
  const remove = async () => {
    await deleteNamespace(cp, namespace);
    await deleteNodes(cp, nodes.splice(0));
  };
  return {
    namespace,
    nodeSelector,
    createNodes: async (count, options = {}) => {
      const names = Array.from({ length: count }, (_, index) => `${namespace}-${nodes.length + index + 1}`);
      nodes.push(...names);
      await createNodes(cp, names, { ...options, labels: { ...options.labels, ...nodeSelector } });
      return names;
    },
    createDeployment: (options) => createDeployment(cp, { ...options, namespace, nodeSelector }),
    remove,
    [Symbol.asyncDispose]: remove,
  };
}
