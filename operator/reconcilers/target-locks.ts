import type { Topic } from '../lib/next.ts';

/** Changes when the object with this key is given the target it waits for. */
export function lockTopic(key: string): Topic {
  return `lock/${key}`;
}

interface Lock {
  holder: string;
  /** Who waits, with its rank, in the order of arrival. */
  readonly waiting: Map<string, number>;
}

/**
 * One action at a time per target (FIELD.md M5): who started first holds the target until it is finished or gone, and then it goes to the most
 * important of those who wait. Held in memory and rebuilt at the start from the objects that say they have started.
 */
export class TargetLocks {
  readonly #locks = new Map<string, Lock>();
  readonly #targets = new Map<string, string>();
  readonly #publish: (topic: Topic) => void;

  constructor(publish: (topic: Topic) => void) {
    this.#publish = publish;
  }

  /** Takes the target for the object with this key, or queues it by rank (1 first) and returns the key of the holder. Asking again is no error. */
  acquire(target: string, key: string, rank: number): { readonly held: true } | { readonly held: false; readonly by: string } {
    this.#targets.set(key, target);
    const lock = this.#locks.get(target);
    if (!lock) this.#locks.set(target, { holder: key, waiting: new Map() });
    if (!lock || lock.holder === key) return { held: true };
    lock.waiting.set(key, rank);
    return { held: false, by: lock.holder };
  }

  /** Gives back what the object with this key holds or waits for, if anything; the target goes to the next at once. */
  release(key: string): void {
    const target = this.#targets.get(key) ?? '';
    const lock = this.#locks.get(target);
    this.#targets.delete(key);
    if (!lock || lock.waiting.delete(key)) return;
    const [next] = [...lock.waiting].sort(([, a], [, b]) => a - b)[0] ?? [];
    if (next === undefined) return void this.#locks.delete(target);
    lock.waiting.delete(next);
    lock.holder = next;
    // The others wait on: waking them all at every turn would write all their objects at every turn.
    this.#publish(lockTopic(next));
  }
}
