/** A bounded queue between several writers and one reader; a full one makes writers wait. */
export class Channel<T> {
  readonly #capacity: number;
  readonly #items: T[] = [];
  #ended = false;
  #wakeReader: (() => void) | undefined;
  #wakeWriters: (() => void)[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Appends an item as soon as there is room; drops it when the channel has ended. */
  async push(item: T): Promise<void> {
    while (!this.#ended && this.#items.length >= this.#capacity) {
      await new Promise<void>((resolve) => this.#wakeWriters.push(resolve));
    }
    if (this.#ended) return;
    this.#items.push(item);
    this.#wakeReader?.();
  }

  /** How many items wait for the reader. */
  get waiting(): number {
    return this.#items.length;
  }

  /** Ends the reader at once; returns what was not read yet, which is in no other hands. */
  end(): readonly T[] {
    this.#ended = true;
    const left = this.#items.splice(0);
    this.#wakeReader?.();
    this.#release();
    return left;
  }

  /** Reads until the end. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    while (!this.#ended) {
      const item = this.#items.shift();
      if (item === undefined) {
        await new Promise<void>((resolve) => {
          this.#wakeReader = resolve;
        });
        this.#wakeReader = undefined;
      } else {
        this.#release();
        yield item;
      }
    }
  }

  #release(): void {
    const waiting = this.#wakeWriters;
    this.#wakeWriters = [];
    for (const wake of waiting) wake();
  }
}
