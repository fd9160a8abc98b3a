import { reconnectBackoff } from '../lib/backoff.ts';
import type { Seconds } from '../lib/next.ts';
import { abortable } from '../lib/wait.ts';
import type { KubeClient } from './client.ts';
import { isStatus } from './error.ts';
import type { ObjectRef } from './object.ts';
import { apiVersion, CONFIG_MAPS } from './resources.ts';

/** How much a ring holds. */
export interface RingBounds {
  /** Records in one ConfigMap. */
  readonly records: number;
  /** UTF-8 bytes in one ConfigMap, below the mebibyte that the API server allows; each write makes etcd store so many anew. */
  readonly bytes: number;
  /** After this long a record counts no more. */
  readonly keep: Seconds;
}

/** Where a ring is and what it works with. */
export interface RingOptions extends RingBounds {
  readonly client: KubeClient;
  readonly namespace: string;
  /** The ConfigMaps, in the order in which they are filled. */
  readonly names: readonly string[];
  readonly clock: () => Date;
  /** Told when reading at the start fails; it is tried again. */
  readonly onError: (error: unknown) => void;
}

/** Writes wait this long for more of them, so that a burst becomes one. */
const COLLECT: Seconds = 0.05;

interface Entry {
  readonly slot: Slot;
  readonly at: number;
  readonly text: string;
}

/** One ConfigMap. */
interface Slot {
  readonly index: number;
  readonly name: string;
  /** The bytes of every key in it, those that were replaced by a newer record elsewhere too. */
  readonly keys: Map<string, number>;
  bytes: number;
  /** Keys whose value, or absence, is not written yet. */
  unwritten: Set<string>;
  /** Keys of the write that is on the way. */
  writing: Set<string>;
  /** The write that is to come, for those who wait for theirs. */
  next?: Promise<void> | undefined;
  last: Promise<void>;
}

/**
 * Short texts by name that outlive everything but their age and the ring: the newest ones fill one ConfigMap after another, and the oldest
 * ConfigMap makes room. One process writes at a time and knows all of it in memory; a key is the name, a value `<time> <text>`.
 */
export class RecordRing {
  readonly #options: RingOptions;
  readonly #slots: readonly Slot[];
  readonly #entries = new Map<string, Entry>();
  #current = 0;

  constructor(options: RingOptions) {
    this.#options = options;
    this.#slots = options.names.map(emptySlot);
  }

  /** Reads anew what other processes wrote, before this one writes; tries until it could, or the signal aborts. */
  async load(signal: AbortSignal): Promise<void> {
    this.#entries.clear();
    for (const slot of this.#slots) Object.assign(slot, emptySlot(slot.name, slot.index));
    const newest = new Map<Slot, number>();
    const all = await Promise.all(this.#slots.map(async (slot) => ({ slot, data: await this.#read(slot, signal) })));
    for (const { slot, data } of all) {
      for (const [name, value] of Object.entries(data)) {
        const [time = ''] = value.split(' ', 1);
        const at = Date.parse(time);
        // Somebody else's, or spoilt by hand.
        if (Number.isNaN(at)) continue;
        this.#note(slot, name, value);
        newest.set(slot, Math.max(at, newest.get(slot) ?? 0));
        if ((this.#entries.get(name)?.at ?? 0) <= at) this.#entries.set(name, { slot, at, text: value.slice(time.length + 1) });
      }
    }
    // The one that was being filled; times alone can be equal, or of clocks that differ.
    const byTime = [...newest].sort(([, a], [, b]) => b - a).map(([slot]) => slot);
    this.#current = (byTime.find((slot) => this.#hasRoom(slot)) ?? byTime[0])?.index ?? 0;
  }

  /** The record of this name, if there is one that is not too old. */
  get(name: string): string | undefined {
    const entry = this.#entries.get(name);
    return entry && this.#options.clock().getTime() < entry.at + this.#options.keep * 1000 ? entry.text : undefined;
  }

  /** Knows the record from now on, and resolves when it is written; the same text again is no second record. Throws when it could not be written. */
  async put(name: string, text: string): Promise<void> {
    const known = this.#entries.get(name);
    if (known && this.get(name) === text) {
      if (known.slot.unwritten.has(name)) await this.#written(known.slot);
      else if (known.slot.writing.has(name)) await known.slot.last;
      return;
    }
    const at = this.#options.clock();
    const slot = this.#withRoom(name);
    this.#entries.set(name, { slot, at: at.getTime(), text });
    this.#note(slot, name, stamped(at.getTime(), text));
    slot.unwritten.add(name);
    await this.#written(slot);
  }

  #withRoom(name: string): Slot {
    const current = this.#slotAt(this.#current);
    if (current.keys.has(name) || this.#hasRoom(current)) return current;
    this.#current = (this.#current + 1) % this.#slots.length;
    const next = this.#slotAt(this.#current);
    for (const old of next.keys.keys()) {
      next.unwritten.add(old);
      if (this.#entries.get(old)?.slot === next) this.#entries.delete(old);
    }
    next.keys.clear();
    next.bytes = 0;
    return next;
  }

  #hasRoom({ keys, bytes }: Slot): boolean {
    return keys.size < this.#options.records && bytes < this.#options.bytes;
  }

  #slotAt(index: number): Slot {
    const slot = this.#slots[index];
    if (!slot) throw new RangeError(`a ring of ${this.#slots.length} has no slot ${index}`);
    return slot;
  }

  #note(slot: Slot, name: string, value: string): void {
    const bytes = Buffer.byteLength(name) + Buffer.byteLength(value);
    slot.bytes += bytes - (slot.keys.get(name) ?? 0);
    slot.keys.set(name, bytes);
  }

  /** One write at a time per ConfigMap; what comes while one is on the way goes with the next. */
  #written(slot: Slot): Promise<void> {
    slot.next ??= slot.last
      .catch(() => undefined)
      .then(() => abortable(COLLECT, NEVER))
      .then(() => {
        slot.last = slot.next ?? slot.last;
        slot.next = undefined;
        return this.#write(slot);
      });
    return slot.next;
  }

  async #write(slot: Slot): Promise<void> {
    slot.writing = slot.unwritten;
    slot.unwritten = new Set();
    try {
      await this.#store(slot, slot.writing);
    } catch (error) {
      for (const name of slot.writing) slot.unwritten.add(name);
      throw error;
    } finally {
      slot.writing = new Set();
    }
  }

  /** Only the keys that changed; a ConfigMap that is not there, or was deleted by somebody, is made with all that it should hold. */
  async #store(slot: Slot, names: Iterable<string>): Promise<void> {
    const { client, namespace } = this.#options;
    const ref = this.#ref(slot);
    const change = { data: Object.fromEntries([...names].map((name) => [name, this.#valueIn(slot, name) ?? null])) };
    try {
      await client.patch(ref, 'merge', change, NEVER);
    } catch (error) {
      if (!isStatus(error, 404)) throw error;
      const metadata = { name: ref.name, namespace, labels: { 'app.kubernetes.io/managed-by': 'cloudoptim-operator' } };
      const data = Object.fromEntries([...slot.keys.keys()].map((name) => [name, this.#valueIn(slot, name)]));
      await client.create(CONFIG_MAPS, namespace, { apiVersion: apiVersion(CONFIG_MAPS), kind: CONFIG_MAPS.kind, metadata, data }, NEVER);
    }
  }

  #valueIn(slot: Slot, name: string): string | undefined {
    const entry = this.#entries.get(name);
    return entry?.slot === slot ? stamped(entry.at, entry.text) : undefined;
  }

  async #read(slot: Slot, signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
    const backoff = reconnectBackoff();
    for (;;) {
      try {
        const found = await this.#options.client.get(this.#ref(slot), signal);
        return (found as unknown as { readonly data?: Record<string, string> }).data ?? {};
      } catch (error) {
        if (signal.aborted || isStatus(error, 404)) return {};
        this.#options.onError(error);
        await abortable(backoff.next(), signal);
      }
    }
  }

  #ref(slot: Slot): ObjectRef {
    return { resource: CONFIG_MAPS, namespace: this.#options.namespace, name: slot.name };
  }
}

/** What has to be kept must be written even while the operator stops; the client's own time-out bounds it. */
const NEVER = new AbortController().signal;

function emptySlot(name: string, index: number): Slot {
  return { index, name, keys: new Map(), bytes: 0, unwritten: new Set(), writing: new Set(), last: Promise.resolve() };
}

function stamped(at: number, text: string): string {
  return `${new Date(at).toISOString()} ${text}`;
}
