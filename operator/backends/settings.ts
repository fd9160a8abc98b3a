import type { Seconds } from '../lib/next.ts';
import type { Backend, ContactEvent } from './backend.ts';

/** How TLS connections to an upstream are verified. */
export interface TLSSettings {
  /** PEM certificates that replace the system's authorities; absent = the system's. */
  readonly caBundle?: string;
  /** True accepts any certificate. Default false. */
  readonly insecureSkipVerify?: boolean;
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
}

/** Makes one adapter; throws TypeError with a sentence for people when a URL cannot be used, and opens no connection yet. */
export type BackendFactory = (settings: BackendSettings, observe: (event: ContactEvent) => void) => Backend;
