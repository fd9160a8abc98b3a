import { join } from 'node:path';
import { type CloudOptimBackend, startCloudOptimBackend } from '../backends/cloudoptim/server.ts';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { applyCrds } from '../cluster/crds.ts';
import { createNodes } from '../cluster/nodes.ts';
import { createNamespace } from '../cluster/workloads.ts';
import type { OperatorProcess } from '../scenarios/operator-process.ts';
import { note } from './figure.ts';
import { startBundle } from './operator-process.ts';

/** The namespace of the operator. */
export const NAMESPACE = 'cloudoptim';
/** Where the pods of a measurement live. */
export const PODS = 'bench';
/** How the API server knows the operator. */
const USER = `system:serviceaccount:${NAMESPACE}:cloudoptim-operator`;

/** One line of the audit log. */
export type AuditEvent = Awaited<ReturnType<ControlPlane['auditEvents']>>[number];

/** What every figure is measured on: a control plane of its own with ten nodes, and the reference backend in this process. */
export interface Rig {
  readonly cp: ControlPlane;
  readonly backend: CloudOptimBackend;
  readonly nodes: readonly string[];
  /** Starts the operator under its ServiceAccount with its generated rights, and nothing more; `settings` are further variables. */
  operator(settings?: Readonly<Record<string, string>>): Promise<OperatorProcess>;
  /** Pushes a task to the operator over the socket; resolves with the milliseconds until its result was here. Throws unless it is a success. */
  run(taskID: string, taskType: string, nodeName: string): Promise<number>;
  /** What the operator has asked the API server for, without its Lease and requests that are still running; needs `audit`. */
  requests(): Promise<AuditEvent[]>;
}

/** How a rig is made. */
interface RigOptions {
  /** With an audit log, which costs the API server a little. */
  readonly audit?: boolean;
  /** How many nodes; default 10. */
  readonly nodeCount?: number;
  /** How many pods fit on each; default 250. */
  readonly podsPerNode?: number;
}

/** Makes a rig, does the work and leaves nothing. */
export async function withRig<T>(options: RigOptions, work: (rig: Rig) => Promise<T>): Promise<T> {
  const { audit = false, nodeCount = 10, podsPerNode = 250 } = options;
  note(`starting a control plane with ${nodeCount} nodes`);
  const cp = await startControlPlane({ audit });
  const backend = await startCloudOptimBackend();
  try {
    await applyCrds(cp);
    await applyRights(cp);
    await createNamespace(cp, PODS);
    const nodes = Array.from({ length: nodeCount }, (_, index) => `node-${index + 1}`);
    await createNodes(cp, nodes, { cpu: '64', memory: '256Gi', pods: podsPerNode });
    const kubeconfig = await cp.serviceAccountKubeconfig(NAMESPACE, 'cloudoptim-operator');
    const result = await work({
      cp,
      backend,
      nodes,
      operator: (settings = {}) => {
        const seed = { CENTRAL_SERVER_URL: backend.url, CLUSTER_ID: backend.clusterID, CENTRAL_API_KEY: backend.key };
        return startBundle(kubeconfig, NAMESPACE, { ...seed, ...settings });
      },
      run: (taskID, taskType, nodeName) => run(backend, taskID, taskType, nodeName),
      requests: async () => (await cp.auditEvents()).filter(isOfOperator),
    });
    for (const sentence of new Set(backend.violations)) note(`breach of the protocol: ${sentence}`);
    return result;
  } finally {
    await backend.close();
    await cp.close();
  }
}

/** The Lease is renewed all the time, whatever else is done. */
function isOfOperator({ user, stage, objectRef }: AuditEvent): boolean {
  return user.username === USER && stage === 'ResponseComplete' && objectRef?.resource !== 'leases';
}

async function run(backend: CloudOptimBackend, taskID: string, taskType: string, nodeName: string): Promise<number> {
  const pushedAt = performance.now();
  backend.pushTask({ task_id: taskID, task_type: taskType, parameters: { node_name: nodeName } });
  const { at, body } = await backend.result(taskID, 120_000);
  if (body.status !== 'success') throw new Error(`${taskType} of ${nodeName}: ${body.status}: ${body.error} ${body.logs}`);
  return at - pushedAt;
}

async function applyRights(cp: ControlPlane): Promise<void> {
  const config = join(import.meta.dirname, '../../config');
  const file = (name: string) => `--filename=${join(config, 'default', name)}`;
  for (const from of [
    [file('namespace.yaml'), file('service-account.yaml')],
    [`--kustomize=${join(config, 'rbac')}`],
    [`--kustomize=${join(config, 'rbac-sessions')}`],
  ]) {
    const { code, stderr } = await cp.kubectl(['apply', `--namespace=${NAMESPACE}`, ...from]);
    if (code !== 0) throw new Error(`the rights of the operator could not be applied: ${stderr.trim()}`);
  }
}
