/** How a key is shown to its upstream. */
export interface KeyForm {
  /** What a key looks like; any other text counts as no key. */
  readonly usable: RegExp;
  /** The header that carries it, with its value. */
  readonly header: (key: string) => readonly [name: string, value: string];
  /** True where the upstream may know us by something else: then calls are made without a key too. Default false. */
  readonly optional?: boolean;
}

const BEARER: KeyForm = { usable: /^[\x21-\x7e]+$/, header: (key) => ['authorization', `Bearer ${key}`] };

/** The key of one upstream: the only place that holds it; it can be replaced while the process runs. */
export class Credential {
  // A private field, so that neither inspect nor JSON.stringify shows it.
  #key: string | undefined;
  readonly #form: KeyForm;
  /** Counts the keys: who made a call with an older one knows that its refusal says nothing about this one. */
  version = 0;
  readonly #listeners = new Set<() => void>();

  constructor(key?: string, form: KeyForm = BEARER) {
    this.#form = form;
    this.#key = this.#usable(key);
  }

  /** The headers that show the key; undefined while there is no key that can be shown. */
  get headers(): Readonly<Record<string, string>> | undefined {
    if (this.#key !== undefined) return Object.fromEntries([this.#form.header(this.#key)]);
    return this.#form.optional ? {} : undefined;
  }

  /** Takes another key (surrounding white space, as Secrets made with `echo` have it, is dropped) and tells every listener; the same one is no news. */
  replace(key: string): void {
    const next = this.#usable(key);
    if (next === this.#key) return;
    this.#key = next;
    this.version += 1;
    for (const listener of [...this.#listeners]) listener();
  }

  /** Calls `listener` after each `replace` until the returned function is called. */
  onReplace(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A foreign text without the key, should the upstream repeat it, without control characters, at most 300 characters. */
  redact(text: string): string {
    const clean = this.#key === undefined ? text : text.replaceAll(this.#key, '[key]');
    const line = clean.replace(/[\p{Cc}\s]+/gu, ' ').trim();
    return (line.length > 300 ? `${line.slice(0, 299)}…` : line).toWellFormed();
  }

  #usable(key: string | undefined): string | undefined {
    const trimmed = key?.trim();
    return trimmed !== undefined && this.#form.usable.test(trimmed) ? trimmed : undefined;
  }
}
