import { actions } from './actions/index.ts';
import type { Tombstone } from './api/tombstone.ts';
import { upstreamTopic } from './api/upstream.ts';
import type { Task } from './backends/backend.ts';
import type { TermWorld } from './compose-term.ts';
import type { KubeClient } from './kube/client.ts';
import { type Fence, NotLeading } from './kube/fence.ts';
import { workloadTopic } from './kube/topics.ts';
import { ActivityLog } from './sessions/activity-log.ts';
import { SessionTunnels } from './sessions/tunnel.ts';
import { SnapshotSource } from './snapshot/source.ts';
import { Desk } from './sync/desk.ts';
import { SessionAccess } from './sync/session-access.ts';
import { SessionTemplates } from './sync/session-templates.ts';
import { Upstreams } from './sync/upstreams.ts';

/** What upstreams ask of the rest. */
interface Remembered {
  /** How the last object of this name ended that is gone. */
  readonly buried: (name: string) => Tombstone | undefined;
  /** Resolves when all Sessions there are are known, those that others left as well. */
  readonly sessionsKnown: () => Promise<void>;
}

/** What a term has of its upstreams. */
export interface TermUpstreams {
  readonly upstreams: Upstreams;
  readonly desk: Desk;
  /** When the desktops of sessions were last used. */
  readonly activity: ActivityLog;
}

/** The upstreams of a term: tasks in, reports, states and snapshots out. */
export function composeUpstreams(world: TermWorld, client: KubeClient, fence: Fence, { buried, sessionsKnown }: Remembered): TermUpstreams {
  const { config, logs, metrics, telling, bus, caches, watches, objects } = world;
  const namespace = config.POD_NAMESPACE;
  const log = logs.component('operator');
  const upstreams = new Upstreams();
  const snapshots = new SnapshotSource({
    view: caches,
    client,
    priceTableFile: config.PRICE_TABLE_FILE,
    onUnpriced: (nodes) => metrics.unpricedNodes.set(nodes),
    onPriceTableError: (message) => log.error({}, message),
  });
  const sessions = world.sessions.sessions;
  const activity = new ActivityLog((session) => bus.publish(workloadTopic(world.sessions.namespace, session)));
  const tunnels = new SessionTunnels({
    sessions,
    pods: caches,
    forwarder: world.forwarder,
    use: activity,
    clock: () => new Date(),
    onFailed: (sessionID, error) => log.warn({ err: error }, `the desktop of the session ${sessionID} cannot be reached`),
  });
  const sessionAccess = new SessionAccess({
    client,
    store: sessions,
    namespace: config.NAMESPACE,
    ownNamespace: namespace,
    capacity: { maxSessions: config.MAX_SESSIONS, cpu: config.MAX_CPU.told, memory: config.MAX_MEMORY.told },
    reconnect: { first: config.RECONNECT_INITIAL_DELAY, most: config.RECONNECT_MAX_DELAY, factor: config.RECONNECT_MULTIPLIER },
    openTunnel: (backend, sessionID, signal) => tunnels.open(backend, sessionID, signal),
  });
  const templates = new SessionTemplates({ client, sessions, templates: world.sessions.templates, namespace: config.NAMESPACE });
  const upstreamWorld = {
    client,
    view: caches,
    store: objects.actions,
    sessions,
    complete: (task: Task, signal: AbortSignal) => templates.complete(task, signal),
    sessionsKnown,
    buried,
    actions,
    namespace,
    dryRun: config.DRY_RUN,
    collect: (signal: AbortSignal) => snapshots.collect(signal),
    health: () => (watches.broken.length === 0 ? ('healthy' as const) : ('degraded' as const)),
  };
  const desk = new Desk({
    upstreams,
    world: upstreamWorld,
    sessions: sessionAccess,
    fence,
    events: objects.events,
    unpriced: () => snapshots.unpriced,
    onNews: (name, news) => {
      // The end of a term is told once, and not by everything that ends with it.
      if (news.kind === 'failure' && news.error instanceof NotLeading) return;
      telling.upstream(name, news);
      if (news.kind === 'facts') bus.publish(upstreamTopic(name));
    },
  });
  return { upstreams, desk, activity };
}
