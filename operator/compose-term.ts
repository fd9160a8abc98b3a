import { actions, findAction } from './actions/index.ts';
import { OPTIMIZATION_ACTIONS, type OptimizationAction, type OptimizationActionStatus } from './api/optimization-action.ts';
import { OPTIMIZATION_BACKENDS, type OptimizationBackend, type OptimizationBackendStatus } from './api/optimization-backend.ts';
import type { Session } from './api/session.ts';
import type { SessionTemplate } from './api/session-template.ts';
import { composeSessions, sessionRules } from './compose-sessions.ts';
import { composeUpstreams } from './compose-upstreams.ts';
import type { Config } from './config.ts';
import { settings } from './config-table.ts';
import type { Bus } from './kube/bus.ts';
import type { Caches } from './kube/caches.ts';
import type { KubeClient } from './kube/client.ts';
import { Controller, keyOf } from './kube/controller.ts';
import type { Fence } from './kube/fence.ts';
import { LiveCluster } from './kube/live-cluster.ts';
import type { NamedDataWatch } from './kube/named-data.ts';
import { missingRights } from './kube/own-rights.ts';
import type { PortForwarder } from './kube/port-forward.ts';
import type { SessionWatches } from './kube/session-watches.ts';
import type { ObjectWatches } from './kube/standing-watches.ts';
import type { Watches } from './kube/watches.ts';
import type { Logs } from './observe/logger.ts';
import type { Metrics } from './observe/metrics.ts';
import { isRelevantAction, isUrgentAction, ownedActionStatus } from './reconcilers/action-changes.ts';
import { troubleStatus as actionTrouble, isFinished } from './reconcilers/action-status.ts';
import { BackendReconciler, isRelevantBackend, isUrgentBackend, troubleStatus } from './reconcilers/backend.ts';
import { Graveyard } from './reconcilers/graveyard.ts';
import { ActionReconciler } from './reconcilers/optimization-action.ts';
import { OrphanedCordons } from './reconcilers/orphaned-cordons.ts';
import { Retention } from './reconcilers/retention.ts';
import { TargetLocks } from './reconcilers/target-locks.ts';
import { LiveSessionDesk } from './sessions/desk.ts';
import { CONTROL_PLANE_BACKEND, ENVIRONMENT_BACKEND, hasOwnControlPlane, onlyControlPlane } from './sync/environment.ts';
import { EnvironmentLoop } from './sync/environment-loop.ts';
import { FINALIZER } from './sync/task-object.ts';
import type { Telling } from './telling.ts';
import { Term } from './term.ts';

/** Passes over actions at the same time; a waiting drain takes none. */
const ACTION_WIDTH = 32;
const BACKEND_WIDTH = 4;

/** What lives as long as the process, and every term uses. */
export interface TermWorld {
  readonly config: Config;
  readonly logs: Logs;
  readonly metrics: Metrics;
  readonly telling: Telling;
  readonly client: KubeClient;
  readonly forwarder: PortForwarder;
  readonly bus: Bus;
  readonly caches: Caches;
  readonly watches: Watches;
  readonly objects: ObjectWatches<OptimizationAction, OptimizationBackend>;
  readonly sessions: SessionWatches<Session, SessionTemplate>;
  readonly named: NamedDataWatch;
}

/** Builds what acts for as long as the fence holds, and hands it to each other: the second half of the wiring diagram. Nothing runs yet. */
export function composeTerm(world: TermWorld, fence: Fence): Term {
  const { config, logs, metrics, telling, bus, caches, objects, named } = world;
  const namespace = config.POD_NAMESPACE;
  const log = logs.component('operator');
  // Whatever acts writes through this client, and only while the lead is held.
  const client = world.client.fencedBy(fence);
  const cluster = new LiveCluster(client, caches);

  // What outlives the objects.
  const clock = () => new Date();
  const graveyard = new Graveyard({ client, namespace, clock, onError: (error) => telling.graveyard(error) });

  const { upstreams, desk, activity } = composeUpstreams(world, client, fence, {
    buried: (name) => graveyard.find(name),
    sessionsKnown: () => termSessions.cared(),
  });
  const sessions = world.sessions.sessions;
  const termSessions = composeSessions(world, client, {
    activity,
    lastWord: (session) => upstreams.lastWord(session),
    backend: () => onlyControlPlane(objects.backends.values()),
  });

  // Controllers: objects in, one status write out.
  const locks = new TargetLocks((topic) => bus.publish(topic));
  const ownPod = config.POD_NAME ? { namespace, name: config.POD_NAME } : undefined;
  const backendExists = (name: string) => objects.backends.get(`${namespace}/${name}`) !== undefined;
  const retention = new Retention({
    backendExists,
    clock,
    onDue: (key, why) => {
      telling.actionRemoved(key, why);
      actionController.enqueue(key);
    },
  });
  const keyIn = (name: string) => `${config.NAMESPACE}/${name}`;
  const actionReconciler = new ActionReconciler({
    cluster,
    actions,
    sessions: new LiveSessionDesk({
      client,
      store: sessions,
      namespace: config.NAMESPACE,
      refusal: (name, request) => termSessions.capacity.refusal(keyIn(name), request),
      claim: (name, request) => termSessions.capacity.claim(keyIn(name), request),
    }),
    locks,
    backendExists,
    earlierRun: (object) => graveyard.earlierRun(object),
    isDue: (key) => retention.isDue(key),
    clock,
    dryRun: config.DRY_RUN,
    ...(ownPod ? { ownPod } : {}),
  });
  const actionController = new Controller<OptimizationActionStatus, OptimizationAction>({
    name: 'actions',
    resource: OPTIMIZATION_ACTIONS,
    client,
    bus,
    store: objects.actions,
    width: ACTION_WIDTH,
    finalizer: FINALIZER,
    progressEvery: 1,
    reconcile: (object, context) => actionReconciler.reconcile(object, context),
    isRelevant: isRelevantAction,
    isUrgent: isUrgentAction,
    owned: ownedActionStatus,
    isFinal: isFinished,
    rank: (object) => object.spec?.priority ?? 5,
    explain: actionTrouble,
    onWritten: (object, before, after) => telling.actionWritten(object, before, after),
    beforeGone: (object) => graveyard.bury(object),
    onGone: (object) => {
      actionReconciler.forget(object);
      orphans.actionGone(keyOf(object));
      // Without the finalizer nothing was written before; known at once, it is before the first pass over a namesake.
      graveyard.bury(object).catch((error: unknown) => telling.graveyard(error));
    },
    onError: (key, error, retryIn) => telling.passFailed('actions', key, error, retryIn),
  });
  const orphans = new OrphanedCordons({
    namespace,
    nodes: () => caches.nodes(),
    actionExists: (key) => objects.actions.get(key) !== undefined,
    onFound: (node, action) => telling.cordonOrphaned(node, action),
    onCount: (count) => metrics.orphanedCordons.set(count),
  });
  const backendReconciler = new BackendReconciler({
    desk,
    secrets: named,
    actions: actions.map((each) => each.name),
    sessionNamespace: config.NAMESPACE,
    missingRights: (scopes, signal) => missingRights(client, config.NAMESPACE, sessionRules(scopes), signal),
    environmentKey: (name) => ({ [ENVIRONMENT_BACKEND]: config.CENTRAL_API_KEY, [CONTROL_PLANE_BACKEND]: config.AGENT_API_KEY })[name],
  });
  const backendController = new Controller<OptimizationBackendStatus, OptimizationBackend>({
    name: 'backends',
    resource: OPTIMIZATION_BACKENDS,
    client,
    bus,
    store: objects.backends,
    width: BACKEND_WIDTH,
    finalizer: FINALIZER,
    progressEvery: 60,
    reconcile: async (object, context) => {
      const outcome = await backendReconciler.reconcile(object, context);
      // Deleted while its pass was on the way: nobody else stops what that pass has started.
      const stored = objects.backends.get(keyOf(object));
      if (stored?.metadata.uid !== object.metadata.uid) await upstreams.stop(object.metadata.name, 5, true);
      return outcome;
    },
    isRelevant: isRelevantBackend,
    isUrgent: isUrgentBackend,
    explain: troubleStatus,
    onWritten: (object, before, after) => telling.backendWritten(object, before, after),
    onGone: (object) => {
      void upstreams.stop(object.metadata.name, 5, true);
      // Nobody takes their results any more: they may go.
      for (const action of objects.actions.values()) {
        if (action.spec?.source?.backend !== object.metadata.name) continue;
        retention.notice(action, action);
        actionController.enqueue(keyOf(action));
      }
    },
    onError: (key, error, retryIn) => telling.passFailed('backends', key, error, retryIn),
  });

  // Who hears of which change.
  const listen = () => [
    objects.actions.onChange((_, after) => after && upstreams.noticeAction(after)),
    sessions.onChange((before, after) => upstreams.noticeSession(before, after)),
    objects.actions.onChange((before, after) => retention.notice(before, after)),
    objects.backends.onChange((before, after) => Boolean(before) !== Boolean(after) && termSessions.backendsChanged()),
    objects.events.onChange((_, after) => after && upstreams.observeEvent(after)),
    caches.nodeStore.onChange((before, after) => upstreams.observeNode(before, after)),
    caches.nodeStore.onChange((before, after) => orphans.nodeChanged(before, after)),
    caches.podStore.onChange((before, after) => upstreams.observePod(before, after)),
  ];

  const environment = new EnvironmentLoop({
    settings: config,
    client,
    namespace,
    named,
    bus,
    hasOwnControlPlane: () => hasOwnControlPlane(objects.backends.values()),
    onLogLevel: (level) => logs.setLevel(config.LOG_LEVEL ?? settings.LOG_LEVEL.schema.safeParse(level?.trim()).data ?? 'INFO'),
    onApplied: (backend) => log.info({}, `the OptimizationBackend ${backend} is as the environment says`),
    onError: (error) => log.error({ err: error }, 'an OptimizationBackend of the environment could not be written; trying again'),
  });
  return new Term({
    config,
    log,
    metrics,
    fence,
    upstreams,
    controllers: [actionController, backendController],
    sessions: termSessions,
    environment,
    listen,
    prepare: (signal) => graveyard.load(signal),
    onOpen: () => {
      retention.open(objects.actions.values());
      actionReconciler.adopt(objects.actions.values());
      for (const object of objects.actions.values()) {
        const { startedAt, target } = object.status ?? {};
        const holds = startedAt && !isFinished(object) && !findAction(object.spec?.action ?? '')?.statesIntent;
        if (holds && target) locks.acquire(target, keyOf(object), object.spec?.priority ?? 5);
      }
      // A dry run says nothing on the nodes either.
      if (!config.DRY_RUN) orphans.open();
    },
    onClose: () => {
      retention.close();
      graveyard.close();
    },
  });
}
