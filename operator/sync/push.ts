import { type Backend, BackendError, type HeartbeatStatus } from '../backends/backend.ts';
import type { ClusterSnapshot } from '../backends/snapshot.ts';
import { Backoff } from '../lib/backoff.ts';
import type { Seconds } from '../lib/next.ts';
import { abortable } from '../lib/wait.ts';
import type { ClusterEventFeed } from '../snapshot/events.ts';
import type { UpstreamFacts } from './facts.ts';

/** Events in one message. */
const BATCH = 100;

/** What the snapshot loop of one upstream works with. */
export interface PushOptions {
  readonly backend: Backend;
  readonly feed: ClusterEventFeed;
  readonly facts: UpstreamFacts;
  /** The cluster now; undefined while the caches are not filled. */
  readonly collect: (signal: AbortSignal) => Promise<ClusterSnapshot | undefined>;
  readonly health: () => Extract<HeartbeatStatus, 'healthy' | 'degraded'>;
  readonly onFailure: (what: string, error: unknown) => void;
}

/** Sends snapshots, events and heartbeats upstream until the signal ends it; each on its own, so that one that fails holds up none. */
export async function push(options: PushOptions, signal: AbortSignal): Promise<void> {
  const { backend } = options;
  await Promise.all([
    repeat(backend.heartbeat.every, () => beat(options, signal), 'heartbeat'),
    backend.snapshots && repeat(backend.snapshots.every, () => pushSnapshot(options, signal), 'snapshot'),
    backend.events && repeat(backend.events.within, () => pushEvents(options, signal), 'events'),
  ]);

  async function repeat(every: Seconds, act: () => Promise<void>, what: string): Promise<void> {
    // An upstream that is away is asked sooner than the interval, growing up to it.
    const backoff = new Backoff({ first: Math.min(1, every), most: every });
    while (!signal.aborted) {
      let wait = every;
      try {
        await act();
        backoff.reset();
      } catch (error) {
        if (signal.aborted) return;
        options.onFailure(what, error);
        wait = Math.max(backoff.next(), retryAfter(error));
      }
      await abortable(wait, signal);
    }
  }
}

/**
 * The last words of a stopping operator, within this many seconds: what is left of events, a final snapshot, and goodbye, which has its half
 * of the time for itself. Failures are told and passed over.
 */
export async function pushLast(options: PushOptions, within: Seconds): Promise<void> {
  const half = () => AbortSignal.timeout(Math.max(0, Math.round(within * 500)));
  const last = async (what: string, act: Promise<void>) => act.catch((error) => options.onFailure(what, error));
  const data = half();
  await Promise.all([last('events', pushEvents(options, data)), last('snapshot', pushSnapshot(options, data))]);
  await last('heartbeat', options.backend.heartbeat.beat('stopping', half()));
}

async function beat({ backend, facts, health }: PushOptions, signal: AbortSignal): Promise<void> {
  await backend.heartbeat.beat(facts.registered ? health() : 'starting', signal);
  facts.registered = true;
}

async function pushSnapshot({ backend, facts, collect }: PushOptions, signal: AbortSignal): Promise<void> {
  // Collecting costs requests.
  if (!backend.snapshots) return;
  const snapshot = await collect(signal);
  if (!snapshot) return;
  await backend.snapshots.push(snapshot, signal);
  facts.lastSnapshot = snapshot.at;
}

async function pushEvents({ backend: { events }, feed }: PushOptions, signal: AbortSignal): Promise<void> {
  if (!events) return;
  while (feed.waiting > 0) {
    const batch = feed.take(BATCH);
    try {
      await events.push(batch, signal);
    } catch (error) {
      // Refused for good: the same events would be refused for ever, and the ones behind them never sent.
      if (!(error instanceof BackendError && error.final)) feed.giveBack(batch);
      throw error;
    }
  }
}

function retryAfter(error: unknown): Seconds {
  return error instanceof BackendError ? (error.retryAfter ?? 0) : 0;
}
