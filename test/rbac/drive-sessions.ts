import { API_VERSION } from '../../operator/api/group.ts';
import { SESSIONS, type Session } from '../../operator/api/session.ts';
import { SESSION_TEMPLATES } from '../../operator/api/session-template.ts';
import { collectionPath } from '../../operator/kube/resources.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { NAMESPACE } from './install.ts';
import type { Rig } from './rig.ts';

const collection = collectionPath(SESSIONS, NAMESPACE);

/** The whole life of a session with a home, which goes with it. */
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
  await create(collectionPath(SESSION_TEMPLATES, NAMESPACE), SESSION_TEMPLATES.kind, 'desk', { image: 'example.invalid/desk' });
  await create(collection, SESSIONS.kind, 'ada', {
    user: 'ada',
    templateRef: { name: 'desk' },
    home: { enabled: true, retain: 'WithSession' },
  });
  const until = (phase: string) =>
    waitFor(async () => (await cp.api.get<Session>(`${collection}/ada`)).status?.phase === phase, { what: `the session is ${phase}` });
  await until('Running');
  for (const state of ['Hibernated', 'Running', 'Stopped']) {
    await cp.api.patch(`${collection}/ada`, { spec: { state } });
    await until(state);
  }
  await cp.api.remove(`${collection}/ada`);
  await waitFor(async () => (await cp.api.call('GET', `${collection}/ada`)).status === 404, { what: 'the session is gone' });
}
