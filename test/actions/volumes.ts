import type { HasApi } from '../cluster/nodes.ts';
import { waitFor } from '../cluster/wait-for.ts';

const DRIVER = 'csi.example.com';

/** Makes a PersistentVolumeClaim with a volume of its own and resolves with the name of the volume when they are bound. */
export async function createVolume(cp: HasApi, namespace: string, claim: string): Promise<string> {
  const volume = `${namespace}-${claim}`;
  const common = { accessModes: ['ReadWriteOnce'], storageClassName: '' };
  await cp.api.create('/api/v1/persistentvolumes', {
    metadata: { name: volume },
    spec: {
      ...common,
      capacity: { storage: '1Gi' },
      claimRef: { namespace, name: claim },
      csi: { driver: DRIVER, volumeHandle: volume },
      persistentVolumeReclaimPolicy: 'Retain',
    },
  });
  const claims = `/api/v1/namespaces/${namespace}/persistentvolumeclaims`;
  const spec = { ...common, volumeName: volume, resources: { requests: { storage: '1Gi' } } };
  await cp.api.create(claims, { metadata: { name: claim }, spec });
  const isBound = async () => (await cp.api.get<{ status: { phase?: string } }>(`${claims}/${claim}`)).status.phase === 'Bound';
  await waitFor(isBound, { what: `the claim ${namespace}/${claim} is bound` });
  return volume;
}

/** Attaches the volume to the node, as the attach-detach controller does for nodes of a real kubelet. */
export async function attach(cp: HasApi, volume: string, node: string): Promise<void> {
  const spec = { attacher: DRIVER, nodeName: node, source: { persistentVolumeName: volume } };
  await cp.api.create('/apis/storage.k8s.io/v1/volumeattachments', { metadata: { name: nameOf(volume, node) }, spec });
}

/** Takes the volume off the node. */
export async function detach(cp: HasApi, volume: string, node: string): Promise<void> {
  await cp.api.remove(`/apis/storage.k8s.io/v1/volumeattachments/${nameOf(volume, node)}`);
}

function nameOf(volume: string, node: string): string {
  return `${volume}.${node}`;
}
