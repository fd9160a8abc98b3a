import type { Duplex } from 'node:stream';
import type { BackoffSettings } from '../lib/backoff.ts';
import type { Seconds } from '../lib/next.ts';
import type { Backend, ContactEvent, SessionFacts } from './backend.ts';

/** How TLS connections to an upstream are verified. */
export interface TLSSettings {
  /** PEM certificates that replace the system's authorities; absent = the system's. */
  readonly caBundle?: string;
  /** True accepts any certificate. Default false. */
  readonly insecureSkipVerify?: boolean;
  /** The client's certificate and its key, both PEM, where the upstream asks for one; absent = none. */
  readonly clientCertificate?: { readonly certificate: string; readonly key: string };
}

/** What a backend that runs sessions has to know of them and may ask for. */
export interface SessionSettings {
  /** The namespace of the sessions. */
  readonly namespace: string;
  readonly region?: string;
  /** What the backend is told that fits here: whole sessions, and texts such as `64 cores` and `256Gi`. */
  readonly capacity: { readonly maxSessions: number; readonly cpu: string; readonly memory: string };
  /** The sessions of this backend now. */
  readonly list: () => readonly SessionFacts[];
  /** Keeps a key that the backend has issued, so that the next process has it too. */
  readonly keepKey: (key: string, signal: AbortSignal) => Promise<void>;
  /** Opens a connection to the desktop of a session; absent where tunnels are switched off. Rejects where there is no such session, or it does not run. */
  readonly tunnel?: (sessionID: string, signal: AbortSignal) => Promise<Duplex>;
}

/** What an adapter needs to know of its upstream: the spec of an OptimizationBackend with the key read from its Secret. */
export interface BackendSettings {
  /** The name of the OptimizationBackend, for messages. */
  readonly name: string;
  /** Base URL as people write it; normalised by `baseURL` (optimizer.md 1). */
  readonly url: string;
  /** Base or full URL of the push channel; derived from `url` when absent. */
  readonly webSocketURL?: string;
  readonly clusterID: string;
  readonly agentID: string;
  /** The bearer key; without it nothing is sent until `useKey` brings one. */
  readonly key?: string;
  readonly intervals: { readonly poll: Seconds; readonly metrics: Seconds; readonly heartbeat: Seconds };
  readonly tls?: TLSSettings;
  /** The waits between attempts to connect; what is absent is as the protocol says. */
  readonly reconnect?: BackoffSettings;
  /** Given to backends that run sessions. */
  readonly sessions?: SessionSettings;
}

/** Makes one adapter; throws TypeError with a sentence for people when a URL cannot be used, and opens no connection yet. */
export type BackendFactory = (settings: BackendSettings, observe: (event: ContactEvent) => void) => Backend;
