import type { Stored } from './objects.ts';
import type { Scene } from './scene.ts';

/** A node with pods that their budget holds, until it is told to let them go. */
export interface HeldNode {
  readonly name: string;
  /** `namespace/name` of the pods. */
  readonly pods: readonly string[];
  /** Lets the pods go, but for so many (0). */
  letGo(minAvailable?: number): Promise<void>;
  /** Changes an annotation of the budget. */
  touch(value: string): Promise<void>;
}

/** Makes one. `name` names Deployment and budget. */
export async function heldNode(scene: Scene, name: string, replicas = 1): Promise<HeldNode> {
  const [node = ''] = await scene.tenant.createNodes(1);
  const podSpec = { nodeSelector: { 'kubernetes.io/hostname': node } };
  const pods = await scene.tenant.createDeployment({ name, replicas, budget: { minAvailable: replicas }, podSpec });
  const path = `/apis/policy/v1/namespaces/${scene.namespace}/poddisruptionbudgets/${name}`;
  return {
    name: node,
    pods: pods.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).sort(),
    letGo: async (minAvailable = 0) => {
      await scene.cp.api.patch(path, { spec: { minAvailable } });
    },
    touch: async (value) => {
      await scene.cp.api.patch(path, { metadata: { annotations: { touched: value } } });
    },
  };
}

/** Whether the drain is held by the budget now, as the API server has said; what is told before the cordon, and stays until then, does not count. */
export function isHeld({ status }: Pick<Stored, 'status'>): boolean {
  const { reason, message = '' } = status?.conditions?.find(({ type }) => type === 'Ready') ?? {};
  const refused = reason !== 'InProgress' && !message.startsWith('seen before the cordon');
  return status?.phase === 'Running' && (status.blockers?.length ?? 0) > 0 && refused;
}
