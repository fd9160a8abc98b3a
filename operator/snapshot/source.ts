import type { ClusterSnapshot } from '../backends/snapshot.ts';
import type { KubeClient } from '../kube/client.ts';
import type { ClusterView } from '../kube/cluster.ts';
import { nodeUsageReader, type Usage, type UsageReader } from '../kube/usage.ts';
import { collectSnapshot } from './collect.ts';
import { loadPriceTable, NO_PRICES, type PriceTable, unpricedIn } from './cost.ts';

/** At most this many kinds of nodes are named in a message. */
const NAMED = 3;

/** What snapshots are made of. */
export interface SnapshotSourceOptions {
  readonly view: ClusterView;
  readonly client: Pick<KubeClient, 'read'>;
  readonly priceTableFile: string | undefined;
  readonly onUnpriced: (nodes: number) => void;
  readonly onPriceTableError: (message: string) => void;
}

/** Makes snapshots: watched objects, usage where the cluster serves it, and prices from a file that is read anew each time. */
export class SnapshotSource {
  readonly #options: SnapshotSourceOptions;
  readonly #usage: UsageReader<Usage>;
  #prices: PriceTable = NO_PRICES;
  #unpriced = '';

  constructor(options: SnapshotSourceOptions) {
    this.#options = options;
    this.#usage = nodeUsageReader((path, signal) => options.client.read(path, signal));
  }

  /** Kinds of nodes without a price, as text for a condition; empty when all have one or there is no table. */
  get unpriced(): string {
    return this.#unpriced;
  }

  /** The cluster now. */
  async collect(signal: AbortSignal): Promise<ClusterSnapshot> {
    const { view, priceTableFile, onUnpriced, onPriceTableError } = this.#options;
    const now = new Date();
    if (priceTableFile !== undefined) {
      // A file that became unreadable must not turn the costs to zero: the last good table stays.
      this.#prices = await loadPriceTable(priceTableFile).catch((error: Error) => {
        onPriceTableError(error.message);
        return this.#prices;
      });
    }
    const snapshot = collectSnapshot(view, this.#prices, now, await this.#usage.read(now, signal));
    const missing = priceTableFile === undefined ? [] : unpricedIn(snapshot);
    onUnpriced(missing.reduce((sum, each) => sum + each.nodes, 0));
    const names = missing.slice(0, NAMED).map((each) => `${each.instanceType || 'nodes without a type label'} (${each.capacityType})`);
    this.#unpriced = missing.length > NAMED ? `${names.join(', ')} and ${missing.length - NAMED} more` : names.join(', ');
    return snapshot;
  }
}
