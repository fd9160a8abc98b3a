import { SESSION_FINALIZER, SESSIONS, type Session, type SessionStatus } from './api/session.ts';
import type { TermWorld } from './compose-term.ts';
import type { KubeClient } from './kube/client.ts';
import { Controller } from './kube/controller.ts';
import { reconnectBackoff } from './lib/backoff.ts';
import { abortable, orAborted } from './lib/wait.ts';
import { LeftBehind } from './reconcilers/left-behind.ts';
import { SessionReconciler, troubleStatus } from './reconcilers/session.ts';
import { isRelevantSession, isUrgentSession, ownedSessionStatus } from './reconcilers/session-changes.ts';
import { SessionObjects } from './reconcilers/session-objects.ts';
import { replicasOf } from './sessions/replicas.ts';
import type { TermSessions } from './term.ts';

/** Passes over sessions at the same time; one that waits for its pod takes none. */
const SESSION_WIDTH = 32;

/** What the sessions of a term need of the rest of it. */
export interface SessionNeeds {
  /** Tells a backend that a session is gone. */
  readonly lastWord: (session: Session) => Promise<void>;
  /** Whose agent may have made sessions before. */
  readonly backend: () => string | undefined;
}

/** Builds what keeps the sessions as they should be while this process leads; `client` writes only while it does. */
export function composeSessions(world: TermWorld, client: KubeClient, needs: SessionNeeds): TermSessions {
  const { bus, config, logs, sessions, telling } = world;
  const log = logs.component('sessions');
  const objects = new SessionObjects(client, sessions);
  const reconciler = new SessionReconciler({
    client,
    objects,
    templates: sessions.templates,
    dryRun: config.DRY_RUN,
    admit: () => ({ kind: 'admitted' }),
    life: () => ({ next: { kind: 'settled' } }),
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
    beforeGone: needs.lastWord,
    onWritten: (object, before, after) => telling.sessionWritten(object, before, after),
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
    close: () => leftBehind.close(),
    phases: () => Map.groupBy(sessions.sessions.values(), ({ status }) => status?.phase ?? 'Pending'),
  };
}
