import type { OptimizationAction } from '../api/optimization-action.ts';
import { keyOf } from '../kube/controller.ts';
import type { Seconds } from '../lib/next.ts';
import { expiresAt, isSettled } from './expiry.ts';

/** Finished objects that may stay, all outcomes together (FIELD.md N9). */
const CAP = 1000;
/** A burst of deletions makes etcd fragment and hides what users do: so many at a time, and a second between (FIELD.md A48). */
const BATCH = 20;
const PAUSE: Seconds = 1;
/** setTimeout cannot count further; a later end is simply looked for again. */
const MAX_MILLISECONDS = 2_147_483_000;

/** Why a finished object goes. */
export type Passing = 'ttl' | 'cap';

/** What retention works with. */
export interface RetentionOptions {
  readonly backendExists: (name: string) => boolean;
  readonly clock: () => Date;
  /** Told once of every object whose turn it is to be deleted; `isDue` says so from then on. */
  readonly onDue: (key: string, why: Passing) => void;
  /** Default 1000. */
  readonly cap?: number;
}

/**
 * Chooses the finished objects that go: those whose time is over, and beyond the cap those whose time would be over first, so that successes go
 * before failures of the same age. It keeps one number per object and one timer in all, and looks through the numbers only when one of them is
 * due: ten thousand finished objects cost nothing while nothing happens. Unfinished and unreported ones are never chosen.
 */
export class Retention {
  readonly #options: RetentionOptions;
  readonly #cap: number;
  readonly #ends = new Map<string, number>();
  readonly #due = new Set<string>();
  #opened = false;
  #timer: NodeJS.Timeout | undefined;
  #looksAt = Number.POSITIVE_INFINITY;
  /** The time before which nothing more is chosen. */
  #pausedUntil = 0;

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#cap = options.cap ?? CAP;
  }

  /** Begins with these objects; call it when all stores are filled, whenever this process begins to lead. Changes before do not count. */
  open(objects: Iterable<OptimizationAction>): void {
    this.#ends.clear();
    this.#due.clear();
    this.#opened = true;
    for (const object of objects) this.notice(undefined, object);
  }

  /** Looks at an object that is new, has changed or is gone. */
  notice(before: OptimizationAction | undefined, after: OptimizationAction | undefined): void {
    const object = after ?? before;
    if (!this.#opened || !object) return;
    const key = keyOf(object);
    const end = after && this.#endOf(after);
    if (end === undefined) {
      this.#ends.delete(key);
      this.#due.delete(key);
    } else if (this.#ends.get(key) !== end) {
      this.#ends.set(key, end);
      this.#due.delete(key);
      this.#lookAt(this.#isOver() ? 0 : end);
    }
  }

  /** Whether the object's turn has come. */
  isDue(key: string): boolean {
    return this.#due.has(key);
  }

  /** Chooses no more, until it is opened again. */
  close(): void {
    this.#opened = false;
    this.#looksAt = Number.POSITIVE_INFINITY;
    clearTimeout(this.#timer);
  }

  #endOf(object: OptimizationAction): number | undefined {
    // One that is being deleted goes by itself.
    if (object.metadata.deletionTimestamp || !isSettled(object, this.#options.backendExists)) return undefined;
    return expiresAt(object);
  }

  #isOver(): boolean {
    return this.#ends.size - this.#due.size > this.#cap;
  }

  #lookAt(time: number): void {
    const at = Math.max(time, this.#pausedUntil);
    if (at >= this.#looksAt) return;
    this.#looksAt = at;
    clearTimeout(this.#timer);
    const wait = Math.min(Math.max(0, at - this.#options.clock().getTime()), MAX_MILLISECONDS);
    this.#timer = setTimeout(() => this.#look(), wait).unref();
  }

  #look(): void {
    this.#looksAt = Number.POSITIVE_INFINITY;
    const now = this.#options.clock().getTime();
    const kept = [...this.#ends].filter(([key]) => !this.#due.has(key)).sort(([, a], [, b]) => a - b);
    const over = kept.length - this.#cap;
    const going = kept.filter(([, end], index) => index < over || end <= now).slice(0, BATCH);
    for (const [key, end] of going) {
      this.#due.add(key);
      this.#options.onDue(key, end <= now ? 'ttl' : 'cap');
    }
    if (going.length > 0) this.#pausedUntil = now + PAUSE * 1000;
    const [, next] = kept[going.length] ?? [];
    if (next !== undefined) this.#lookAt(this.#isOver() ? 0 : next);
  }
}
