import { SESSIONS } from '../api/session.ts';
import type { ObjectRef, Resource } from '../kube/object.ts';
import { DAEMON_SETS, DEPLOYMENTS, NAMESPACES, NODES, PODS, STATEFUL_SETS } from '../kube/resources.ts';
import type { Target, TargetKind } from './action.ts';

const RESOURCES: Readonly<Record<TargetKind, Resource>> = {
  Node: NODES,
  Pod: PODS,
  Deployment: DEPLOYMENTS,
  StatefulSet: STATEFUL_SETS,
  DaemonSet: DAEMON_SETS,
  Namespace: NAMESPACES,
  Session: SESSIONS,
};

/** Where the target stands in the API. */
export function targetRef({ kind, namespace, name }: Target): ObjectRef {
  return { resource: RESOURCES[kind], name, ...(namespace === undefined ? {} : { namespace }) };
}
