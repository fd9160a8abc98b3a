import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { OPTIMIZATION_ACTIONS, type OptimizationAction } from './api/optimization-action.ts';
import { OPTIMIZATION_BACKENDS, type OptimizationBackend } from './api/optimization-backend.ts';
import { SESSIONS, type Session, sessionTopic } from './api/session.ts';
import { SESSION_TEMPLATES, type SessionTemplate, templateTopic } from './api/session-template.ts';
import { composeTerm } from './compose-term.ts';
import type { Config } from './config.ts';
import { Bus } from './kube/bus.ts';
import { Caches } from './kube/caches.ts';
import { KubeClient } from './kube/client.ts';
import { Credentials } from './kube/credentials.ts';
import { Election } from './kube/election.ts';
import { EventRecorder } from './kube/events.ts';
import { identityOf } from './kube/lease.ts';
import { NamedDataWatch } from './kube/named-data.ts';
import { PortForwarder } from './kube/port-forward.ts';
import { SessionWatches } from './kube/session-watches.ts';
import { startClusterWatches, startObjectWatches } from './kube/standing-watches.ts';
import { Watches } from './kube/watches.ts';
import { makeLogs } from './observe/logger.ts';
import { makeMetrics } from './observe/metrics.ts';
import { HealthServer } from './observe/server.ts';
import { Process } from './process.ts';
import { Telling } from './telling.ts';

/**
 * Builds what lives as long as the process and hands it to each other: the wiring diagram of the operator; what acts is built anew for every time of
 * leading, in compose-term.ts. Opens no connection yet; throws without a kubeconfig.
 */
export function compose(config: Config): Process {
  const namespace = config.POD_NAMESPACE;
  const logs = makeLogs({
    level: config.LOG_LEVEL ?? 'INFO',
    format: config.LOG_FORMAT,
    ...(config.CLUSTER_ID ? { clusterID: config.CLUSTER_ID } : {}),
  });
  const log = logs.component('operator');
  for (const warning of config.warnings) log.warn({}, warning);
  const metrics = makeMetrics();

  // The cluster: one set of connections, one set of watches, one bus that tells of changes.
  const credentials = Credentials.load(config.KUBECONFIG);
  const client = new KubeClient(credentials, undefined, (method, code) => metrics.apiRequests.inc({ method, code }));
  const bus = new Bus();
  const caches = new Caches(bus);
  const watches = new Watches(client, config.WATCH_SILENCE_SECONDS, (resource, event) => {
    telling.watch(resource, event);
    if (event.kind === 'connected') process.retryUnanswered();
  });
  const objects = startObjectWatches<OptimizationAction, OptimizationBackend>(OPTIMIZATION_ACTIONS, OPTIMIZATION_BACKENDS);
  const sessionKinds = { sessions: SESSIONS, templates: SESSION_TEMPLATES, sessionTopic, templateTopic };
  const sessions = new SessionWatches<Session, SessionTemplate>(config.NAMESPACE, sessionKinds, caches, bus);
  const named = new NamedDataWatch(watches, namespace, bus);

  // Who acts. Renewals have connections of their own: they must not wait behind a burst of evictions, nor long for an answer.
  const pod = config.POD_NAME && config.POD_UID ? { name: config.POD_NAME, uid: config.POD_UID } : undefined;
  const renewals = new KubeClient(credentials, config.LEASE_DURATION_SECONDS / 4);
  const election = new Election({
    client: renewals,
    watches,
    namespace,
    identity: identityOf(pod, config.POD_NAME ?? hostname(), randomBytes(4).toString('hex')),
    seconds: config.LEASE_DURATION_SECONDS,
    tell: (news) => telling.election(news),
  });
  const recorder = new EventRecorder(client.fencedBy(election), config.POD_NAME ?? 'outside-the-cluster', (reason) =>
    log.warn({}, `an Event was lost: ${reason}`),
  );
  const telling = new Telling(logs, metrics, recorder);

  const forwarder = new PortForwarder(credentials, client);
  const world = { config, logs, metrics, telling, client, forwarder, bus, caches, watches, objects, sessions, named };
  const health = new HealthServer({
    registry: metrics.registry,
    measure: () => process.measure(),
    parts: () => process.parts(),
    connections: () => process.connections(),
  });
  const process = new Process({
    config,
    log,
    metrics,
    clients: [client, renewals],
    watches,
    health,
    recorder,
    election,
    makeTerm: (fence) => composeTerm(world, fence),
    startWatches: () => {
      // Nothing else waits for these: their kinds may not be installed.
      sessions.start(watches);
      return [...objects.start(watches, namespace), ...startClusterWatches(watches, caches)];
    },
    refresh: (signal) => objects.refresh(client, namespace, signal),
  });
  return process;
}
