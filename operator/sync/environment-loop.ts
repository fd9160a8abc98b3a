import type { Bus } from '../kube/bus.ts';
import type { KubeClient } from '../kube/client.ts';
import { dataTopic, type NamedDataWatch } from '../kube/named-data.ts';
import { CONFIG_MAPS } from '../kube/resources.ts';
import { Backoff } from '../lib/backoff.ts';
import { abortable } from '../lib/wait.ts';
import {
  CONTROL_PLANE_BACKEND,
  type ControlPlaneSettings,
  controlPlaneSpec,
  ENVIRONMENT_BACKEND,
  EnvironmentBackend,
  environmentSpec,
  SEED_CONFIG_MAP,
  type SeedSettings,
} from './environment.ts';

/** What the loop works with. */
export interface EnvironmentLoopOptions {
  readonly settings: SeedSettings & ControlPlaneSettings;
  readonly client: KubeClient;
  readonly namespace: string;
  readonly named: NamedDataWatch;
  readonly bus: Bus;
  /** Whether there is a backend of StreamSpace that somebody made. */
  readonly hasOwnControlPlane: () => boolean;
  /** The level that the ConfigMap names; undefined: back to that of the environment. */
  readonly onLogLevel: (level: string | undefined) => void;
  readonly onApplied: (backend: string) => void;
  readonly onError: (error: unknown) => void;
}

/** Keeps the backends of the environment and the log level as environment and ConfigMap say, for as long as the process runs. */
export class EnvironmentLoop {
  readonly #options: EnvironmentLoopOptions;
  readonly #backend: EnvironmentBackend;
  readonly #controlPlane: EnvironmentBackend;
  #wake: () => void = () => undefined;

  constructor(options: EnvironmentLoopOptions) {
    const { client, namespace } = options;
    this.#options = options;
    this.#backend = new EnvironmentBackend(client, namespace, ENVIRONMENT_BACKEND);
    this.#controlPlane = new EnvironmentBackend(client, namespace, CONTROL_PLANE_BACKEND);
  }

  /** Runs until the signal aborts; never throws. */
  async run(signal: AbortSignal): Promise<void> {
    const { bus, onError } = this.#options;
    const backoff = new Backoff({ first: 0.5, most: 30 });
    while (!signal.aborted) {
      const changed = Promise.withResolvers<void>();
      this.#wake = changed.resolve;
      const unsubscribe = bus.subscribe([dataTopic(CONFIG_MAPS, SEED_CONFIG_MAP)], changed.resolve);
      const stop = () => changed.resolve();
      signal.addEventListener('abort', stop, { once: true });
      try {
        await this.#apply(signal);
        backoff.reset();
        await changed.promise;
      } catch (error) {
        if (!signal.aborted) onError(error);
        // A ConfigMap that was mended is not waited for.
        await Promise.race([abortable(backoff.next(), signal), changed.promise]);
      } finally {
        unsubscribe();
        signal.removeEventListener('abort', stop);
      }
    }
  }

  /** Applies everything again, whatever was applied before (SIGHUP). */
  reload(): void {
    this.#backend.forget();
    this.#controlPlane.forget();
    this.#wake();
  }

  async #apply(signal: AbortSignal): Promise<void> {
    const { named, settings, hasOwnControlPlane, onLogLevel, onApplied } = this.#options;
    const controlPlane = controlPlaneSpec(settings);
    if (controlPlane && !hasOwnControlPlane() && (await this.#controlPlane.apply(controlPlane, signal))) onApplied(CONTROL_PLANE_BACKEND);
    const configMap = await named.configMap(SEED_CONFIG_MAP, signal);
    onLogLevel(configMap?.['log-level']);
    const spec = environmentSpec(settings, configMap);
    if (spec && (await this.#backend.apply(spec, signal))) onApplied(ENVIRONMENT_BACKEND);
  }
}
