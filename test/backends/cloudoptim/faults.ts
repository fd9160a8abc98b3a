import type { Call } from './journal.ts';

/** What goes wrong with one request. */
export type Fault =
  /** Destroys the connection; with `handled` only after the request took effect (the answer is lost). */
  | { readonly kind: 'drop'; readonly handled?: boolean }
  /** Answers normally, but `ms` later, or once the fault is released. */
  | { readonly kind: 'delay'; readonly ms?: number }
  /** Answers this status and nothing else; `retryAfter` goes into the header as it is. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly retryAfter?: number | string;
      readonly body?: unknown;
      readonly location?: string;
    }
  /** Takes effect, then cuts the answer in the middle of its body. */
  | { readonly kind: 'half' }
  /** Takes effect, then answers 200 with this text (`{"tasks": [` when absent). */
  | { readonly kind: 'invalidJSON'; readonly text?: string }
  /** Takes effect, then answers 200 with a JSON array of at least this many bytes. */
  | { readonly kind: 'huge'; readonly bytes: number }
  /** Accepts the request and never answers. */
  | { readonly kind: 'silent' };

/** A fault that was ordered; `release` lets held requests go on, `cancel` also stops it from hitting new ones. */
export interface FaultHandle {
  /** How many requests it has hit so far. */
  readonly hits: number;
  release(): void;
  cancel(): void;
}

interface Order {
  readonly call: Call | 'any';
  readonly fault: Fault;
  left: number;
  hits: number;
  readonly released: Promise<void>;
}

/** The faults that are still to come, first ordered first served. */
export class FaultPlan {
  readonly #orders: Order[] = [];

  /** Orders `fault` for the next `times` requests (1; Infinity = until cancelled) of `call`. */
  add(call: Call | 'any', fault: Fault, times = 1): FaultHandle {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const order: Order = { call, fault, left: times, hits: 0, released };
    this.#orders.push(order);
    return {
      get hits() {
        return order.hits;
      },
      release,
      cancel: () => {
        order.left = 0;
        release();
      },
    };
  }

  /** Takes the fault for one request, if one is due. */
  take(call: Call): { readonly fault: Fault; readonly released: Promise<void> } | undefined {
    const order = this.#orders.find(
      (candidate) => candidate.left > 0 && (candidate.call === call || (candidate.call === 'any' && call !== 'other')),
    );
    if (order === undefined) return undefined;
    order.left -= 1;
    order.hits += 1;
    return order;
  }

  /** Cancels everything. */
  clear(): void {
    for (const order of this.#orders) order.left = 0;
    this.#orders.length = 0;
  }
}
