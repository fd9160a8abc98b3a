interface Waiter {
  readonly look: () => boolean;
  readonly done: () => void;
}

/** What wakes those who wait for something that a reference backend hears or does; nothing polls. */
export abstract class Waiting {
  readonly #waiters = new Set<Waiter>();

  /** One line of counts, for the message of a wait in vain. */
  abstract summary(): string;

  /** Calls `look` after each entry, until the returned function is called. */
  observe(look: () => void): () => void {
    const watched = () => {
      look();
      return false;
    };
    const waiter = { look: watched, done: () => {} };
    this.#waiters.add(waiter);
    return () => void this.#waiters.delete(waiter);
  }

  /** Looks at every waiting predicate again; called after each entry. */
  changed(): void {
    for (const waiter of [...this.#waiters]) if (waiter.look()) waiter.done();
  }

  /** Resolves with the first answer of `look` that is not undefined, null or false; rejects after `timeout` milliseconds (10 000). */
  waitFor<T>(look: () => T | undefined | null | false, what = 'the expected entry', timeout = 10_000): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let found: T | undefined | null | false;
      const waiter: Waiter = {
        look: () => {
          found = look();
          return found !== undefined && found !== null && found !== false;
        },
        done: () => {
          clearTimeout(timer);
          this.#waiters.delete(waiter);
          resolve(found as T);
        },
      };
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        reject(new Error(`The reference backend waited ${timeout} ms in vain for ${what}; it heard ${this.summary()}`));
      }, timeout);
      this.#waiters.add(waiter);
      if (waiter.look()) waiter.done();
    });
  }
}
