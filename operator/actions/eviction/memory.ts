import { bulkhead } from 'cockatiel';
import type { Budget } from '../../kube/budget.ts';
import type { Cluster } from '../../kube/cluster.ts';
import { Backoff } from '../../lib/backoff.ts';
import type { Seconds } from '../../lib/next.ts';
import type { ActionContext } from '../action.ts';
import { BudgetTurn } from './budget-turn.ts';
import type { LaterCause } from './verdict.ts';

const MOST_BUDGETS = 10_000;
/** Removals asked for at the same time in the whole cluster (FIELD.md K20, N5); who comes next waits, first come, first served. */
const MOST_AT_ONCE = 500;

/** Why one pod is not tried right now. */
export interface Hold {
  readonly cause: LaterCause | 'TooManyRequests' | undefined;
  readonly shown: boolean;
  /** What the refusal said, where only that explains it. */
  readonly words?: string;
  readonly notBefore: Seconds;
  /** How many tries in a row had this cause. */
  readonly tries: number;
  /** The budgets of the pod at the time: when they are others, the hold is void. */
  readonly budgets: string;
}

/** What this process remembers of one request; a new process learns the same from the cluster: who is terminating was accepted. */
export class RequestMemory {
  /** UIDs whose eviction the API server took, before the watch shows them terminating (FIELD.md I5). */
  readonly accepted = new Set<string>();
  /** UIDs of pods that were gone already when they were asked to go (FIELD.md K21). */
  readonly absent = new Set<string>();
  /** UIDs of pods that were asked to go without an answer that tells whether they do. */
  readonly unheard = new Set<string>();
  /** By pod UID. */
  readonly holds = new Map<string, Hold>();
  /** Every UID that was ever chosen to go; undefined until the first look of this process. */
  chosen: Set<string> | undefined;
  /** UIDs of pods that are known to be on the target node itself, not on a namesake (FIELD.md F2). */
  readonly ofTarget = new Set<string>();
  /** Whether the DaemonSet `namespace/name` exists (FIELD.md K11). */
  readonly daemonSets = new Map<string, boolean>();
  /** When the pods were last listed fresh, on the clock of the memory; undefined asks for a fresh list. */
  listedAt: Seconds | undefined;
  readonly #backoffs = new Map<string, Backoff>();

  /** The next delay of this pod: 100 ms doubled to 10 s, with jitter (FIELD.md K22, N3). */
  backoff(uid: string): Seconds {
    const backoff = this.#backoffs.get(uid) ?? new Backoff({ first: 0.1, most: 10 });
    this.#backoffs.set(uid, backoff);
    return backoff.next();
  }
}

/**
 * What this process remembers of evictions in one cluster. It only spares requests: whatever it forgets in a restart is decided again from the
 * cluster. It has a monotonic clock of its own, because a Retry-After counts from its answer and must outlive a jump of the wall clock.
 */
export class EvictionMemory {
  readonly clock: () => Seconds;
  /** Nothing is sent before: the API server protects itself (FIELD.md E4). */
  busyUntil: Seconds = Number.NEGATIVE_INFINITY;
  /** All requests together. A budget takes one place at most, because its pods go one after the other, so none keeps out the others. */
  readonly together = bulkhead(MOST_AT_ONCE, Number.POSITIVE_INFINITY);
  readonly #turns = new Map<string, BudgetTurn>();
  readonly #requests = new Map<string, RequestMemory>();

  constructor(clock: () => Seconds = () => performance.now() / 1000) {
    this.clock = clock;
  }

  /** The turns of this budget, told how it is seen now. */
  turn(budget: Budget): BudgetTurn {
    const turn = this.#turns.get(budget.uid) ?? new BudgetTurn(budget, this.clock);
    turn.see(budget);
    // Budgets come and go for ever; the longest unused is forgotten, which costs one question to the API server.
    this.#turns.delete(budget.uid);
    this.#turns.set(budget.uid, turn);
    for (const oldest of this.#turns.keys()) {
      if (this.#turns.size <= MOST_BUDGETS) break;
      this.#turns.delete(oldest);
    }
    return turn;
  }

  /** What is remembered of this request. */
  request(context: ActionContext): RequestMemory {
    const memory = this.#requests.get(keyOf(context)) ?? new RequestMemory();
    this.#requests.set(keyOf(context), memory);
    return memory;
  }

  /** The request came to its end. */
  forget(context: ActionContext): void {
    this.#requests.delete(keyOf(context));
  }
}

const memories = new WeakMap<Cluster, EvictionMemory>();

/** The memory of this cluster: definitions are constants of a module, so what lives as long as a process hangs on the port they are handed. */
export function memoryOf(cluster: Cluster): EvictionMemory {
  const memory = memories.get(cluster) ?? new EvictionMemory();
  memories.set(cluster, memory);
  return memory;
}

/** For tests: gives this cluster a memory with another clock. */
export function useMemory(cluster: Cluster, memory: EvictionMemory): void {
  memories.set(cluster, memory);
}

function keyOf({ actor, targetUID, startedAt }: ActionContext): string {
  return `${actor}@${targetUID}@${startedAt.toISOString()}`;
}
