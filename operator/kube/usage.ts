import { ApiError, ApiUnreachable, isStatus } from './error.ts';
import { parseBytes, parseMillicores, QuantityError, readBytes, readMillicores } from './quantity.ts';

/** What a node or a pod uses right now. */
export interface Usage {
  readonly cpuMillicores: number;
  readonly memoryBytes: number;
}

/** What a pod uses, and which measurement says so. */
export interface PodUsage extends Usage {
  /** The time of the measurement, as metrics.k8s.io has it: another one is another measurement. */
  readonly measured: string;
}

/** Reads one path of the API server as JSON; throws ApiError or ApiUnreachable. */
export type GetPath = (path: string, signal: AbortSignal) => Promise<unknown>;

const API = '/apis/metrics.k8s.io/v1beta1';
const ASK_AGAIN_AFTER_MS = 600_000;

interface RawUsage {
  readonly cpu?: unknown;
  readonly memory?: unknown;
}

interface RawMetrics {
  readonly metadata?: { readonly name?: string };
  readonly timestamp?: unknown;
  /** Of a node. */
  readonly usage?: RawUsage;
  /** Of a pod. */
  readonly containers?: readonly ({ readonly usage?: RawUsage } | null)[];
}

/**
 * Reads metrics.k8s.io, which many clusters do not have. A cluster that answers 404, 403 or 503 is not asked again for ten minutes, so
 * that an operator without metrics-server stays silent.
 */
export class UsageReader<Use> {
  readonly #get: GetPath;
  readonly #path: string;
  readonly #useOf: (item: RawMetrics) => Use | undefined;
  #silentUntil = 0;
  #trouble = '';

  constructor(get: GetPath, path: string, useOf: (item: RawMetrics) => Use | undefined) {
    this.#get = get;
    this.#path = path;
    this.#useOf = useOf;
  }

  /** Why the last read gave nothing; empty when it gave something. */
  get trouble(): string {
    return this.#trouble;
  }

  /** The use by name; absent where it is not served, not allowed or just not to be had. */
  async read(now: Date, signal: AbortSignal): Promise<ReadonlyMap<string, Use> | undefined> {
    if (now.getTime() < this.#silentUntil) return undefined;
    try {
      const use = this.#read(await this.#get(this.#path, signal));
      this.#trouble = use ? '' : 'metrics.k8s.io answers with no list';
      return use;
    } catch (error) {
      if (!(error instanceof ApiError || error instanceof ApiUnreachable)) throw error;
      if ([404, 403, 503].some((status) => isStatus(error, status))) this.#silentUntil = now.getTime() + ASK_AGAIN_AFTER_MS;
      this.#trouble = isStatus(error, 404) ? 'metrics.k8s.io is not served' : error.message;
      return undefined;
    }
  }

  #read(body: unknown): ReadonlyMap<string, Use> | undefined {
    const items = (body as { items?: unknown } | null | undefined)?.items;
    if (!Array.isArray(items)) return undefined;
    const use = new Map<string, Use>();
    for (const item of items as readonly (RawMetrics | null)[]) {
      const name = item?.metadata?.name;
      const used = name ? this.#useOf(item) : undefined;
      if (name && used) use.set(name, used);
    }
    return use;
  }
}

/** Reads what all nodes use. */
export function nodeUsageReader(get: GetPath): UsageReader<Usage> {
  const useOf = ({ usage }: RawMetrics) => ({ cpuMillicores: readMillicores(usage?.cpu), memoryBytes: readBytes(usage?.memory) });
  return new UsageReader(get, `${API}/nodes`, useOf);
}

/** Reads what the pods of a namespace use that have all these labels; a pod whose figures are not all there is left out, since 0 would be a claim. */
export function podUsageReader(get: GetPath, namespace: string, labelSelector: string): UsageReader<PodUsage> {
  const path = `${API}/namespaces/${encodeURIComponent(namespace)}/pods?labelSelector=${encodeURIComponent(labelSelector)}`;
  return new UsageReader(get, path, podUsage);
}

function podUsage({ timestamp, containers }: RawMetrics): PodUsage | undefined {
  if (typeof timestamp !== 'string' || !Array.isArray(containers) || containers.length === 0) return undefined;
  try {
    let [cpuMillicores, memoryBytes] = [0, 0];
    for (const container of containers as RawMetrics['containers'] & object) {
      cpuMillicores += parseMillicores(String(container?.usage?.cpu));
      memoryBytes += parseBytes(String(container?.usage?.memory));
    }
    return { cpuMillicores, memoryBytes, measured: timestamp };
  } catch (error) {
    if (error instanceof QuantityError) return undefined;
    throw error;
  }
}
