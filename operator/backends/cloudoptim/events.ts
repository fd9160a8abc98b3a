import type { JsonObject } from '../../lib/json.ts';
import { formatSeconds } from '../../lib/time.ts';
import type { ClusterEvent } from '../snapshot.ts';

/** The most events of one POST; more are sent in several (no source names a limit). */
const batchSize = 500;

/** The event item of optimizer.md 3.3 plus `event_type` (2.3). */
function writeEvent(event: ClusterEvent, clusterID: string): JsonObject {
  const { kind, name, namespace } = event.involvedObject;
  return {
    metric_type: 'event',
    event_type: event.kind,
    cluster_id: clusterID,
    timestamp: formatSeconds(event.at),
    namespace,
    name: event.name,
    type: event.severity,
    reason: event.reason,
    message: event.message,
    involved_object: { kind, name, namespace },
    count: event.count,
  };
}

/** Delivers one batch; answers `too large` for 413 and throws BackendError for every other failure. */
export type PostEvents = (items: readonly JsonObject[], signal: AbortSignal) => Promise<'taken' | 'too large'>;

/** Sends events in batches, each event once: what was taken before a failure is left out when the caller repeats the whole. */
export class EventSender {
  readonly #clusterID: string;
  readonly #post: PostEvents;
  readonly #dropped: (event: ClusterEvent) => void;
  /** Keys taken in a push that failed later. */
  readonly #taken = new Set<string>();
  /** Halved by every 413, for good. */
  #size = batchSize;

  /** `dropped` hears of an event that is too large even alone. */
  constructor(clusterID: string, post: PostEvents, dropped: (event: ClusterEvent) => void) {
    this.#clusterID = clusterID;
    this.#post = post;
    this.#dropped = dropped;
  }

  /** Resolves when all were taken; throws what `post` throws. */
  async push(events: readonly ClusterEvent[], signal: AbortSignal): Promise<void> {
    let left = events.filter((event) => !this.#taken.has(event.key));
    while (left.length > 0) {
      const batch = left.slice(0, this.#size);
      const items = batch.map((event) => writeEvent(event, this.#clusterID));
      if ((await this.#post(items, signal)) === 'too large') {
        if (batch.length > 1) {
          this.#size = Math.floor(batch.length / 2);
          continue;
        }
        for (const event of batch) this.#dropped(event);
      }
      for (const event of batch) this.#taken.add(event.key);
      left = left.slice(batch.length);
    }
    this.#taken.clear();
  }
}
