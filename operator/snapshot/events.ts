import type { ClusterEvent } from '../backends/snapshot.ts';
import type { CoreEvent } from '../kube/cluster-event.ts';
import type { Node } from '../kube/node.ts';
import type { OomKill, Pod } from '../kube/pod.ts';
import { FirstSight } from './first-sight.ts';
import { NotReadyTransitions } from './not-ready.ts';

/** Happenings of the last five minutes before the start are sent: the process before this one may not have come to it. */
const LOOK_BACK_MS = 300_000;
const KEYS_REMEMBERED = 10_000;
const BUFFERED = 1000;

/** Where a feed starts and how much it holds. */
export interface FeedOptions {
  readonly now: () => Date;
  /** Keys remembered against repetition. */
  readonly remember?: number;
  /** Events held for the upstream; beyond it the oldest is dropped. */
  readonly buffer?: number;
}

/**
 * Turns what the watches see into the events of protocols/optimizer.md 2.3, each once per process (R10). One feed per backend: it is also
 * that backend's buffer. Across a restart an event of the last five minutes may be sent again, and none of them is lost.
 */
export class ClusterEventFeed {
  readonly #now: () => Date;
  readonly #bound: number;
  readonly #firstSight: FirstSight;
  readonly #transitions = new NotReadyTransitions();
  #waiting: ClusterEvent[] = [];
  #dropped = 0;

  constructor({ now, remember = KEYS_REMEMBERED, buffer = BUFFERED }: FeedOptions) {
    this.#now = now;
    this.#bound = buffer;
    this.#firstSight = new FirstSight(remember, new Date(now().getTime() - LOOK_BACK_MS));
  }

  /** How many events were lost because the upstream did not take them in time. */
  get dropped(): number {
    return this.#dropped;
  }

  /** How many events wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Takes note of an Event added or changed; a higher count of the same Event is another happening. */
  observeEvent(event: CoreEvent): void {
    const kind = kindOf(event);
    if (kind === undefined) return;
    const { at = this.#now(), reason, message, involvedObject, name, count } = event;
    const key = `${event.uid}/${count}`;
    if (!this.#firstSight.isFirst(key, at, this.#now())) return;
    if (kind === 'NodeNotReady' && !this.#transitions.isNew(involvedObject.name, event.source || 'event', at)) return;
    this.#hold({ key, kind, severity: event.type, reason, message, involvedObject, name, count, at });
  }

  /** Takes note of a changed node; only the step from ready to not ready is a happening. */
  observeNode(before: Node | undefined, after: Node | undefined): void {
    if (!before?.ready || !after || after.ready || before.uid !== after.uid) return;
    const at = this.#now();
    const key = `${after.uid}/not-ready/${after.resourceVersion}`;
    if (!this.#firstSight.isFirst(key, at, at) || !this.#transitions.isNew(after.name, 'watch', at)) return;
    this.#hold({
      ...made(key, 'NodeNotReady', at),
      message: `Node ${after.name} is no longer ready`,
      involvedObject: { kind: 'Node', namespace: '', name: after.name },
      name: eventName(after.name, at),
    });
  }

  /** Takes note of a new or changed pod: containers that ran out of memory, and evictions by the eviction API, which leaves no Event. */
  observePod(before: Pod | undefined, after: Pod | undefined): void {
    if (!after) return;
    if (after.evictedAt !== undefined && before?.evictedAt === undefined) this.#observeEviction(after, after.evictedAt);
    if (after.oomKills.length === 0 || after.oomKills === before?.oomKills) return;
    for (const kill of after.oomKills) this.#observeKill(after, kill);
  }

  /** Takes the oldest events, at most `max`; they are the caller's until given back. */
  take(max: number): ClusterEvent[] {
    return this.#waiting.splice(0, Math.max(0, max));
  }

  /** Puts taken events back, before all others, because the upstream did not accept them. */
  giveBack(events: readonly ClusterEvent[]): void {
    this.#waiting = [...events, ...this.#waiting];
    this.#dropOldest();
  }

  #observeEviction(pod: Pod, evictedAt: string): void {
    const now = this.#now();
    const at = timeOr(evictedAt, now);
    const key = `${pod.uid}/evicted`;
    if (!this.#firstSight.isFirst(key, at, now)) return;
    this.#hold({
      ...made(key, 'Evicted', at),
      message: `Pod was evicted from node ${pod.nodeName} by the eviction API`,
      involvedObject: { kind: 'Pod', namespace: pod.namespace, name: pod.name },
      name: eventName(pod.name, at),
    });
  }

  #observeKill(pod: Pod, { container, restartCount, finishedAt }: OomKill): void {
    const now = this.#now();
    const at = timeOr(finishedAt, now);
    const key = `${pod.uid}/${container}/${restartCount}/${finishedAt}`;
    if (!this.#firstSight.isFirst(key, at, now)) return;
    this.#hold({
      ...made(key, 'OOMKilled', at),
      message: `Container ${container} ran out of memory and was killed, after ${restartCount} restarts`,
      involvedObject: { kind: 'Pod', namespace: pod.namespace, name: pod.name },
      name: eventName(`${pod.name}.${container}`, at),
    });
  }

  #hold(event: ClusterEvent): void {
    this.#waiting.push(event);
    this.#dropOldest();
  }

  #dropOldest(): void {
    const excess = this.#waiting.length - this.#bound;
    if (excess <= 0) return;
    this.#waiting.splice(0, excess);
    this.#dropped += excess;
  }
}

/**
 * Which Events are sent: kube-scheduler's FailedScheduling; evictions by kubelet, scheduler, taint manager and node controller; the node
 * going not ready, but not the copy that the node controller writes for each pod on it. OOM kills come from container state instead.
 */
function kindOf({ reason, message, involvedObject }: CoreEvent): ClusterEvent['kind'] | undefined {
  if (involvedObject.kind === 'Node') return reason === 'NodeNotReady' ? 'NodeNotReady' : undefined;
  if (involvedObject.kind !== 'Pod') return undefined;
  switch (reason) {
    case 'FailedScheduling':
      return 'FailedScheduling';
    case 'Evicted':
    case 'Preempted':
    case 'NodeControllerEviction':
      return 'Evicted';
    case 'TaintManagerEviction':
    case 'DeviceTaintManagerEviction':
      // The same reason also says that a pod may stay after all.
      return message.startsWith('Cancelling') ? undefined : 'Evicted';
    default:
      return undefined;
  }
}

function made(key: string, kind: 'NodeNotReady' | 'OOMKilled' | 'Evicted', at: Date) {
  return { key, kind, severity: 'Warning', reason: kind, count: 1, at } as const;
}

function timeOr(text: string, fallback: Date): Date {
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? fallback : time;
}

/** Named as client-go names Events: the object's name and the time in hexadecimal. */
function eventName(object: string, at: Date): string {
  return `${object}.${at.getTime().toString(16)}`;
}
