import type { OptimizationAction } from '../api/optimization-action.ts';
import { readTombstone, specDigest, type Tombstone, tombstoneOf } from '../api/tombstone.ts';
import type { KubeClient } from '../kube/client.ts';
import { RecordRing, type RingBounds } from '../kube/record-ring.ts';
import { TOMBSTONE_MAPS } from '../kube/rights.ts';

const DAY = 86_400;

/** At most 10,000 tombstones in 6.4 MB, in 16 ConfigMaps, each for 30 days (FIELD.md N9). */
const BOUNDS: RingBounds = { records: 625, bytes: 400_000, keep: 30 * DAY };

/** What the graveyard works with. */
export interface GraveyardOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly clock: () => Date;
  /** Told when what earlier processes wrote cannot be read; it is tried again, and nothing is carried out before. */
  readonly onError: (error: unknown) => void;
  /** Default: the bounds of the product. */
  readonly bounds?: RingBounds;
}

/**
 * Remembers finished objects that are gone: a late repeat of a task is answered from here, and an object that is made anew with the name and
 * the spec of one that has run does not run again (FIELD.md A43, A49, F1, F6).
 */
export class Graveyard {
  readonly #ring: RecordRing;
  /** Only the process that leads writes: two would overwrite each other's. */
  #opened = false;

  constructor(options: GraveyardOptions) {
    this.#ring = new RecordRing({ ...(options.bounds ?? BOUNDS), ...options, names: TOMBSTONE_MAPS });
  }

  /** Reads what earlier leaders wrote, and buries from then on; tries until it could, or the signal aborts. Call it whenever this process begins to lead. */
  async load(signal: AbortSignal): Promise<void> {
    await this.#ring.load(signal);
    this.#opened = !signal.aborted;
  }

  /** Buries no more: another process does. */
  close(): void {
    this.#opened = false;
  }

  /** Resolves when the tombstone of a finished object is written; it is known at once. Another object needs none. Throws when it could not be written. */
  async bury(object: OptimizationAction): Promise<void> {
    const found = tombstoneOf(object);
    if (!found || !this.#opened) return;
    const { name, uid } = object.metadata;
    const earlier = this.find(name);
    // The one that really ran is remembered, for as long as it is made anew.
    const repeats = found.reason === 'AlreadyExecuted' && earlier?.spec === found.spec;
    await this.#ring.put(name, JSON.stringify(repeats ? { ...earlier, uid } : found));
  }

  /** How the last object of this name ended that is gone. */
  find(name: string): Tombstone | undefined {
    const text = this.#ring.get(name);
    return text === undefined ? undefined : readTombstone(text);
  }

  /** The run of an earlier object of the same name that asked for the same: this one must not run again. */
  earlierRun(object: OptimizationAction): Tombstone | undefined {
    const found = this.find(object.metadata.name);
    const isSame = found?.ran && found.uid !== object.metadata.uid && found.spec === specDigest(object);
    return isSame ? found : undefined;
  }
}
