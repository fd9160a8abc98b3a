import type { Duplex } from 'node:stream';
import type { Session } from '../api/session.ts';
import type { UpstreamRequest } from '../api/upstream.ts';
import type { SessionSettings } from '../backends/settings.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Store } from '../kube/store.ts';
import type { BackoffSettings } from '../lib/backoff.ts';
import { keepIssuedKey } from './issued-key.ts';
import { sessionFacts } from './session-facts.ts';

/** What backends that run sessions share. */
export interface SessionAccessOptions {
  readonly client: KubeClient;
  readonly store: Store<Session>;
  /** The namespace of all Sessions. */
  readonly namespace: string;
  /** The operator's own, of the Secrets. */
  readonly ownNamespace: string;
  readonly capacity: SessionSettings['capacity'];
  readonly reconnect: BackoffSettings;
  /** Opens a connection to the desktop of a session of this backend. */
  readonly openTunnel?: (backend: string, sessionID: string, signal: AbortSignal) => Promise<Duplex>;
}

/** What backends that run sessions may see and do, each with its own sessions only. */
export class SessionAccess {
  readonly #options: SessionAccessOptions;

  constructor(options: SessionAccessOptions) {
    this.#options = options;
  }

  /** The waits between attempts to connect. */
  get reconnect(): BackoffSettings {
    return this.#options.reconnect;
  }

  /** The sessions of this backend now. */
  of(backend: string): readonly Session[] {
    return [...this.#options.store.values()].filter(({ spec }) => spec?.backendRef?.name === backend);
  }

  /** What one backend is given. */
  settingsFor({ name, spec }: Pick<UpstreamRequest, 'name' | 'spec'>): SessionSettings {
    const { client, namespace, ownNamespace, capacity, openTunnel } = this.#options;
    const secret = { namespace: ownNamespace, name: spec.credentialsSecretRef?.name };
    return {
      namespace,
      ...(spec.region ? { region: spec.region } : {}),
      capacity,
      list: () => this.of(name).map(sessionFacts),
      keepKey: (key, signal) => keepIssuedKey(client, secret, key, signal),
      ...(spec.vnc?.enabled && openTunnel ? { tunnel: (sessionID, signal) => openTunnel(name, sessionID, signal) } : {}),
    };
  }
}
