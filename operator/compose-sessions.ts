import type { ActionDefinition } from './actions/action.ts';
import { actions } from './actions/index.ts';
import { SESSION_FINALIZER, SESSIONS, type Session, type SessionStatus } from './api/session.ts';
import type { TermWorld } from './compose-term.ts';
import type { KubeClient } from './kube/client.ts';
import { Controller, keyOf } from './kube/controller.ts';
import { listAll } from './kube/list.ts';
import type { KubeObject, Resource } from './kube/object.ts';
import { loopRights, type PolicyRule, type RightsScope } from './kube/rights.ts';
import { SESSION_APP } from './kube/session-pod.ts';
import { withoutManagedFields } from './kube/standing-watches.ts';
import { workloadTopic } from './kube/topics.ts';
import { podUsageReader } from './kube/usage.ts';
import { reconnectBackoff } from './lib/backoff.ts';
import type { JsonObject } from './lib/json.ts';
import { abortable, orAborted } from './lib/wait.ts';
import { LeftBehind } from './reconcilers/left-behind.ts';
import { SessionReconciler, troubleStatus } from './reconcilers/session.ts';
import { isRelevantSession, isUrgentSession, ownedSessionStatus } from './reconcilers/session-changes.ts';
import { SessionLife } from './reconcilers/session-life.ts';
import { SessionObjects } from './reconcilers/session-objects.ts';
import type { ActivityLog } from './sessions/activity-log.ts';
import { Capacity } from './sessions/capacity.ts';
import { demandOf } from './sessions/demand.ts';
import { desiredOf } from './sessions/desired.ts';
import { activeReplicas, replicasOf } from './sessions/hibernation.ts';
import { keepersOf } from './sessions/keepers.ts';
import { whose } from './sessions/ownership.ts';
import { StreamSpaceActivity } from './sessions/stream-space-activity.ts';
import { UsageWatch } from './sessions/usage-watch.ts';
import type { TermSessions } from './term.ts';

/** Passes over sessions at the same time; one that waits for its pod takes none. */
const SESSION_WIDTH = 32;

/** What the sessions of a term need of the rest of it. */
export interface SessionNeeds {
  /** What goes through their tunnels. */
  readonly activity: ActivityLog;
  /** Tells a backend that a session is gone. */
  readonly lastWord: (session: Session) => Promise<void>;
  /** Whose agent may have made sessions before. */
  readonly backend: () => string | undefined;
}

/** What keeps the sessions, and what it tells those who ask for some. */
export interface ComposedSessions extends TermSessions {
  readonly capacity: Capacity;
}

/** Builds what keeps the sessions as they should be while this process leads; `client` writes only while it does. */
export function composeSessions(world: TermWorld, client: KubeClient, needs: SessionNeeds): ComposedSessions {
  const { bus, caches, config, logs, sessions, telling } = world;
  const log = logs.component('sessions');
  const objects = new SessionObjects(client, sessions);
  const { namespace } = sessions;
  const { most: cpu } = config.MAX_CPU;
  const { most: memory } = config.MAX_MEMORY;
  const capacity = new Capacity({
    limits: { maxSessions: config.MAX_SESSIONS, ...(cpu === undefined ? {} : { cpu }), ...(memory === undefined ? {} : { memory }) },
    desired: desiredOf,
    demand: ({ templateRef, ...request }) =>
      demandOf(request, templateRef && sessions.templates.get(`${namespace}/${templateRef.name}`)?.spec),
    isUp: (session) => {
      const deployment = sessions.deployments.get(keyOf(session));
      return deployment !== undefined && whose(deployment, session) === 'ours' && replicasOf(deployment) > 0;
    },
    onTurn: (key) => controller.enqueue(key),
  });
  const usage = new UsageWatch({
    reader: podUsageReader((path, signal) => client.read(path, signal), namespace, `app=${SESSION_APP}`),
    clock: () => new Date(),
    onNews: (session) => bus.publish(workloadTopic(namespace, session)),
    onError: (error) => log.error({ err: error }, 'what sessions use could not be looked at; trying again in a minute'),
  });
  const life = new SessionLife({ activity: needs.activity, usage, streamSpace: new StreamSpaceActivity({ client }) });
  const reconciler = new SessionReconciler({
    client,
    objects,
    templates: sessions.templates,
    dryRun: config.DRY_RUN,
    admit: (session) => capacity.admission(session),
    life,
    onDecided: (session, decision) => telling.sessionDecided(session, decision),
    put: (answer) => sessions.sessions.put(withoutManagedFields<Session>(answer as unknown as JsonObject)),
    replicasOf: (session, { deployment }) => activeReplicas(session, deployment),
    keepers: (deployment, signal) =>
      keepersOf(deployment, caches.budgets(namespace), (resource) => listed(client, resource, namespace, signal)),
  });
  const controller = new Controller<SessionStatus, Session>({
    name: 'sessions',
    resource: SESSIONS,
    client,
    bus,
    store: sessions.sessions,
    width: SESSION_WIDTH,
    finalizer: SESSION_FINALIZER,
    // Less than a start takes on a node: how far it has come costs no write where it comes soon.
    progressEvery: 1.5,
    reconcile: (object, context) => reconciler.reconcile(object, context),
    isRelevant: isRelevantSession,
    isUrgent: isUrgentSession,
    owned: ownedSessionStatus,
    explain: troubleStatus,
    // Its end is told before it is gone, while somebody is there to hear it.
    beforeGone: needs.lastWord,
    onWritten: (object, before, after) => telling.sessionWritten(object, before, after),
    onGone: (object) => life.forget(object),
    onError: (key, error, retryIn) => telling.passFailed('sessions', key, error, retryIn),
  });
  const leftBehind = new LeftBehind({
    client,
    sessions: sessions.sessions,
    deployments: sessions.deployments,
    services: sessions.services,
    claims: sessions.claims,
    backend: needs.backend,
    onFound: (found) => telling.sessionFound(found),
    onError: (error) => log.warn({ err: error }, 'what has no Session could not be looked after; trying again'),
  });
  const cared = Promise.withResolvers<void>();
  const known = async (signal: AbortSignal) => {
    await orAborted(sessions.synced, signal);
    for (const backoff = reconnectBackoff(); ; await abortable(backoff.next(), signal)) {
      signal.throwIfAborted();
      try {
        return await sessions.refresh(client, signal);
      } catch (error) {
        if (!signal.aborted) log.warn({ err: error }, 'the sessions could not be listed; trying again');
      }
    }
  };
  return {
    controller,
    known: async (signal) => {
      await known(signal);
      signal.throwIfAborted();
      // Before the first pass, and until the lead is over.
      signal.addEventListener(
        'abort',
        sessions.sessions.onChange((before, after) => capacity.notice(before, after)),
        { once: true },
      );
      capacity.open(sessions.sessions.values());
      // A dry run adopts nothing and removes nothing.
      if (!config.DRY_RUN) leftBehind.open();
      await leftBehind.settled();
      cared.resolve();
    },
    cared: async () => {
      await cared.promise;
      await leftBehind.settled();
    },
    backendsChanged: () => leftBehind.lookAtAll(),
    capacity,
    close: async () => {
      usage.close();
      await leftBehind.close();
    },
    phases: () => Map.groupBy(sessions.sessions.values(), ({ status }) => status?.phase ?? 'Pending'),
  };
}

async function listed(client: KubeClient, resource: Resource, namespace: string, signal: AbortSignal): Promise<readonly KubeObject[]> {
  return (await listAll(client, resource, { namespace, project: (raw) => raw as unknown as KubeObject }, signal)).items;
}

/** The rules of the roles of these scopes. */
export function sessionRules(scopes: readonly RightsScope[]): readonly PolicyRule[] {
  const loops = loopRights.filter(({ scope }) => scopes.includes(scope)).flatMap(({ rules }) => rules);
  const ofActions = actions.filter(({ rbacScope }: ActionDefinition) => rbacScope !== undefined && scopes.includes(rbacScope));
  return [...loops, ...ofActions.flatMap(({ rbac }) => rbac)];
}
