import type { ControlPlaneAccess } from './access.ts';
import { waitFor } from './wait-for.ts';

/** The part of a control plane that the makers of objects need. */
export type HasApi = Pick<ControlPlaneAccess, 'api'>;

/** Size and labels of made nodes: `cpu` and `memory` as Kubernetes quantities (default 8 and 32Gi), `pods` how many fit (default 250). */
export interface NodeOptions {
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  cpu?: string;
  memory?: string;
  pods?: number;
}

/** A node, as far as tests ask for it. */
export interface Node {
  metadata: { name: string; uid: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  spec: { unschedulable?: boolean; taints?: { key: string; value?: string; effect: string }[] };
  status: { conditions?: { type: string; status: string }[] };
}

/** Makes nodes whose kubelet is kwok, without taints, and resolves when pods can be scheduled to all of them. */
export async function createNodes(cp: HasApi, names: readonly string[], options: NodeOptions = {}): Promise<void> {
  const { labels = {}, annotations = {}, cpu = '8', memory = '32Gi', pods = 250 } = options;
  const size = { cpu, memory, pods: String(pods) };
  await Promise.all(
    names.map((name) =>
      cp.api.create('/api/v1/nodes', {
        metadata: {
          name,
          labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', ...labels },
          annotations: { ...annotations, 'kwok.x-k8s.io/node': 'fake' },
        },
        status: {
          allocatable: size,
          capacity: size,
          nodeInfo: { kubeletVersion: 'kwok', operatingSystem: 'linux', architecture: 'amd64' },
        },
      }),
    ),
  );
  await waitFor(async () => (await Promise.all(names.map((name) => getNode(cp, name)))).every(isOpen), {
    what: `nodes ${names.join(', ')} are ready`,
  });
}

/** Reads a node; throws when it does not exist. */
export function getNode(cp: HasApi, name: string): Promise<Node> {
  return cp.api.get<Node>(`/api/v1/nodes/${name}`);
}

/** Deletes nodes; pods that are still on them stay until Kubernetes collects them, so delete those first. */
export async function deleteNodes(cp: HasApi, names: readonly string[]): Promise<void> {
  await Promise.all(names.map((name) => cp.api.remove(`/api/v1/nodes/${name}`)));
}

// A new node is tainted as not ready; the controllers take that away a moment after it has become ready.
function isOpen(node: Node): boolean {
  const ready = node.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
  return ready && !node.spec.taints?.some(({ key }) => key.startsWith('node.kubernetes.io/'));
}
