import type { HasApi } from './nodes.ts';

const GROUP = 'kwok.x-k8s.io';
const PLURAL = 'portforwards';

/** Makes the kind by which kwok is told where the ports of a pod lead; has to be there before kwok. */
export async function createForwardKind(cp: HasApi): Promise<void> {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  await cp.api.create('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    metadata: { name: `${PLURAL}.${GROUP}` },
    spec: {
      group: GROUP,
      names: { kind: 'PortForward', plural: PLURAL },
      scope: 'Namespaced',
      versions: [{ name: 'v1alpha1', served: true, storage: true, schema }],
    },
  });
}

/**
 * Lets a port of a pod, which need not exist yet, lead to a port on 127.0.0.1. kwok hears of it a moment later: until then, and for ports and pods without
 * it, a port-forward ends with an error as from a kubelet. Unlike a kubelet, kwok keeps the connection until both sides have ended theirs.
 */
export async function forwardPort(cp: HasApi, pod: { namespace: string; name: string }, port: number, to: number): Promise<void> {
  const { namespace, name } = pod;
  await cp.api.create(`/apis/${GROUP}/v1alpha1/namespaces/${namespace}/${PLURAL}`, {
    apiVersion: `${GROUP}/v1alpha1`,
    kind: 'PortForward',
    metadata: { name },
    spec: { forwards: [{ ports: [port], target: { address: '127.0.0.1', port: to } }] },
  });
}
