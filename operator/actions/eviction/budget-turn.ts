import type { Budget } from '../../kube/budget.ts';
import type { Pod } from '../../kube/pod.ts';
import type { Seconds } from '../../lib/next.ts';

/** A budget that said no although its numbers allow it is asked again after this long: the API server decides, not our view of it. */
const ASK_AGAIN: Seconds = 10;
/** While its numbers allow nothing, only a change of it is worth a question; this is for a change that the watch should have missed. */
export const ASK_ANYWAY: Seconds = 600;

/**
 * When a budget may be asked again: as soon as it changed, not on a timer (FIELD.md A18), within what it allows, one pod after the other, and
 * never before a given Retry-After is over (A15). All drains of this process share the turns of a budget.
 */
export class BudgetTurn {
  readonly #clock: () => Seconds;
  #budget: Budget;
  #spent = 0;
  #refused = false;
  #askedAt = Number.NEGATIVE_INFINITY;
  #notBefore = Number.NEGATIVE_INFINITY;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(budget: Budget, clock: () => Seconds) {
    this.#budget = budget;
    this.#clock = clock;
  }

  /** Takes note of the budget as it is seen now; a change of it is a new chance. */
  see(budget: Budget): void {
    if (budget.resourceVersion === this.#budget.resourceVersion) return;
    this.#budget = budget;
    this.#spent = 0;
    this.#refused = false;
  }

  /** Runs the work after all that was queued before: evictions of one budget collide in the API server (FIELD.md E6, F5). */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  /** Takes the right to try this pod now; false while nothing speaks for a yes. The budget's numbers only order the tries. */
  take(pod: Pod): boolean {
    const now = this.#clock();
    if (now < this.#notBefore) return false;
    if (!this.isOpenTo(pod) && now < this.#askedAt + this.#pause) return false;
    if (!mayPassUnready(pod, this.#budget)) this.#spent++;
    this.#askedAt = now;
    return true;
  }

  /** Whether neither the budget's numbers nor an answer speaks against this pod. */
  isOpenTo(pod: Pod): boolean {
    return !this.#refused && (mayPassUnready(pod, this.#budget) || this.#spent < this.#budget.disruptionsAllowed);
  }

  /** The try that was taken for this pod said nothing about the budget, such as a fault of the API server: it counts as not made. */
  giveBack(pod: Pod): void {
    if (!mayPassUnready(pod, this.#budget)) this.#spent = Math.max(0, this.#spent - 1);
  }

  /** The budget said no: its pods wait until it changes, and at least as long as was asked for. */
  refuse(retryAfter: Seconds | undefined): void {
    this.#refused = true;
    this.#notBefore = this.#clock() + (retryAfter ?? 0);
    // Asked to come back, not told no by the numbers: then the time counts, not the change (FIELD.md E3).
    if (retryAfter !== undefined) this.#askedAt = this.#notBefore - ASK_ANYWAY;
  }

  /** Seconds that an answer asked to be left in peace. */
  get rests(): Seconds {
    return Math.max(0, this.#notBefore - this.#clock());
  }

  /** Seconds until the budget is asked again even without a change. */
  get waits(): Seconds {
    return Math.max(this.rests, this.#askedAt + this.#pause - this.#clock());
  }

  get #pause(): Seconds {
    return this.#budget.disruptionsAllowed > 0 ? ASK_AGAIN : ASK_ANYWAY;
  }
}

/** Whether the eviction handler lets an unready pod go without asking the budget for a disruption (FIELD.md 1.3, last paragraph). */
export function mayPassUnready(pod: Pod, budget: Budget): boolean {
  if (pod.ready) return false;
  if (budget.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  return budget.currentHealthy >= budget.desiredHealthy && budget.desiredHealthy > 0;
}
