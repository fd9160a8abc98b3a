import type { Topic } from '../lib/next.ts';

/** Changes when the lock of this target is given back. */
export function lockTopic(target: string): Topic {
  return `lock/${target}`;
}

/**
 * One action at a time per target (FIELD.md M5): who started first holds the target until it is finished or gone. Held in memory and rebuilt
 * at the start from the objects that say they have started.
 */
export class TargetLocks {
  readonly #holders = new Map<string, string>();
  readonly #targets = new Map<string, string>();
  readonly #publish: (topic: Topic) => void;

  constructor(publish: (topic: Topic) => void) {
    this.#publish = publish;
  }

  /** Takes the target for the object with this key, or returns the key of the holder. Taking it again is no error. */
  acquire(target: string, key: string): { readonly held: true } | { readonly held: false; readonly by: string } {
    const holder = this.#holders.get(target);
    if (holder !== undefined && holder !== key) return { held: false, by: holder };
    this.#holders.set(target, key);
    this.#targets.set(key, target);
    return { held: true };
  }

  /** Gives back what the object with this key holds, if anything. */
  release(key: string): void {
    const target = this.#targets.get(key);
    if (target === undefined) return;
    this.#targets.delete(key);
    this.#holders.delete(target);
    this.#publish(lockTopic(target));
  }
}
