import { SESSIONS } from '../../operator/api/session.ts';
import { collectionPath } from '../../operator/kube/resources.ts';
import { waitFor } from '../cluster/wait-for.ts';
import type { RawApi, WatchEvent } from './raw-api.ts';
import { NAMESPACE, type Rig } from './rig.ts';

/** Where the Sessions of a measurement are: in the operator's own namespace. */
export const sessionsPath = collectionPath(SESSIONS, NAMESPACE);

/** A Session, as far as measurements look at it. */
interface StoredSession {
  readonly metadata: { readonly name: string; readonly resourceVersion: string };
  readonly status?: { readonly phase?: string; readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** A Session that runs an image nobody has to pull; `home`: with a PersistentVolumeClaim. */
export function session(name: string, home = false) {
  // The namespace of config/default takes no pods that may run as root.
  const template = { image: 'example.invalid/desktop', vnc: { port: 3000 }, securityContext: { runAsNonRoot: true } };
  return {
    apiVersion: `${SESSIONS.group}/${SESSIONS.version}`,
    kind: SESSIONS.kind,
    metadata: { name, namespace: NAMESPACE },
    spec: {
      user: 'ada',
      template,
      resources: { cpu: '100m', memory: '128Mi' },
      ...(home ? { home: { enabled: true, size: '1Gi', storageClassName: 'bench' } } : {}),
    },
  };
}

/** Whether it is what it should be, and that in this phase. */
function isReady({ status }: StoredSession, phase = 'Running'): boolean {
  return status?.phase === phase && (status.conditions ?? []).some(({ type, status: value }) => type === 'Ready' && value === 'True');
}

/** Volumes for so many homes, and the class they are asked for by: nothing in the control plane makes any. */
export async function makeVolumes(rig: Rig, count: number): Promise<void> {
  await rig.cp.api.create('/apis/storage.k8s.io/v1/storageclasses', {
    metadata: { name: 'bench' },
    provisioner: 'kubernetes.io/no-provisioner',
    volumeBindingMode: 'Immediate',
  });
  for (let index = 1; index <= count; index++) {
    await rig.cp.api.create('/api/v1/persistentvolumes', {
      metadata: { name: `bench-${index}` },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        storageClassName: 'bench',
        hostPath: { path: `/bench-${index}` },
      },
    });
  }
}

/** Notes when each Session last came to be ready in its phase, by `performance.now()`; key `name/phase`. */
export async function watchReady(api: RawApi): Promise<ReadonlyMap<string, number>> {
  const { body } = await api.call<{ metadata: { resourceVersion: string } }>('GET', sessionsPath);
  const seen = new Map<string, number>();
  const phases = new Map<string, string>();
  await api.watch<StoredSession>(sessionsPath, body.metadata.resourceVersion, ({ object }: WatchEvent<StoredSession>) => {
    const { metadata, status } = object;
    const settled = isReady(object, status?.phase) ? (status?.phase ?? '') : '';
    if (settled !== '' && phases.get(metadata.name) !== settled) seen.set(`${metadata.name}/${settled}`, performance.now());
    phases.set(metadata.name, settled);
  });
  return seen;
}

/** Resolves when so many Sessions are ready and Running. */
export async function untilRunning(rig: Rig, count: number): Promise<void> {
  const look = async () => {
    const { items } = await rig.cp.api.get<{ items: StoredSession[] }>(sessionsPath);
    return items.filter((each) => isReady(each)).length >= count;
  };
  await waitFor(look, { within: 180_000, every: 1000, what: `${count} sessions run` });
}
