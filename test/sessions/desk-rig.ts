import { INTENT, SESSIONS, type Session, type SessionStatus } from '../../operator/api/session.ts';
import type { SessionIntent } from '../../operator/api/session-desk.ts';
import type { SessionRequest, SessionState } from '../../operator/api/session-spec.ts';
import type { KubeClient } from '../../operator/kube/client.ts';
import { objectPath } from '../../operator/kube/resources.ts';
import { Store } from '../../operator/kube/store.ts';
import { LiveSessionDesk } from '../../operator/sessions/desk.ts';
import { controlPlane } from '../cluster/shared.ts';

/** What sessions of these tests run. */
export const REQUEST: SessionRequest = { user: 'ada', template: { image: 'example.invalid/desk' } };

/** When the tests begin, and a second later each. */
export const AT = [0, 1, 2, 3].map((seconds) => new Date(Date.parse('2026-11-21T10:00:00.000Z') + seconds * 1000)) as [
  Date,
  Date,
  Date,
  Date,
];

/** An intent of the action `actions/<by>`. */
export function intentOf(state: SessionState, by = 'one', at = AT[1], more: Partial<SessionIntent> = {}): SessionIntent {
  return { state, by: `actions/${by}`, at, ...more };
}

/** A desk of its own, as another process would have it, with what it keeps. */
export function deskOf(client: KubeClient, namespace: string, refusal: () => string | undefined = () => undefined) {
  const store = new Store<Session>(({ metadata: { name, uid, resourceVersion } }) => ({
    key: `${namespace}/${name}`,
    uid,
    resourceVersion,
  }));
  return { desk: new LiveSessionDesk({ client, store, namespace, refusal, claim: () => undefined }), store };
}

/** The Sessions of a namespace, as anybody sees and changes them. */
export function sessionsIn(namespace: string) {
  const path = (name: string) => objectPath({ resource: SESSIONS, namespace, name });
  const apply = (name: string, spec: object, manager: string, more: readonly string[] = []) => {
    const object = { apiVersion: 'cloudoptim.io/v1alpha1', kind: 'Session', metadata: { name, namespace }, spec };
    const args = ['apply', '--server-side', `--field-manager=${manager}`, '--filename=-', ...more];
    return controlPlane.kubectl(args, { input: JSON.stringify(object) });
  };
  return {
    path,
    get: (name: string) => controlPlane.api.get<Session>(path(name)),
    /** As a GitOps tool does. */
    apply,
    /** Makes one that nobody of ours owns anything of. */
    make: async (name: string, state: SessionState = 'Running') => {
      const object = { apiVersion: 'cloudoptim.io/v1alpha1', kind: 'Session', metadata: { name }, spec: { ...REQUEST, state } };
      const options = { type: 'application/apply-patch+yaml' };
      const { status, body } = await controlPlane.api.call('PATCH', `${path(name)}?fieldManager=gitops`, object, options);
      if (status !== 201) throw new Error(JSON.stringify(body));
    },
    annotate: (name: string, annotations: Record<string, string | null>) =>
      controlPlane.api.patch<Session>(path(name), { metadata: { annotations } }),
    edit: (name: string, spec: object) => controlPlane.api.patch<Session>(path(name), { spec }),
    /** As the controller of Sessions does. */
    status: (name: string, status: Partial<SessionStatus>) => controlPlane.api.patch<Session>(`${path(name)}/status`, { status }),
    intent: async (name: string) => (await controlPlane.api.get<Session>(path(name))).metadata.annotations?.[INTENT],
  };
}
