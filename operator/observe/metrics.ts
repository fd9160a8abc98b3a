import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

const SESSION_BUCKETS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 60, 120, 300];

/** Every metric of the operator, in one table. Labels are bounded: no object names but those of backends, no error texts. */
export function makeMetrics() {
  const registry = new Registry();
  const registers = [registry];
  // Its default looks at the event loop a hundred times a second, which is all that an idle operator would do.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 1000 });
  return {
    registry,
    leader: new Gauge({
      name: 'cloudoptim_leader',
      help: '1 while this process leads: only the leader acts and speaks to backends.',
      registers,
    }),
    leaderChanges: new Counter({
      name: 'cloudoptim_leader_changes_total',
      help: 'How often this process has taken the lead, given it back, or lost it.',
      labelNames: ['what'],
      registers,
    }),
    actionsFinished: new Counter({
      name: 'cloudoptim_actions_finished_total',
      help: 'Actions that came to their end, by action and phase.',
      labelNames: ['action', 'phase'],
      registers,
    }),
    actionSeconds: new Histogram({
      name: 'cloudoptim_action_duration_seconds',
      help: 'Seconds from the start of an action to its end.',
      labelNames: ['action'],
      buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 600, 1800],
      registers,
    }),
    actionsRemoved: new Counter({
      name: 'cloudoptim_actions_removed_total',
      help: 'Finished OptimizationActions that the operator deletes, by why: ttl or cap.',
      labelNames: ['why'],
      registers,
    }),
    tasks: new Counter({
      name: 'cloudoptim_tasks_total',
      help: 'Tasks that arrived, by backend and what became of them: created, repeated or rejected.',
      labelNames: ['backend', 'outcome'],
      registers,
    }),
    reports: new Counter({
      name: 'cloudoptim_reports_taken_total',
      help: 'Results that a backend took or refused for good.',
      labelNames: ['backend'],
      registers,
    }),
    reportLag: new Gauge({
      name: 'cloudoptim_reports_waiting',
      help: 'Results that wait to be taken by a backend.',
      labelNames: ['backend'],
      registers,
    }),
    backendFailures: new Counter({
      name: 'cloudoptim_backend_failures_total',
      help: 'Calls of a backend that failed, by what was tried: intake, report, heartbeat, snapshot or events.',
      labelNames: ['backend', 'what'],
      registers,
    }),
    backendConnected: new Gauge({
      name: 'cloudoptim_backend_connected',
      help: '1 while the backend answers and accepts the key.',
      labelNames: ['backend'],
      registers,
    }),
    malformed: new Counter({
      name: 'cloudoptim_backend_malformed_total',
      help: 'Messages of a backend that could not be used at all.',
      labelNames: ['backend'],
      registers,
    }),
    eventsDropped: new Gauge({
      name: 'cloudoptim_events_dropped',
      help: 'Cluster events lost since the start because a backend did not take them in time.',
      labelNames: ['backend'],
      registers,
    }),
    unpricedNodes: new Gauge({
      name: 'cloudoptim_unpriced_nodes',
      help: 'Nodes that the price table does not name; they count 0 in the costs.',
      registers,
    }),
    orphanedCordons: new Gauge({
      name: 'cloudoptim_orphaned_cordons',
      help: 'Nodes that are still cordoned by an action that is gone.',
      registers,
    }),
    sessions: new Gauge({
      name: 'cloudoptim_sessions',
      help: 'Sessions by phase, while this process leads.',
      labelNames: ['phase'],
      registers,
    }),
    sessionStartSeconds: new Histogram({
      name: 'cloudoptim_session_start_seconds',
      help: 'Seconds from the start of a session until it was ready.',
      buckets: SESSION_BUCKETS,
      registers,
    }),
    sessionWakeSeconds: new Histogram({
      name: 'cloudoptim_session_wake_seconds',
      help: 'Seconds from the wake of a session until it was ready.',
      buckets: SESSION_BUCKETS,
      registers,
    }),
    watchEvents: new Counter({
      name: 'cloudoptim_watch_events_total',
      help: 'What the watches heard, by resource and type: added, modified, deleted, bookmark or error.',
      labelNames: ['resource', 'type'],
      registers,
    }),
    watchLastEvent: new Gauge({
      name: 'cloudoptim_watch_last_event_age_seconds',
      help: 'Seconds since a watch last heard anything, bookmarks included, by resource; of several the oldest.',
      labelNames: ['resource'],
      registers,
    }),
    watchConnected: new Gauge({
      name: 'cloudoptim_watch_connected',
      help: '1 while every watch of the resource stands.',
      labelNames: ['resource'],
      registers,
    }),
    watchReconnects: new Counter({
      name: 'cloudoptim_watch_reconnects_total',
      help: 'Watches that broke, were refused or went silent, and are opened anew where they were, by resource.',
      labelNames: ['resource'],
      registers,
    }),
    watchRelists: new Counter({
      name: 'cloudoptim_watch_relists_total',
      help: 'Collections read anew as a whole, because a watch could not go on where it was, by resource.',
      labelNames: ['resource'],
      registers,
    }),
    apiRequests: new Counter({
      name: 'cloudoptim_api_requests_total',
      help: 'Requests to the API server, by method and status code; unanswered where no complete answer came. WATCH counts the opening.',
      labelNames: ['method', 'code'],
      registers,
    }),
    queueDepth: new Gauge({
      name: 'cloudoptim_queue_depth',
      help: 'Objects that wait for a pass now, by controller.',
      labelNames: ['controller'],
      registers,
    }),
    passErrors: new Counter({
      name: 'cloudoptim_pass_errors_total',
      help: 'Passes that threw, by controller.',
      labelNames: ['controller'],
      registers,
    }),
  };
}

/** The metrics of one process. */
export type Metrics = ReturnType<typeof makeMetrics>;
