import { findCondition } from './api/condition.ts';
import type { OptimizationAction, OptimizationActionStatus } from './api/optimization-action.ts';
import type { OptimizationBackend, OptimizationBackendStatus } from './api/optimization-backend.ts';
import type { Session, SessionStatus } from './api/session.ts';
import type { ElectionNews } from './kube/election.ts';
import type { EventRecorder } from './kube/events.ts';
import { LEASE_NAME, shortName } from './kube/lease.ts';
import type { Node } from './kube/node.ts';
import type { Resource } from './kube/object.ts';
import type { ReflectorEvent } from './kube/reflector.ts';
import type { Logger, Logs } from './observe/logger.ts';
import type { Metrics } from './observe/metrics.ts';
import { noteOf } from './reconcilers/action-changes.ts';
import type { Found } from './reconcilers/left-behind.ts';
import { nodeNoteOf, nodeObject } from './reconcilers/node-notes.ts';
import type { Passing } from './reconcilers/retention.ts';
import { sessionNoteOf } from './reconcilers/session-changes.ts';
import type { LifeDecision } from './sessions/life.ts';
import type { UpstreamNews } from './sync/upstream.ts';

/** Turns what happens into log lines, metrics and Events; nobody else decides what is worth telling. */
export class Telling {
  readonly #metrics: Metrics;
  readonly #events: EventRecorder;
  readonly #actions: Logger;
  readonly #backends: Logger;
  readonly #sessions: Logger;
  readonly #watches: Logger;
  readonly #election: Logger;

  constructor(logs: Logs, metrics: Metrics, events: EventRecorder) {
    this.#metrics = metrics;
    this.#events = events;
    this.#actions = logs.component('actions');
    this.#backends = logs.component('backends');
    this.#sessions = logs.component('sessions');
    this.#watches = logs.component('watches');
    this.#election = logs.component('election');
  }

  /** The lead was taken, lost or seen elsewhere. */
  election(news: ElectionNews): void {
    if (news.kind === 'taken') {
      const { uid, namespace, resourceVersion, holder } = news.lease;
      const lease = {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name: LEASE_NAME, namespace, uid, resourceVersion },
      };
      this.#metrics.leader.set(1);
      this.#metrics.leaderChanges.inc({ what: 'taken' });
      this.#election.info({ holder }, 'this process leads');
      this.#events.record(lease, { type: 'Normal', reason: 'LeaderElection', message: `${holder} became leader` });
    } else if (news.kind === 'ended') {
      this.#metrics.leader.set(0);
      this.#metrics.leaderChanges.inc({ what: news.givenBack ? 'given back' : 'lost' });
      if (news.givenBack) this.#election.info({}, news.reason);
      else this.#election.warn({}, `this process leads no longer: ${news.reason}`);
    } else if (news.kind === 'leader') {
      this.#election.info({ holder: news.holder }, `${shortName(news.holder)} leads; this process stands by`);
    } else {
      this.#election.warn({}, `the Lease could not be written: ${messageOf(news.error)}`);
    }
  }

  /** An action's status was written. */
  actionWritten(object: OptimizationAction, before: OptimizationActionStatus | undefined, after: OptimizationActionStatus): void {
    const note = noteOf(before, after);
    if (note) this.#events.record(object, note);
    const nodeNote = nodeNoteOf(object, before, after);
    const { node_name: name = '' } = nodeName(after.target ?? '');
    if (nodeNote) this.#events.record(nodeObject({ name, uid: after.targetUID ?? '' }), nodeNote);
    const ready = findCondition(after.conditions, 'Ready');
    const fields = {
      action: object.spec?.action,
      object: object.metadata.name,
      ...(object.spec?.source ? { task_id: object.spec.source.taskID, backend: object.spec.source.backend } : {}),
      ...(after.target ? { target: after.target, ...nodeName(after.target) } : {}),
      phase: after.phase,
      reason: ready?.reason,
    };
    if (after.finishedAt === undefined) {
      if (before?.phase !== after.phase || note) this.#actions.info(fields, ready?.message ?? '');
      return;
    }
    // Negative only when the clock was set back in between.
    const duration = Math.max(0, Date.parse(after.finishedAt) - Date.parse(after.startedAt ?? after.finishedAt)) / 1000;
    this.#metrics.actionsFinished.inc({ action: object.spec?.action ?? '', phase: after.phase ?? '' });
    this.#metrics.actionSeconds.observe({ action: object.spec?.action ?? '' }, duration);
    this.#actions.info({ ...fields, duration_seconds: duration }, ready?.message ?? '');
  }

  /** A node is still cordoned by an action that is gone. */
  cordonOrphaned(node: Node, action: string): void {
    const message = `still cordoned by ${action}, which is gone: kubectl uncordon ${node.name}, if nobody needs it so`;
    this.#events.record(nodeObject(node), { type: 'Warning', reason: 'CordonOrphaned', message });
    this.#actions.warn({ node_name: node.name, object: action }, `node ${node.name} is ${message}`);
  }

  /** A finished action goes. */
  actionRemoved(key: string, why: Passing): void {
    this.#metrics.actionsRemoved.inc({ why });
    this.#actions.debug({ object: key, why }, why === 'ttl' ? 'its time to live is over' : 'there are too many finished ones');
  }

  /** What is known of an action that is gone could not be read or written. */
  graveyard(error: unknown): void {
    this.#actions.error({ err: error }, `tombstones: ${messageOf(error)}`);
  }

  /** A session's status was written. */
  sessionWritten(object: Session, before: SessionStatus | undefined, after: SessionStatus): void {
    const note = sessionNoteOf(before, after);
    if (note) this.#events.record(object, note);
    if (before?.phase === after.phase && !note) return;
    if (before?.phase === 'Starting' && after.phase === 'Running') this.#metrics.sessionStartSeconds.observe(after.startSeconds ?? 0);
    if (before?.phase === 'Waking' && after.phase === 'Running') this.#metrics.sessionWakeSeconds.observe(after.wakeSeconds ?? 0);
    const ready = findCondition(after.conditions, 'Ready');
    const fields = { session: object.metadata.name, user: object.spec?.user, phase: after.phase, reason: ready?.reason };
    if (note?.type === 'Warning') this.#sessions.warn(fields, ready?.message ?? '');
    else this.#sessions.info(fields, ready?.message ?? '');
  }

  /** The age or the use of a session, or a wake request, has changed what becomes of it. */
  sessionDecided(object: Session, decision: LifeDecision): void {
    const session = object.metadata.name;
    if (decision.kind === 'remove') {
      this.#sessions.info({ session }, 'its ttlAfterStopped is over: the object is deleted');
      return;
    }
    const reason = decision.kind === 'wake' ? 'WakeRequested' : decision.override.reason;
    this.#events.record(object, { type: 'Normal', reason, message: decision.message });
    this.#sessions.info({ session, reason }, decision.message);
  }

  /** An object of a session had no Session. */
  sessionFound(found: Found): void {
    if (found.kind === 'adopted') {
      const message = 'made for the Deployment of this name, which the agent before this operator has left; it goes on as it is';
      this.#events.record(found.session, { type: 'Normal', reason: 'Adopted', message });
      this.#sessions.info({ session: found.session.metadata.name }, message);
      return;
    }
    const { kind, metadata } = found.object;
    const about = { object: `${kind}/${metadata.name}` };
    if (found.kind === 'removed') {
      const message = 'removed: it was made for a Session that does not exist any more';
      this.#events.record(found.object, { type: 'Normal', reason: 'OrphanRemoved', message });
      this.#sessions.info(about, message);
    } else {
      const message = `no Session can be made for it: ${found.flaw}`;
      this.#events.record(found.object, { type: 'Warning', reason: 'NotAdopted', message });
      this.#sessions.warn(about, message);
    }
  }

  /** A backend's status was written. */
  backendWritten(object: OptimizationBackend, before: OptimizationBackendStatus | undefined, after: OptimizationBackendStatus): void {
    const was = findCondition(before?.conditions, 'Ready');
    const is = findCondition(after.conditions, 'Ready');
    if (!is || (was?.status === is.status && was.reason === is.reason)) return;
    const good = is.status === 'True';
    this.#metrics.backendConnected.set({ backend: object.metadata.name }, good ? 1 : 0);
    if (is.status === 'Unknown') return;
    this.#events.record(object, { type: good ? 'Normal' : 'Warning', reason: is.reason, message: is.message });
    if (good) this.#backends.info({ backend: object.metadata.name }, is.message);
    else this.#backends.warn({ backend: object.metadata.name, reason: is.reason }, is.message);
  }

  /** An upstream told something. */
  upstream(backend: string, news: UpstreamNews): void {
    if (news.kind === 'task') {
      this.#metrics.tasks.inc({ backend, outcome: news.what });
      const fields = { backend, task_id: news.taskID, outcome: news.what };
      if (news.what === 'rejected') this.#backends.warn(fields, news.message);
      else if (news.what === 'created') this.#backends.info(fields, news.message);
      else this.#backends.debug(fields, news.message);
    } else if (news.kind === 'reported') {
      this.#metrics.reports.inc({ backend });
    } else if (news.kind === 'malformed') {
      this.#metrics.malformed.inc({ backend });
      this.#backends.warn({ backend }, news.message);
    } else if (news.kind === 'failure') {
      this.#metrics.backendFailures.inc({ backend, what: news.what });
      const task = news.taskID === undefined ? {} : { task_id: news.taskID };
      this.#backends.warn({ backend, what: news.what, ...task, retry_in_seconds: news.retryIn }, messageOf(news.error));
    }
  }

  /** A watch told something. */
  watch(resource: Resource, event: ReflectorEvent): void {
    const labels = { resource: resource.plural };
    if (event.kind === 'event') {
      this.#metrics.watchEvents.inc({ ...labels, type: event.type.toLowerCase() });
    } else if (event.kind === 'connected') {
      this.#watches.info(labels, 'the watch stands');
    } else if (event.kind === 'disconnected') {
      this.#metrics.watchReconnects.inc(labels);
      this.#watches.warn(labels, event.reason);
    } else if (event.kind === 'relist') {
      this.#metrics.watchRelists.inc(labels);
      this.#watches.info(labels, event.reason);
    } else if (event.kind === 'skipped') {
      this.#watches.error(labels, event.reason);
    }
  }

  /** A pass threw. */
  passFailed(controller: string, key: string, error: unknown, retryIn: number): void {
    this.#metrics.passErrors.inc({ controller });
    this.#actions.error({ controller, object: key, retry_in_seconds: retryIn, err: error }, messageOf(error));
  }
}

function nodeName(target: string): { node_name?: string } {
  return target.startsWith('node/') ? { node_name: target.slice('node/'.length) } : {};
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
