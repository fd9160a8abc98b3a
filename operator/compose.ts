import { actions } from './actions/index.ts';
import { OPTIMIZATION_ACTIONS, type OptimizationAction, type OptimizationActionStatus } from './api/optimization-action.ts';
import { OPTIMIZATION_BACKENDS, type OptimizationBackend, type OptimizationBackendStatus } from './api/optimization-backend.ts';
import { upstreamTopic } from './api/upstream.ts';
import type { Config } from './config.ts';
import { settings } from './config-table.ts';
import { Bus } from './kube/bus.ts';
import { Caches } from './kube/caches.ts';
import { KubeClient } from './kube/client.ts';
import { Controller, keyOf } from './kube/controller.ts';
import { Credentials } from './kube/credentials.ts';
import { EventRecorder } from './kube/events.ts';
import { LiveCluster } from './kube/live-cluster.ts';
import { NamedDataWatch } from './kube/named-data.ts';
import { startClusterWatches, startObjectWatches } from './kube/standing-watches.ts';
import { Watches } from './kube/watches.ts';
import { makeLogs } from './observe/logger.ts';
import { makeMetrics } from './observe/metrics.ts';
import { HealthServer } from './observe/server.ts';
import { Process } from './process.ts';
import { isRelevantAction, isUrgentAction, ownedActionStatus } from './reconcilers/action-changes.ts';
import { troubleStatus as actionTrouble, isFinished } from './reconcilers/action-status.ts';
import { BackendReconciler, isRelevantBackend, isUrgentBackend, troubleStatus } from './reconcilers/backend.ts';
import { Graveyard } from './reconcilers/graveyard.ts';
import { ActionReconciler } from './reconcilers/optimization-action.ts';
import { OrphanedCordons } from './reconcilers/orphaned-cordons.ts';

import { Retention } from './reconcilers/retention.ts';
import { TargetLocks } from './reconcilers/target-locks.ts';
import { SnapshotSource } from './snapshot/source.ts';
import { Desk } from './sync/desk.ts';
import { ENVIRONMENT_BACKEND, EnvironmentBackend } from './sync/environment.ts';
import { EnvironmentLoop } from './sync/environment-loop.ts';
import { FINALIZER } from './sync/task-object.ts';
import { Upstreams } from './sync/upstreams.ts';
import { Telling } from './telling.ts';

/** Passes over actions at the same time; a waiting drain takes none. */
const ACTION_WIDTH = 32;
const BACKEND_WIDTH = 4;

/** Builds everything and hands it to each other: the wiring diagram of the operator. Opens no connection yet; throws without a kubeconfig. */
export function compose(config: Config): Process {
  const namespace = config.POD_NAMESPACE;
  const logs = makeLogs({
    level: config.LOG_LEVEL ?? 'INFO',
    format: config.LOG_FORMAT,
    ...(config.CLUSTER_ID ? { clusterID: config.CLUSTER_ID } : {}),
  });
  const log = logs.component('operator');
  const metrics = makeMetrics();

  // The cluster: one client, one set of watches, one bus that tells of changes.
  const client = new KubeClient(Credentials.load(), undefined, (method, code) => metrics.apiRequests.inc({ method, code }));
  const bus = new Bus();
  const caches = new Caches(bus);
  const cluster = new LiveCluster(client, caches);
  const recorder = new EventRecorder(client, config.POD_NAME ?? 'outside-the-cluster', (reason) =>
    log.warn({}, `an Event was lost: ${reason}`),
  );
  const telling = new Telling(logs, metrics, recorder);
  const watches = new Watches(client, config.WATCH_SILENCE_SECONDS, (resource, event) => {
    telling.watch(resource, event);
    if (event.kind === 'connected') for (const controller of controllers) controller.retryUnanswered();
  });
  const objects = startObjectWatches<OptimizationAction, OptimizationBackend>(OPTIMIZATION_ACTIONS, OPTIMIZATION_BACKENDS);
  const named = new NamedDataWatch(watches, namespace, bus);

  // What outlives the objects.
  const clock = () => new Date();
  const graveyard = new Graveyard({ client, namespace, clock, onError: (error) => telling.graveyard(error) });

  // Upstreams: tasks in, reports and snapshots out.
  const upstreams = new Upstreams();
  const snapshots = new SnapshotSource({
    view: caches,
    client,
    priceTableFile: config.PRICE_TABLE_FILE,
    onUnpriced: (nodes) => metrics.unpricedNodes.set(nodes),
    onPriceTableError: (message) => log.error({}, message),
  });
  const world = {
    client,
    view: caches,
    store: objects.actions,
    buried: (name: string) => graveyard.find(name),
    actions,
    namespace,
    dryRun: config.DRY_RUN,
    collect: (signal: AbortSignal) => snapshots.collect(signal),
    health: () => (watches.broken.length === 0 ? ('healthy' as const) : ('degraded' as const)),
  };
  const desk = new Desk({
    upstreams,
    world,
    events: objects.events,
    unpriced: () => snapshots.unpriced,
    onNews: (name, news) => {
      telling.upstream(name, news);
      if (news.kind === 'facts') bus.publish(upstreamTopic(name));
    },
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
  const actionReconciler = new ActionReconciler({
    cluster,
    actions,
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
    // The end that was recorded stays, also when the object cannot be deleted just now.
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
    environmentKey: (name) => (name === ENVIRONMENT_BACKEND ? config.CENTRAL_API_KEY : undefined),
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

  const controllers = [actionController, backendController] as const;

  // Who hears of which change.
  objects.actions.onChange((_, after) => after && upstreams.noticeAction(after));
  objects.actions.onChange((before, after) => retention.notice(before, after));
  objects.events.onChange((_, after) => after && upstreams.observeEvent(after));
  caches.nodeStore.onChange((before, after) => upstreams.observeNode(before, after));
  caches.nodeStore.onChange((before, after) => orphans.nodeChanged(before, after));
  caches.podStore.onChange((before, after) => upstreams.observePod(before, after));

  const environment = new EnvironmentLoop({
    settings: config,
    named,
    bus,
    backend: new EnvironmentBackend(client, namespace),
    onLogLevel: (level) => logs.setLevel(config.LOG_LEVEL ?? settings.LOG_LEVEL.schema.safeParse(level?.trim()).data ?? 'INFO'),
    onApplied: () => log.info({}, `the OptimizationBackend ${ENVIRONMENT_BACKEND} is as the environment says`),
    onError: (error) => log.error({ err: error }, 'the OptimizationBackend of the environment could not be written; trying again'),
  });
  const health = new HealthServer({
    registry: metrics.registry,
    measure: () => process.measure(),
    parts: () => process.parts(),
    connections: () => ({
      centralServer: upstreams.all().every((upstream) => upstream.facts.connected === true),
      kubernetes: watches.broken.length === 0,
    }),
  });
  const process = new Process({
    config,
    log,
    metrics,
    client,
    watches,
    upstreams,
    health,
    recorder,
    controllers,
    environment,
    startWatches: (signal) => [...objects.start(watches, namespace), ...startClusterWatches(watches, caches), graveyard.load(signal)],
    onSynced: () => {
      retention.open(objects.actions.values());

      actionReconciler.adopt(objects.actions.values());
      for (const object of objects.actions.values()) {
        const { startedAt, target } = object.status ?? {};
        if (startedAt && target && !isFinished(object)) locks.acquire(target, keyOf(object), object.spec?.priority ?? 5);
      }
      orphans.open();
    },
  });
  return process;
}
