import { LEASE_NAME } from './lease.ts';

/** One RBAC rule as a role holds it; `apiGroups: ['']` is the core group. */
export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  /** Only objects of these names; absent: of any. */
  readonly resourceNames?: readonly string[];
}

/**
 * Where rights hold, each by a role of its own: in the whole cluster, in the operator's own namespace, or in that of the sessions, there also
 * those that only backends with tunnels, or what is left of the first version of StreamSpace, ask for.
 */
export type RightsScope = 'cluster' | 'namespace' | 'sessions' | 'vnc' | 'stream-space';

/** What one loop of the operator may do, and where. */
export interface LoopRights {
  readonly loop: string;
  readonly scope: RightsScope;
  readonly rules: readonly PolicyRule[];
}

const GROUP = 'cloudoptim.io';

/** The ConfigMaps that hold what is remembered of finished objects that are gone. */
export const TOMBSTONE_MAPS: readonly string[] = Array.from({ length: 16 }, (_, index) => `cloudoptim-tombstones-${index}`);

/** The Secret with the key of the StreamSpace backend that the environment makes. */
export const CONTROL_PLANE_SECRET = 'streamspace-agent';

/** The rights of everything that is no action; the roles are generated from these and from the actions' own. */
export const loopRights: readonly LoopRights[] = [
  {
    loop: 'caches: nodes, pods and budgets, for drains and snapshots',
    scope: 'cluster',
    rules: [
      { apiGroups: [''], resources: ['nodes', 'pods'], verbs: ['list', 'watch'] },
      { apiGroups: ['policy'], resources: ['poddisruptionbudgets'], verbs: ['list', 'watch'] },
    ],
  },
  {
    loop: 'snapshots: what happened, and what is used where metrics.k8s.io is served',
    scope: 'cluster',
    rules: [
      { apiGroups: [''], resources: ['events'], verbs: ['list', 'watch'] },
      { apiGroups: ['metrics.k8s.io'], resources: ['nodes'], verbs: ['list'] },
    ],
  },
  {
    loop: 'controllers: read and finish the objects of this operator',
    scope: 'namespace',
    rules: [
      { apiGroups: [GROUP], resources: ['optimizationactions', 'optimizationbackends'], verbs: ['list', 'watch', 'patch'] },
      { apiGroups: [GROUP], resources: ['optimizationactions/status', 'optimizationbackends/status'], verbs: ['patch'] },
      { apiGroups: [GROUP], resources: ['optimizationactions'], verbs: ['delete'] },
    ],
  },
  {
    loop: 'sessions: keep their objects as they should be, and say what they are',
    scope: 'sessions',
    rules: [
      { apiGroups: [GROUP], resources: ['sessions'], verbs: ['list', 'watch', 'patch', 'delete'] },
      { apiGroups: [GROUP], resources: ['sessions/status'], verbs: ['patch'] },
      { apiGroups: [GROUP], resources: ['sessiontemplates'], verbs: ['list', 'watch'] },
      // Server-side apply of an object that does not exist yet needs create beside patch.
      { apiGroups: ['apps'], resources: ['deployments'], verbs: ['list', 'watch', 'create', 'patch', 'delete'] },
      { apiGroups: [''], resources: ['services', 'persistentvolumeclaims'], verbs: ['list', 'watch', 'create', 'patch', 'delete'] },
      // Looked for before a session is hibernated.
      { apiGroups: ['autoscaling'], resources: ['horizontalpodautoscalers'], verbs: ['list'] },
      { apiGroups: ['keda.sh'], resources: ['scaledobjects'], verbs: ['list'] },
    ],
  },
  {
    loop: 'idle sessions: what their pods use',
    scope: 'sessions',
    rules: [{ apiGroups: ['metrics.k8s.io'], resources: ['pods'], verbs: ['list'] }],
  },
  {
    loop: 'backends of sessions: the key that one has issued, in the Secret of the backend that the environment makes',
    scope: 'namespace',
    rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['patch'], resourceNames: [CONTROL_PLANE_SECRET] }],
  },
  {
    loop: 'tunnels: the VNC desktops of sessions, for backends with spec.vnc.enabled',
    scope: 'vnc',
    rules: [
      { apiGroups: [''], resources: ['pods'], verbs: ['get'] },
      { apiGroups: [''], resources: ['pods/portforward'], verbs: ['create', 'get'] },
    ],
  },
  {
    loop: 'templates of the first version of StreamSpace, for commands that only name one',
    scope: 'stream-space',
    rules: [{ apiGroups: ['stream.space'], resources: ['templates'], verbs: ['get'] }],
  },
  {
    loop: 'idle sessions: when a control plane of StreamSpace last saw their users, for templates with that signal',
    scope: 'stream-space',
    rules: [{ apiGroups: ['stream.space'], resources: ['sessions'], verbs: ['get'] }],
  },
  {
    loop: 'Events: what happened to actions, backends and nodes (those of nodes stand in the namespace default)',
    scope: 'cluster',
    rules: [{ apiGroups: [''], resources: ['events'], verbs: ['create'] }],
  },
  {
    loop: 'tombstones: what is remembered of finished objects that are gone',
    scope: 'namespace',
    rules: [
      { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'patch'], resourceNames: TOMBSTONE_MAPS },
      // What does not exist yet has no name to grant it by.
      { apiGroups: [''], resources: ['configmaps'], verbs: ['create'] },
    ],
  },
  {
    loop: 'mirror: record the tasks of backends, and the backend that the environment names',
    scope: 'namespace',
    rules: [
      { apiGroups: [GROUP], resources: ['optimizationactions'], verbs: ['create'] },
      // Server-side apply of an object that does not exist yet needs create beside patch.
      { apiGroups: [GROUP], resources: ['optimizationbackends'], verbs: ['create'] },
    ],
  },
  {
    loop: 'settings: keys and certificates of backends, the settings of seed 003, re-read when they change',
    scope: 'namespace',
    rules: [
      { apiGroups: [''], resources: ['secrets'], verbs: ['list', 'watch'] },
      { apiGroups: [''], resources: ['configmaps'], verbs: ['list', 'watch'], resourceNames: ['cloudoptim-client-config'] },
    ],
  },
  {
    loop: 'election: the Lease that says which operator acts',
    scope: 'namespace',
    rules: [
      { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['list', 'watch', 'patch'], resourceNames: [LEASE_NAME] },
      // A name cannot be asked for where there is no object yet.
      { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] },
    ],
  },
];
