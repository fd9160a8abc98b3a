import { SESSIONS, type Session } from '../../operator/api/session.ts';
import { objectPath } from '../../operator/kube/resources.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { NAMESPACE } from './install.ts';
import { ended, make, planAndRun } from './objects.ts';
import type { Rig } from './rig.ts';

// The operator's namespace takes no pods that run as root.
const spec = { user: 'ada', template: { image: 'example.invalid/desk', securityContext: { runAsNonRoot: true } } };
const pathOf = (name: string) => objectPath({ resource: SESSIONS, namespace: NAMESPACE, name });

/** Makes a Session as a GitOps tool does, so that what an action wants of it stands beside its spec, and resolves when it is in this state. */
async function declared({ cp }: Rig, name: string, state: 'Running' | 'Hibernated' | 'Stopped'): Promise<{ sessionRef: { name: string } }> {
  const object = { apiVersion: 'cloudoptim.io/v1alpha1', kind: SESSIONS.kind, metadata: { name }, spec: { ...spec, state } };
  await cp.api.call('PATCH', `${pathOf(name)}?fieldManager=gitops`, object, { type: 'application/apply-patch+yaml' });
  await waitFor(async () => (await cp.api.get<Session>(pathOf(name))).status?.phase === state, { what: `session ${name} is ${state}` });
  return { sessionRef: { name } };
}

/** One that there is and one that is made. */
export async function driveStart(rig: Rig): Promise<void> {
  await planAndRun(rig, { action: 'SessionStart', params: await declared(rig, 'started', 'Stopped') });
  await ended(rig, await make(rig, { action: 'SessionStart', params: { sessionRef: { name: 'made' }, session: spec } }), 'Succeeded');
}

/** One that runs. */
export async function driveHibernate(rig: Rig): Promise<void> {
  await planAndRun(rig, { action: 'SessionHibernate', params: await declared(rig, 'hibernated', 'Running') });
}

/** One that is hibernated. */
export async function driveWake(rig: Rig): Promise<void> {
  await planAndRun(rig, { action: 'SessionWake', params: await declared(rig, 'woken', 'Hibernated') });
}

/** One that runs. */
export async function driveStop(rig: Rig): Promise<void> {
  await planAndRun(rig, { action: 'SessionStop', params: await declared(rig, 'stopped', 'Running') });
}
