import type { Duplex } from 'node:stream';
import { type Session, sessionIDOf } from '../api/session.ts';
import type { ClusterView } from '../kube/cluster.ts';
import type { PortForwarder } from '../kube/port-forward.ts';
import type { Store } from '../kube/store.ts';
import { SESSION_LABEL } from './labels.ts';

/** Who hears of the use of desktops, by the names of their sessions. */
export interface DesktopUse {
  /** The desktop has spoken, so what its users do would be seen from now on; one that is silent, such as an HTTP server, may be used by other ways. */
  opened(session: string, at: Date): void;
  /** Something of a user's goes into it; many times a second. */
  note(session: string, at: Date): void;
}

/** What tunnels to the desktops of sessions need. */
export interface SessionTunnelOptions {
  readonly sessions: Pick<Store<Session>, 'values'>;
  readonly pods: Pick<ClusterView, 'pod'>;
  readonly forwarder: Pick<PortForwarder, 'open'>;
  readonly use: DesktopUse;
  readonly clock: () => Date;
  /** Told why the desktop of a session cannot be reached, or not any more. */
  readonly onFailed: (sessionID: string, error: unknown) => void;
}

/** Opens connections to the desktops of sessions: of one that runs, in the pod that is its own, and nowhere else. */
export class SessionTunnels {
  readonly #options: SessionTunnelOptions;

  constructor(options: SessionTunnelOptions) {
    this.#options = options;
  }

  /** Connects to the desktop of the session that this backend knows by the id; the signal ends it, also when it is open. Rejects with a sentence. */
  async open(backend: string, sessionID: string, signal: AbortSignal): Promise<Duplex> {
    const failed = (error: unknown) => {
      if (!signal.aborted) this.#options.onFailed(sessionID, error);
    };
    try {
      return (await this.#open(backend, sessionID, signal)).once('error', failed);
    } catch (error) {
      failed(error);
      throw error;
    }
  }

  async #open(backend: string, sessionID: string, signal: AbortSignal): Promise<Duplex> {
    const { sessions, pods, forwarder, use, clock } = this.#options;
    const isMeant = (each: Session) => each.spec?.backendRef?.name === backend && sessionIDOf(each) === sessionID;
    const session = sessions.values().find(isMeant);
    if (!session) throw new Error(`the backend ${backend} has no session ${sessionID}`);
    const { metadata, status } = session;
    const about = `the session ${metadata.name}`;
    if (status?.phase !== 'Running') throw new Error(`${about} does not run, it is ${status?.phase ?? 'Pending'}`);
    if (status.port === undefined || status.podName === undefined) throw new Error(`${about} names no pod or port yet`);
    const pod = pods.pod(metadata.namespace ?? '', status.podName);
    const isOwn = pod?.labels[SESSION_LABEL] === metadata.name && pod.deletionTimestamp === undefined;
    if (!isOwn) throw new Error(`the pod ${status.podName} of ${about} is gone, or about to go`);
    let spoke = false;
    return forwarder.open(pod, status.port, signal, {
      toPod: () => use.note(metadata.name, clock()),
      fromPod: () => {
        if (!spoke) use.opened(metadata.name, clock());
        spoke = true;
      },
    });
  }
}
