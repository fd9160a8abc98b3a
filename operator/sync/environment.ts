import { isDeepStrictEqual } from 'node:util';
import { API_VERSION } from '../api/group.ts';
import { OPTIMIZATION_BACKENDS, type OptimizationBackend } from '../api/optimization-backend.ts';
import type { KubeClient } from '../kube/client.ts';
import { CONTROL_PLANE_SECRET } from '../kube/rights.ts';
import type { JsonObject } from '../lib/json.ts';
import type { Seconds } from '../lib/next.ts';

/** The name of the OptimizationBackend that the environment makes. */
export const ENVIRONMENT_BACKEND = 'default';
/** The name of the OptimizationBackend that AGENT_ID and CONTROL_PLANE_URL make. */
export const CONTROL_PLANE_BACKEND = 'streamspace';
/** The ConfigMap and Secret of seed 003 (optimizer.md section 6). */
export const SEED_CONFIG_MAP = 'cloudoptim-client-config';
/** The Secret of seed 003, with the key `api-key`. */
const SEED_SECRET = 'cloudoptim-client-secret';

const FIELD_MANAGER = 'cloudoptim-environment';
const DEFAULT_URL = 'https://central.cloudoptim.io';

/** The variables of seed 003 that describe a backend; absent ones may stand in the ConfigMap. */
export interface SeedSettings {
  readonly CENTRAL_SERVER_URL?: string | undefined;
  readonly CLUSTER_ID?: string | undefined;
  readonly AGENT_ID?: string | undefined;
  readonly TASK_POLL_INTERVAL_SECONDS?: number | undefined;
  readonly METRICS_POLL_INTERVAL_SECONDS?: number | undefined;
  readonly HEARTBEAT_INTERVAL_SECONDS?: number | undefined;
}

/** The spec of the backend that environment and ConfigMap describe together (the environment wins), or undefined where neither names a cluster. */
export function environmentSpec(env: SeedSettings, configMap: Readonly<Record<string, string>> = {}): JsonObject | undefined {
  const clusterID = env.CLUSTER_ID ?? configMap['cluster-id'];
  if (!clusterID) return undefined;
  const seconds = (value: number | undefined, key?: string) => {
    const chosen = value ?? (key === undefined ? undefined : Number(configMap[key]));
    return chosen === undefined || Number.isNaN(chosen) ? undefined : `${chosen}s`;
  };
  return {
    protocol: 'CloudOptim',
    url: env.CENTRAL_SERVER_URL ?? configMap['central-server-url'] ?? DEFAULT_URL,
    clusterID,
    agentID: env.AGENT_ID,
    credentialsSecretRef: { name: SEED_SECRET },
    intervals: {
      poll: seconds(env.TASK_POLL_INTERVAL_SECONDS, 'poll-interval-seconds'),
      metrics: seconds(env.METRICS_POLL_INTERVAL_SECONDS, 'metrics-interval-seconds'),
      heartbeat: seconds(env.HEARTBEAT_INTERVAL_SECONDS),
    },
  };
}

/** The variables of seed 002 that describe a backend. */
export interface ControlPlaneSettings {
  readonly AGENT_ID?: string | undefined;
  readonly CONTROL_PLANE_URL?: string | undefined;
  readonly REGION?: string | undefined;
  readonly HEALTH_CHECK_INTERVAL?: { readonly used: Seconds } | undefined;
}

/** The spec of the backend that the variables of seed 002 describe, or undefined where they name no control plane. */
export function controlPlaneSpec(env: ControlPlaneSettings): JsonObject | undefined {
  const { AGENT_ID: agentID, CONTROL_PLANE_URL: url, REGION: region, HEALTH_CHECK_INTERVAL: heartbeat } = env;
  if (!agentID || !url) return undefined;
  return {
    protocol: 'StreamSpace',
    url,
    agentID,
    region,
    credentialsSecretRef: { name: CONTROL_PLANE_SECRET },
    ...(heartbeat ? { intervals: { heartbeat: `${heartbeat.used}s` } } : {}),
  };
}

/** Whether somebody made a backend of StreamSpace, so that the environment makes none beside it. */
export function hasOwnControlPlane(backends: Iterable<OptimizationBackend>): boolean {
  return [...backends].some(
    ({ metadata, spec }) =>
      spec?.protocol === 'StreamSpace' && !(metadata.name === CONTROL_PLANE_BACKEND && metadata.labels?.[MANAGED_BY] === OPERATOR),
  );
}

/** The name of the one backend of StreamSpace; undefined where there is none, or more than one. */
export function onlyControlPlane(backends: Iterable<OptimizationBackend>): string | undefined {
  const [first, ...others] = [...backends].filter(({ spec }) => spec?.protocol === 'StreamSpace');
  return others.length === 0 ? first?.metadata.name : undefined;
}

const MANAGED_BY = 'app.kubernetes.io/managed-by';
const OPERATOR = 'cloudoptim-operator';

/** Keeps an OptimizationBackend of the environment as environment and ConfigMap describe it; throws what the API server says against it. */
export class EnvironmentBackend {
  readonly #client: KubeClient;
  readonly #namespace: string;
  readonly #name: string;
  #applied: JsonObject | undefined;

  constructor(client: KubeClient, namespace: string, name: string) {
    this.#client = client;
    this.#namespace = namespace;
    this.#name = name;
  }

  /** Applies the spec unless it was applied already; returns whether something was written. */
  async apply(spec: JsonObject, signal: AbortSignal): Promise<boolean> {
    if (isDeepStrictEqual(spec, this.#applied)) return false;
    const metadata = {
      name: this.#name,
      namespace: this.#namespace,
      labels: { [MANAGED_BY]: OPERATOR },
    };
    const ref = { resource: OPTIMIZATION_BACKENDS, namespace: this.#namespace, name: this.#name };
    const body: JsonObject = { apiVersion: API_VERSION, kind: 'OptimizationBackend', metadata, spec };
    await this.#client.patch(ref, 'apply', body, signal, { query: { fieldManager: FIELD_MANAGER, force: true } });
    this.#applied = spec;
    return true;
  }

  /** Makes the next `apply` write, whatever was applied before. */
  forget(): void {
    this.#applied = undefined;
  }
}
