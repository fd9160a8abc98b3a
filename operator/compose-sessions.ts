import { SESSION_FINALIZER, SESSIONS, type Session, type SessionStatus } from './api/session.ts';
import type { TermWorld } from './compose-term.ts';
import type { KubeClient } from './kube/client.ts';
import { Controller } from './kube/controller.ts';
import { SESSION_APP } from './kube/session-pod.ts';
import { withoutManagedFields } from './kube/standing-watches.ts';
import { workloadTopic } from './kube/topics.ts';
import { podUsageReader } from './kube/usage.ts';
import { reconnectBackoff } from './lib/backoff.ts';
import type { JsonObject } from './lib/json.ts';
import { abortable, orAborted } from './lib/wait.ts';
import { SessionReconciler, troubleStatus } from './reconcilers/session.ts';
import { isRelevantSession, isUrgentSession, ownedSessionStatus } from './reconcilers/session-changes.ts';
import { SessionLife } from './reconcilers/session-life.ts';
import { SessionObjects } from './reconcilers/session-objects.ts';
import type { ActivityLog } from './sessions/activity-log.ts';
import { replicasOf } from './sessions/replicas.ts';
import { StreamSpaceActivity } from './sessions/stream-space-activity.ts';
import { UsageWatch } from './sessions/usage-watch.ts';
import type { TermSessions } from './term.ts';

/** Passes over sessions at the same time; one that waits for its pod takes none. */
const SESSION_WIDTH = 32;

/**
 * Builds what keeps the sessions as they should be while this process leads; `client` writes only while it does, `activity` knows what goes through tunnels, and
 * `lastWord` tells a backend that a session is gone.
 */
export function composeSessions(
  world: TermWorld,
  client: KubeClient,
  activity: ActivityLog,
  lastWord: (session: Session) => Promise<void>,
): TermSessions {
  const { bus, logs, sessions, telling } = world;
  const { namespace } = sessions;
  const log = logs.component('sessions');
  const objects = new SessionObjects(client, sessions);
  const usage = new UsageWatch({
    reader: podUsageReader((path, signal) => client.read(path, signal), namespace, `app=${SESSION_APP}`),
    clock: () => new Date(),
    onNews: (session) => bus.publish(workloadTopic(namespace, session)),
    onError: (error) => log.error({ err: error }, 'what sessions use could not be looked at; trying again in a minute'),
  });
  const life = new SessionLife({ activity, usage, streamSpace: new StreamSpaceActivity({ client }) });
  const reconciler = new SessionReconciler({
    client,
    objects,
    templates: sessions.templates,
    admit: () => ({ kind: 'admitted' }),
    life,
    onDecided: (session, decision) => telling.sessionDecided(session, decision),
    put: (answer) => sessions.sessions.put(withoutManagedFields<Session>(answer as unknown as JsonObject)),
    replicasOf,
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
    beforeGone: lastWord,
    onWritten: (object, before, after) => telling.sessionWritten(object, before, after),
    onGone: (object) => life.forget(object),
    onError: (key, error, retryIn) => telling.passFailed('sessions', key, error, retryIn),
  });
  return {
    controller,
    known: async (signal) => {
      await orAborted(sessions.synced, signal);
      for (const backoff = reconnectBackoff(); ; await abortable(backoff.next(), signal)) {
        signal.throwIfAborted();
        try {
          return await sessions.refresh(client, signal);
        } catch (error) {
          if (!signal.aborted) log.warn({ err: error }, 'the sessions could not be listed; trying again');
        }
      }
    },
    close: () => usage.close(),
    phases: () => Map.groupBy(sessions.sessions.values(), ({ status }) => status?.phase ?? 'Pending'),
  };
}
