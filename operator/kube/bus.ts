import type { Topic } from '../lib/next.ts';

/** Hears every topic that changes while it is open. */
export interface Listening {
  /** Whether any of these topics changed since the listening began. */
  heard(topics: readonly Topic[]): boolean;
  close(): void;
}

/** Tells waiting work that something changed: a topic published once wakes everyone who waits for it. */
export class Bus {
  readonly #waiting = new Map<Topic, Set<() => void>>();
  readonly #listening = new Set<Set<Topic>>();

  /** Says that the topic changed. */
  publish(topic: Topic): void {
    for (const heard of this.#listening) heard.add(topic);
    for (const wake of [...(this.#waiting.get(topic) ?? [])]) wake();
  }

  /** Calls `wake` at every change of any of the topics until the returned function is called. */
  subscribe(topics: readonly Topic[], wake: () => void): () => void {
    for (const topic of topics) {
      const wakes = this.#waiting.get(topic) ?? new Set();
      this.#waiting.set(topic, wakes.add(wake));
    }
    return () => {
      for (const topic of topics) {
        const wakes = this.#waiting.get(topic);
        wakes?.delete(wake);
        if (wakes?.size === 0) this.#waiting.delete(topic);
      }
    };
  }

  /** Starts to remember what changes, so that a change between a look and the wait that follows it is not lost. */
  listen(): Listening {
    const changed = new Set<Topic>();
    this.#listening.add(changed);
    return {
      heard: (topics) => topics.some((topic) => changed.has(topic)),
      close: () => void this.#listening.delete(changed),
    };
  }
}
