/** Things that were started, to be ended in reverse order, also those that were still starting when the end came. */
export class Belongings {
  readonly #ends: (() => Promise<void>)[] = [];
  #closed: Promise<void> | undefined;

  /** Starts something and remembers how to end it; throws when all is being ended already. */
  own<T>(start: () => Promise<T>, end: (thing: T) => Promise<unknown>): Promise<T> {
    if (this.#closed) throw new Error('the demo is ending');
    const started = start();
    this.#ends.push(async () => {
      const [outcome] = await Promise.allSettled([started]);
      if (outcome.status === 'fulfilled') await end(outcome.value);
    });
    return started;
  }

  /** Ends everything, the last first; later calls wait for the same end. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    for (const end of this.#ends.toReversed()) await end();
  }
}
