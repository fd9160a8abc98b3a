import type { Session } from '../../operator/api/session.ts';
import type { SessionWorkload } from '../../operator/api/session-template.ts';
import type { Pod } from '../../operator/kube/pod.ts';
import { projectPod } from '../../operator/kube/pod.ts';

/** A Session as the API server would have it. */
export function session(more: { spec?: object; status?: object; metadata?: object } = {}): Session {
  return {
    apiVersion: 'cloudoptim.io/v1alpha1',
    kind: 'Session',
    metadata: { name: 'ada', namespace: 'desks', uid: 'u1', resourceVersion: '1', generation: 3, ...more.metadata },
    spec: { state: 'Running', user: 'ada', templateRef: { name: 'firefox' }, ...more.spec },
    status: { ...more.status },
  } as Session;
}

/** A template. */
export function workload(more: Partial<SessionWorkload> = {}): SessionWorkload {
  return { image: 'example.com/desk', ...more };
}

/** A pod of the session, as the watch keeps it. */
export function pod(name: string, status: object, metadata: { labels?: object; [member: string]: unknown } = {}, nodeName = 'n1'): Pod {
  const labels = { app: 'streamspace-session', session: 'ada', 'cloudoptim.io/revision': 'r1', ...metadata.labels };
  return projectPod({ metadata: { name, namespace: 'desks', uid: name, ...metadata, labels }, spec: { nodeName }, status });
}
