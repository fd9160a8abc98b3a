import type { ObjectRef, Resource } from './object.ts';

function core(plural: string, kind: string, namespaced: boolean): Resource {
  return { group: '', version: 'v1', plural, kind, namespaced };
}

function apps(plural: string, kind: string): Resource {
  return { group: 'apps', version: 'v1', plural, kind, namespaced: true };
}

/** core/v1 Node. */
export const NODES = core('nodes', 'Node', false);
/** core/v1 Pod. */
export const PODS = core('pods', 'Pod', true);
/** core/v1 Namespace. */
export const NAMESPACES = core('namespaces', 'Namespace', false);
/** core/v1 Event. */
export const EVENTS = core('events', 'Event', true);
/** core/v1 Service. */
export const SERVICES = core('services', 'Service', true);
/** core/v1 Secret. */
export const SECRETS = core('secrets', 'Secret', true);
/** core/v1 ConfigMap. */
export const CONFIG_MAPS = core('configmaps', 'ConfigMap', true);
/** apps/v1 Deployment. */
export const DEPLOYMENTS = apps('deployments', 'Deployment');
/** apps/v1 StatefulSet. */
export const STATEFUL_SETS = apps('statefulsets', 'StatefulSet');
/** apps/v1 DaemonSet. */
export const DAEMON_SETS = apps('daemonsets', 'DaemonSet');
/** policy/v1 PodDisruptionBudget. */
export const BUDGETS: Resource = {
  group: 'policy',
  version: 'v1',
  plural: 'poddisruptionbudgets',
  kind: 'PodDisruptionBudget',
  namespaced: true,
};

/** core/v1 PersistentVolumeClaim. */
export const CLAIMS = core('persistentvolumeclaims', 'PersistentVolumeClaim', true);
/** storage.k8s.io/v1 VolumeAttachment. */
export const VOLUME_ATTACHMENTS: Resource = {
  group: 'storage.k8s.io',
  version: 'v1',
  plural: 'volumeattachments',
  kind: 'VolumeAttachment',
  namespaced: false,
};
/** coordination.k8s.io/v1 Lease. */
export const LEASES: Resource = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', kind: 'Lease', namespaced: true };

/** The `apiVersion` text of a resource: `v1`, `apps/v1`. */
export function apiVersion(resource: Resource): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

/** The URL path of a collection, or of the collection in one namespace. */
export function collectionPath(resource: Resource, namespace?: string): string {
  const root = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  const scope = resource.namespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${root}${scope}/${resource.plural}`;
}

/** The URL path of one object, or of a subresource of it. */
export function objectPath(ref: ObjectRef, subresource?: string): string {
  const path = `${collectionPath(ref.resource, ref.namespace)}/${encodeURIComponent(ref.name)}`;
  return subresource ? `${path}/${subresource}` : path;
}
