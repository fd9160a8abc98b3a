import { SESSIONS } from '../../operator/api/session.ts';
import { SESSION_TEMPLATES } from '../../operator/api/session-template.ts';
import type { Resource } from '../../operator/kube/object.ts';
import { apiVersion, collectionPath } from '../../operator/kube/resources.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { claimOf, inSessionPhase, type StoredSession } from '../scenarios/session-objects.ts';
import { NAMESPACE } from './install.ts';
import type { Rig } from './rig.ts';

const NAME = 'anna';

/** A session from its start to its end, with a home and the signals that cost requests: stopped by an edit, and gone when its time is over. */
export async function driveSessions({ cp }: Rig): Promise<void> {
  const path = `${collectionPath(SESSIONS, NAMESPACE)}/${NAME}`;
  const make = (resource: Resource, name: string, spec: object) =>
    cp.api.create(collectionPath(resource, NAMESPACE), { apiVersion: apiVersion(resource), kind: resource.kind, metadata: { name }, spec });
  const until = async (look: (session: StoredSession) => unknown) => {
    let last: StoredSession | undefined;
    const seen = async () => {
      last = await cp.api.get<StoredSession>(path);
      return look(last);
    };
    await waitFor(seen, { what: `${NAME}: ${look}` }).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${JSON.stringify(last?.status, undefined, 1)}`);
    });
  };
  await cp.api.create('/api/v1/persistentvolumes', {
    metadata: { name: NAME },
    spec: {
      capacity: { storage: '10Gi' },
      accessModes: ['ReadWriteOnce'],
      hostPath: { path: '/nowhere' },
      claimRef: { namespace: NAMESPACE, name: `${NAME}-home` },
      persistentVolumeReclaimPolicy: 'Retain',
    },
  });
  await make(SESSION_TEMPLATES, 'firefox', {
    image: 'lscr.io/linuxserver/firefox:latest',
    resources: { cpu: '100m', memory: '128Mi' },
    idle: { signals: ['CPU'] },
    // The namespace takes no other pods.
    securityContext: { runAsNonRoot: true },
  });
  await make(SESSIONS, NAME, {
    user: 'anna',
    templateRef: { name: 'firefox' },
    home: { enabled: true, retain: 'WithSession' },
    idleTimeout: '30m',
    ttlAfterStopped: '0s',
  });
  await until(
    (session) => inSessionPhase('Running')(session) && claimOf(session, 'Idle')?.message.includes('metrics.k8s.io is not served'),
  );
  for (const state of ['Hibernated', 'Running']) {
    await cp.api.patch(path, { spec: { state } });
    await until(inSessionPhase(state));
  }
  await cp.api.patch(path, { spec: { state: 'Stopped' } });
  await waitFor(async () => (await cp.api.call('GET', path)).status === 404, { what: `${NAME} is gone` });
}
