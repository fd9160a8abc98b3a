import { ApiError, ApiUnreachable, isStatus } from '../kube/error.ts';
import { readBytes, readMillicores } from '../kube/quantity.ts';

/** What nodes use right now, by node name. */
export type NodeUsage = ReadonlyMap<string, { readonly cpuMillicores: number; readonly memoryBytes: number }>;

/** Reads one path of the API server as JSON; throws ApiError or ApiUnreachable. */
export type GetPath = (path: string, signal: AbortSignal) => Promise<unknown>;

const NODES = '/apis/metrics.k8s.io/v1beta1/nodes';
const ASK_AGAIN_AFTER_MS = 600_000;

interface RawNodeMetrics {
  readonly metadata?: { readonly name?: string };
  readonly usage?: { readonly cpu?: unknown; readonly memory?: unknown };
}

/**
 * Reads metrics.k8s.io, which many clusters do not have. A cluster that answers 404, 403 or 503 is not asked again for ten minutes, so
 * that an operator without metrics-server stays silent.
 */
export class UsageReader {
  readonly #get: GetPath;
  #silentUntil = 0;

  constructor(get: GetPath) {
    this.#get = get;
  }

  /** The use of all nodes; absent where it is not served, not allowed or just not to be had. */
  async read(now: Date, signal: AbortSignal): Promise<NodeUsage | undefined> {
    if (now.getTime() < this.#silentUntil) return undefined;
    try {
      return usageOf(await this.#get(NODES, signal));
    } catch (error) {
      if ([404, 403, 503].some((status) => isStatus(error, status))) this.#silentUntil = now.getTime() + ASK_AGAIN_AFTER_MS;
      else if (!(error instanceof ApiError || error instanceof ApiUnreachable)) throw error;
      return undefined;
    }
  }
}

function usageOf(body: unknown): NodeUsage | undefined {
  const items = (body as { items?: unknown } | null | undefined)?.items;
  if (!Array.isArray(items)) return undefined;
  const usage = new Map<string, { cpuMillicores: number; memoryBytes: number }>();
  for (const item of items as readonly (RawNodeMetrics | null)[]) {
    const name = item?.metadata?.name;
    if (name) usage.set(name, { cpuMillicores: readMillicores(item.usage?.cpu), memoryBytes: readBytes(item.usage?.memory) });
  }
  return usage;
}
