import type { Target, TargetKind } from '../actions/action.ts';
import type { ObjectRef, Resource } from '../kube/object.ts';
import { DAEMON_SETS, DEPLOYMENTS, NAMESPACES, NODES, PODS, STATEFUL_SETS } from '../kube/resources.ts';

const RESOURCES: Readonly<Record<TargetKind, Resource>> = {
  Node: NODES,
  Pod: PODS,
  Deployment: DEPLOYMENTS,
  StatefulSet: STATEFUL_SETS,
  DaemonSet: DAEMON_SETS,
  Namespace: NAMESPACES,
};

/** Where the target stands in the API. */
export function targetRef(target: Target): ObjectRef {
  const resource = RESOURCES[target.kind];
  return { resource, name: target.name, ...(target.namespace ? { namespace: target.namespace } : {}) };
}
