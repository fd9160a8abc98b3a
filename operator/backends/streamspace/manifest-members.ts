import { isObject } from '../transport/json.ts';
import { quote } from './amounts.ts';

/** Reads an element of a list; a text says why it is dropped. */
export type ReadElement<T> = (element: unknown, index: number) => T | string;

/** The members of one object of a manifest, found whatever their capitals, dashes and underscores; null counts as absent. */
export class Found {
  readonly #members = new Map<string, unknown>();
  readonly #path: string;
  readonly #notes: string[];

  /** `path` names the object in notes; empty for the manifest itself. */
  constructor(object: Readonly<Record<string, unknown>>, path: string, notes: string[] = []) {
    this.#path = path;
    this.#notes = notes;
    for (const [name, value] of Object.entries(object)) {
      // Of two spellings the one that says something counts.
      if (value !== null && value !== undefined && !this.#members.has(plain(name))) this.#members.set(plain(name), value);
    }
  }

  /** Whether it says something about this. */
  has(name: string): boolean {
    return this.#members.has(plain(name));
  }

  /** The value of a member; undefined where it is absent. */
  value(name: string): unknown {
    return this.#members.get(plain(name));
  }

  /** A member that is an object; anything else is dropped. */
  object(name: string): Found | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    if (isObject(value)) return new Found(value, this.#at(name), this.#notes);
    this.drop(name, `${quote(value)} is no object`);
    return undefined;
  }

  /** What can be read of a list, at most so many elements; an object in its place is made a list by `unfold`, where there is one. */
  list<T>(
    name: string,
    most: number,
    read: ReadElement<T>,
    unfold?: (object: Readonly<Record<string, unknown>>) => readonly unknown[],
  ): T[] {
    const value = this.value(name);
    if (value === undefined || value === '') return [];
    const elements = isObject(value) && unfold ? unfold(value) : value;
    if (!Array.isArray(elements)) {
      this.drop(name, `${quote(value)} is no list`);
      return [];
    }
    const taken: T[] = [];
    let surplus = 0;
    for (const [index, element] of elements.entries()) {
      // A list of thousands must not cost thousands of notes.
      if (taken.length === most || index >= 10 * most) surplus += 1;
      else {
        const one = read(element, index);
        if (typeof one === 'string') this.drop(`${name}[${index}]`, one);
        else taken.push(one);
      }
    }
    if (surplus > 0) this.drop(name, `${surplus} of its ${elements.length} elements are too many, ${most} are taken`);
    return taken;
  }

  /** Notes that a member is not used. */
  drop(name: string, why: string): void {
    this.#notes.push(`${this.#at(name)} was dropped: ${why}`);
  }

  #at(name: string): string {
    return this.#path === '' ? name : `${this.#path}.${name}`;
  }
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[-_]/g, '');
}
