/** A session that waits to become active. */
export interface Waiting {
  readonly key: string;
  readonly user: string;
  /** RFC 3339; what does not know since when it waits comes after all that do. */
  readonly since: string | undefined;
}

interface Turn {
  readonly user: string;
  readonly waiting: Sorted<Waiting>;
  /** How many active sessions the user has. */
  load: number;
}

/**
 * Who waits, fair over users: the first is of the user with the fewest active sessions, and of these the one that waits longest. Each change
 * costs a binary search, so a thousand waiting sessions of one user cost the others nothing.
 */
export class FairQueue {
  readonly #users = new Map<string, Turn>();
  readonly #waiting = new Map<string, Waiting>();
  /** The users who have a session that waits. */
  readonly #turns = new Sorted<Turn>((a, b) => a.load - b.load || byAge(first(a), first(b)));

  /** How many wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Who is next. */
  get first(): Waiting | undefined {
    return this.#turns.first?.waiting.first;
  }

  /** Puts one in, or in another place when it is there already. */
  add(waiting: Waiting): void {
    this.remove(waiting.key);
    this.#waiting.set(waiting.key, waiting);
    this.#change(waiting.user, (turn) => turn.waiting.add(waiting));
  }

  /** Takes one out, if it is there. */
  remove(key: string): void {
    const waiting = this.#waiting.get(key);
    if (!waiting) return;
    this.#waiting.delete(key);
    this.#change(waiting.user, (turn) => turn.waiting.remove(waiting));
  }

  /** The user has so many active sessions more, or fewer. */
  load(user: string, by: number): void {
    this.#change(user, (turn) => {
      turn.load += by;
    });
  }

  #change(user: string, change: (turn: Turn) => void): void {
    const turn = this.#users.get(user) ?? { user, load: 0, waiting: new Sorted<Waiting>(byAge) };
    // It is found by what is about to change.
    if (turn.waiting.first) this.#turns.remove(turn);
    change(turn);
    if (turn.waiting.first) this.#turns.add(turn);
    if (turn.waiting.first || turn.load > 0) this.#users.set(user, turn);
    else this.#users.delete(user);
  }
}

/** Values in an order that makes no two equal. */
class Sorted<T> {
  readonly #compare: (a: T, b: T) => number;
  readonly #values: T[] = [];

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  get first(): T | undefined {
    return this.#values[0];
  }

  add(value: T): void {
    this.#values.splice(this.#placeOf(value), 0, value);
  }

  remove(value: T): void {
    const place = this.#placeOf(value);
    if (this.#values[place] === value) this.#values.splice(place, 1);
  }

  #placeOf(value: T): number {
    let low = 0;
    let high = this.#values.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compare(this.#values[middle] as T, value) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Only turns with somebody who waits are ever compared. */
function first({ waiting }: Turn): Waiting {
  return waiting.first as Waiting;
}

/** The oldest first; of the same second, by name, so that the same sessions always come in the same order. */
function byAge(a: Waiting, b: Waiting): number {
  return compareTexts(a.since ?? UNKNOWN, b.since ?? UNKNOWN) || compareTexts(a.key, b.key);
}

/** After every RFC 3339 text. */
const UNKNOWN = '~';

function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
