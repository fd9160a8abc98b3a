import { type CloudOptimBackend, startCloudOptimBackend } from '../backends/cloudoptim/server.ts';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { createNodes } from '../cluster/nodes.ts';
import { createNamespace } from '../cluster/workloads.ts';
import { type OperatorProcess, startOperator } from '../scenarios/operator-process.ts';
import { install, NAMESPACE, SERVICE_ACCOUNT, writeSettings } from './install.ts';

/** The namespace of the workloads. */
export const WORK = 'shop';
/** The nodes, each for what its name says. */
export const NODES = ['cordoned', 'drained', 'emptied', 'other', 'desks'] as const;

/** An operator under its own ServiceAccount with its generated rights and nothing more, on an API server that writes down every request. */
export interface Rig extends AsyncDisposable {
  readonly cp: ControlPlane;
  readonly backend: CloudOptimBackend;
  readonly operator: OperatorProcess;
}

/** Installs `config/default`, makes nodes, a namespace for workloads and a backend named by ConfigMap and Secret, and starts the operator. */
export async function startRig(apiServerFlags: readonly string[]): Promise<Rig> {
  const cp = await startControlPlane({ audit: true, apiServerFlags, log: () => {} });
  const backend = await startCloudOptimBackend({ clusterID: 'rights' });
  const close = async () => {
    await backend.close();
    await cp.close();
  };
  try {
    await Promise.all([install(cp), createNodes(cp, NODES), createNamespace(cp, WORK)]);
    const settings = { 'central-server-url': backend.url, 'cluster-id': backend.clusterID, 'poll-interval-seconds': '1' };
    await writeSettings(cp, settings, backend.key);
    const kubeconfig = await cp.serviceAccountKubeconfig(NAMESPACE, SERVICE_ACCOUNT);
    const operator = await startOperator({ kubeconfig, namespace: NAMESPACE });
    return {
      cp,
      backend,
      operator,
      [Symbol.asyncDispose]: async () => {
        await operator[Symbol.asyncDispose]();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}
