import { type Session, sessionIDOf } from '../api/session.ts';
import type { SessionWorkload } from '../api/session-template.ts';
import type { JsonObject } from '../lib/json.ts';
import { labelValue } from './labels.ts';
import { containerPorts, streamingPort } from './ports.ts';

/** The name of the container; people and the reference agent know it by this. */
const CONTAINER = 'session';
/** The volume that is the home; a mount of any other name is an empty directory. */
const HOME_VOLUME = 'user-home';
const HOME_PATH = '/config';
const VOLUME_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** The pod of the session: one container, its volumes, and what it may. */
export function podSpec(session: Session, workload: SessionWorkload, claimName: string | undefined): JsonObject {
  const { runAsUser, runAsGroup, fsGroup, runAsNonRoot, seccompProfile = 'RuntimeDefault' } = workload.securityContext ?? {};
  const mounts = mountsOf(workload, claimName !== undefined);
  return {
    automountServiceAccountToken: false,
    securityContext: { ...present({ runAsUser, runAsGroup, fsGroup, runAsNonRoot }), seccompProfile: { type: seccompProfile } },
    containers: [container(session, workload, mounts)],
    ...(mounts.length > 0 ? { volumes: volumesOf(mounts, claimName) } : {}),
  };
}

function container(session: Session, workload: SessionWorkload, mounts: readonly Mount[]): JsonObject {
  const { allowPrivilegeEscalation = false, readOnlyRootFilesystem, runAsNonRoot } = workload.securityContext ?? {};
  const { cpu = '1', memory = '2Gi' } = { ...workload.resources, ...session.spec?.resources };
  return {
    name: CONTAINER,
    image: workload.image,
    ports: containerPorts(workload).map(({ name, number, protocol }) => ({ name, containerPort: number, protocol })),
    env: envOf(session, workload),
    // What is asked for is also the limit, as the reference agent has it: a session cannot take what others need.
    resources: { requests: { cpu, memory }, limits: { cpu, memory } },
    ...(mounts.length > 0 ? { volumeMounts: mounts.map((mount) => ({ ...mount, name: volumeName(mount.name) })) } : {}),
    readinessProbe: { tcpSocket: { port: streamingPort(workload) }, periodSeconds: 2 },
    securityContext: {
      allowPrivilegeEscalation,
      ...present({ readOnlyRootFilesystem }),
      // What can never become root has no use for them, and namespaces of the level restricted take it then.
      ...(runAsNonRoot && !allowPrivilegeEscalation ? { capabilities: { drop: ['ALL'] } } : {}),
    },
  };
}

/** Sorted, so that the order in which a template lists them makes no other pod. */
function envOf(session: Session, { env = [] }: SessionWorkload): readonly JsonObject[] {
  const own = { USER: session.spec?.user ?? '', SESSION_ID: sessionIDOf(session), PUID: '1000', PGID: '1000', TZ: 'UTC' };
  const byName = new Map<string, JsonObject>(Object.entries(own).map(([name, value]) => [name, { name, value }]));
  for (const { name, value, valueFrom } of env) {
    byName.set(name, valueFrom ? { name, valueFrom: valueFrom as JsonObject } : { name, value: value ?? '' });
  }
  return [...byName].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, variable]) => variable);
}

interface Mount {
  readonly name: string;
  readonly mountPath: string;
  readonly subPath?: string;
  readonly readOnly?: true;
}

/** Those of the template; the home is mounted also where the template forgets it, as long as its place is free. */
function mountsOf({ volumeMounts = [] }: SessionWorkload, hasHome: boolean): readonly Mount[] {
  const mounts = volumeMounts.map(({ name, mountPath, subPath, readOnly }) => ({
    name,
    mountPath,
    ...(subPath ? { subPath } : {}),
    ...(readOnly ? { readOnly: true as const } : {}),
  }));
  const taken = mounts.some(({ name, mountPath }) => name === HOME_VOLUME || mountPath === HOME_PATH);
  return hasHome && !taken ? [{ name: HOME_VOLUME, mountPath: HOME_PATH }, ...mounts] : mounts;
}

function volumesOf(mounts: readonly Mount[], claimName: string | undefined): readonly JsonObject[] {
  return [...new Set(mounts.map(({ name }) => name))].map((name) =>
    name === HOME_VOLUME && claimName !== undefined
      ? { name: HOME_VOLUME, persistentVolumeClaim: { claimName } }
      : { name: volumeName(name), emptyDir: {} },
  );
}

/** Names of volumes are narrower than what templates of other systems use. */
function volumeName(name: string): string {
  if (VOLUME_NAME.test(name)) return name;
  return labelValue(`volume:${name}`).toLowerCase().replace(/[_.]/g, '-');
}

function present(members: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
