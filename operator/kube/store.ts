/** What a store needs to know of an entry: which incarnation of which object it is, and how new. */
export interface Stored {
  readonly key: string;
  readonly uid: string;
  readonly resourceVersion: string;
}

/** Told once for every change: `before` absent for a new object, `after` absent for one that is gone; a replacement by a namesake is both. */
export type Change<T> = (before: T | undefined, after: T | undefined) => void;

/**
 * The watched objects of one resource by key. Resource versions decide what is newer, so that an own write can be put in before its watch
 * event arrives and an older event does not undo it.
 */
export class Store<T> {
  readonly #identify: (value: T) => Stored;
  readonly #entries = new Map<string, T>();
  readonly #listeners = new Set<Change<T>>();
  /** The newest version the watch itself has shown. */
  #seen = 0n;

  constructor(identify: (value: T) => Stored) {
    this.#identify = identify;
  }

  /** Calls the listener for every change from now on until the returned function is called; it must not throw. */
  onChange(listener: Change<T>): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  get(key: string): T | undefined {
    return this.#entries.get(key);
  }

  values(): MapIterator<T> {
    return this.#entries.values();
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Takes what the watch shows. */
  apply(value: T): void {
    const { key, resourceVersion } = this.#identify(value);
    this.#advance(resourceVersion);
    const before = this.#entries.get(key);
    if (before && !this.#isNewer(value, before)) return;
    this.#set(key, before, value);
  }

  /** Takes the answer to an own write, unless the watch has gone past it. */
  put(value: T): void {
    const { key, resourceVersion } = this.#identify(value);
    const before = this.#entries.get(key);
    if (before ? !this.#isNewer(value, before) : version(resourceVersion) <= this.#seen) return;
    this.#set(key, before, value);
  }

  /** Takes a deletion that the watch shows; one of an older incarnation changes nothing. */
  remove(value: T): void {
    const { key, uid, resourceVersion } = this.#identify(value);
    this.#advance(resourceVersion);
    const before = this.#entries.get(key);
    if (!before || this.#identify(before).uid !== uid) return;
    this.#set(key, before, undefined);
  }

  /** Takes the deletion of an object that cannot be read: looks through all entries, so it is for the odd case. */
  forget(uid: string, resourceVersion: string): void {
    this.#advance(resourceVersion);
    const entry = this.#entries.entries().find(([, before]) => this.#identify(before).uid === uid);
    if (entry) this.#set(entry[0], entry[1], undefined);
  }

  /** Takes a complete list: what is not in it is gone. */
  replace(values: Iterable<T>, resourceVersion: string): void {
    const listed = new Set<string>();
    for (const value of values) {
      listed.add(this.#identify(value).key);
      this.apply(value);
    }
    this.#advance(resourceVersion);
    for (const [key, before] of [...this.#entries]) {
      const isOlder = version(this.#identify(before).resourceVersion) <= version(resourceVersion);
      if (!listed.has(key) && isOlder) this.#set(key, before, undefined);
    }
  }

  #isNewer(value: T, before: T): boolean {
    return version(this.#identify(value).resourceVersion) > version(this.#identify(before).resourceVersion);
  }

  #advance(resourceVersion: string): void {
    const seen = version(resourceVersion);
    if (seen > this.#seen) this.#seen = seen;
  }

  #set(key: string, before: T | undefined, after: T | undefined): void {
    if (after) this.#entries.set(key, after);
    else this.#entries.delete(key);
    if (before && after && this.#identify(before).uid !== this.#identify(after).uid) {
      // A namesake is another object, also where a list skipped the moment between the two (FIELD.md P7).
      for (const listener of this.#listeners) listener(before, undefined);
      for (const listener of this.#listeners) listener(undefined, after);
    } else {
      for (const listener of this.#listeners) listener(before, after);
    }
  }
}

/** Resource versions are comparable numbers within one resource (KEP-5504). */
function version(resourceVersion: string): bigint {
  return /^\d+$/.test(resourceVersion) ? BigInt(resourceVersion) : 0n;
}
