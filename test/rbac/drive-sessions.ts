import { findCondition } from '../../operator/api/condition.ts';
import { API_VERSION } from '../../operator/api/group.ts';
import { SESSIONS, type Session } from '../../operator/api/session.ts';
import { SESSION_TEMPLATES } from '../../operator/api/session-template.ts';
import { collectionPath } from '../../operator/kube/resources.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { NAMESPACE } from './install.ts';
import type { Rig } from './rig.ts';

const collection = collectionPath(SESSIONS, NAMESPACE);

/** The whole life of a session with a home, which goes with it, and with a signal that costs requests; the operator itself removes what is stopped. */
export async function driveSessions({ cp }: Rig): Promise<void> {
  const create = (path: string, kind: string, name: string, spec: object) =>
    cp.api.create(path, { apiVersion: API_VERSION, kind, metadata: { name }, spec });
  await cp.api.create('/api/v1/persistentvolumes', {
    metadata: { name: 'home' },
    spec: {
      capacity: { storage: '10Gi' },
      accessModes: ['ReadWriteOnce'],
      hostPath: { path: '/nowhere' },
      claimRef: { namespace: NAMESPACE, name: 'ada-home' },
    },
  });
  await create(collectionPath(SESSION_TEMPLATES, NAMESPACE), SESSION_TEMPLATES.kind, 'desk', {
    image: 'example.invalid/desk',
    idle: { signals: ['CPU'] },
    // The namespace takes no other pods.
    securityContext: { runAsNonRoot: true },
  });
  await create(collection, SESSIONS.kind, 'ada', {
    user: 'ada',
    templateRef: { name: 'desk' },
    home: { enabled: true, retain: 'WithSession' },
    idleTimeout: '30m',
    ttlAfterStopped: '0s',
  });
  let last: Session | undefined;
  const until = async (what: string, look: (session: Session) => unknown) => {
    const seen = async () => {
      last = await cp.api.get<Session>(`${collection}/ada`);
      return look(last);
    };
    await waitFor(seen, { what }).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${JSON.stringify(last?.status)}`);
    });
  };
  const untilPhase = (phase: string) => until(`the session is ${phase}`, ({ status }) => status?.phase === phase);
  await until('its use is looked for', ({ status }) =>
    findCondition(status?.conditions, 'Idle')?.message.includes('metrics.k8s.io is not served'),
  );
  for (const state of ['Hibernated', 'Running']) {
    await cp.api.patch(`${collection}/ada`, { spec: { state } });
    await untilPhase(state);
  }
  await cp.api.patch(`${collection}/ada`, { spec: { state: 'Stopped' } });
  await waitFor(async () => (await cp.api.call('GET', `${collection}/ada`)).status === 404, { what: 'the session is gone' });
}
