import type { Api } from '../../cluster/api.ts';

/** The session that the reference agent is told to start; what is absent is as its own defaults. */
export interface ReferenceOrder {
  readonly sessionId: string;
  readonly user: string;
  readonly template: string;
  /** Default `linuxserver/<template>:latest`. */
  readonly baseImage?: string;
  readonly cpu?: string;
  readonly memory?: string;
  /** Default false. */
  readonly persistentHome?: boolean;
  /** Of the template; default: none, so that the port of vnc is the only one. */
  readonly ports?: readonly { readonly name: string; readonly containerPort: number; readonly protocol?: string }[];
  readonly vncPort?: number;
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  /** More of the pod's spec than the reference agent writes, such as the nodes of a test. */
  readonly podSpec?: Readonly<Record<string, unknown>>;
}

/** What the reference agent sets whatever the template says. */
const FIXED = { PUID: '1000', PGID: '1000', TZ: 'UTC' };

/** Makes in a cluster what the reference agent makes for a start, in its order and with nothing else (streamspace.md 4.2): no owners, annotations or finalizers. */
export async function startAsReference(api: Api, namespace: string, order: ReferenceOrder): Promise<void> {
  const { sessionId: name, persistentHome = false } = order;
  const metadata = { name, namespace, labels: labelsOf(order) };
  await api.create(`/apis/apps/v1/namespaces/${namespace}/deployments`, { metadata, spec: deploymentSpec(order) });
  await api.create(`/api/v1/namespaces/${namespace}/services`, {
    metadata,
    spec: {
      type: 'ClusterIP',
      selector: { session: name },
      ports: [{ name: 'vnc', port: 3000, targetPort: 3000, protocol: 'TCP' }],
    },
  });
  if (!persistentHome) return;
  await api.create(`/api/v1/namespaces/${namespace}/persistentvolumeclaims`, {
    metadata: { ...metadata, name: `${name}-home` },
    spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'standard', resources: { requests: { storage: '10Gi' } } },
  });
}

/** Hibernates as the reference agent does: replicas 0, without a wait. */
export async function hibernateAsReference(api: Api, namespace: string, sessionID: string): Promise<void> {
  await api.patch(`/apis/apps/v1/namespaces/${namespace}/deployments/${sessionID}`, { spec: { replicas: 0 } });
}

/** Stops as the reference agent does: Deployment and Service go, the claim stays. */
export async function stopAsReference(api: Api, namespace: string, sessionID: string): Promise<void> {
  await api.remove(`/apis/apps/v1/namespaces/${namespace}/deployments/${sessionID}`, { propagationPolicy: 'Foreground' });
  await api.remove(`/api/v1/namespaces/${namespace}/services/${sessionID}`);
}

function labelsOf({ sessionId, user, template }: ReferenceOrder): Record<string, string> {
  return { app: 'streamspace-session', session: sessionId, user, template };
}

function deploymentSpec(order: ReferenceOrder) {
  const { sessionId, user, template, persistentHome = false } = order;
  const { cpu = '1000m', memory = '2Gi', vncPort = 3000, ports = [{ name: 'vnc', containerPort: vncPort }] } = order;
  const fixed = { USER: user, SESSION_ID: sessionId, ...FIXED };
  const env = [
    ...(order.env ?? []).filter(({ name }) => !(name in fixed)),
    ...Object.entries(fixed).map(([name, value]) => ({ name, value })),
  ];
  const resources = { requests: { cpu, memory }, limits: { cpu, memory } };
  const home = {
    mount: { volumeMounts: [{ name: 'user-home', mountPath: '/config' }] },
    volume: { volumes: [{ name: 'user-home', persistentVolumeClaim: { claimName: `${sessionId}-home` } }] },
  };
  const container = {
    name: 'session',
    image: order.baseImage ?? `linuxserver/${template}:latest`,
    ports: ports.map((port) => ({ protocol: 'TCP', ...port })),
    env,
    resources,
    ...(persistentHome ? home.mount : {}),
  };
  return {
    replicas: 1,
    selector: { matchLabels: { session: sessionId } },
    template: {
      metadata: { labels: labelsOf(order) },
      spec: { containers: [container], ...(persistentHome ? home.volume : {}), ...order.podSpec },
    },
  };
}
