/** The bearer key of one upstream: the only place that holds it; it can be replaced while the process runs. */
export class Credential {
  // A private field, so that neither inspect nor JSON.stringify shows it.
  #key: string | undefined;
  /** Counts the keys: who made a call with an older one knows that its refusal says nothing about this one. */
  version = 0;
  readonly #listeners = new Set<() => void>();

  constructor(key?: string) {
    this.#key = usable(key);
  }

  /** The value of the Authorization header; undefined while there is no key that can stand in a header. */
  get authorization(): string | undefined {
    return this.#key === undefined ? undefined : `Bearer ${this.#key}`;
  }

  /** Takes another key (surrounding white space, as Secrets made with `echo` have it, is dropped) and tells every listener; the same one is no news. */
  replace(key: string): void {
    const next = usable(key);
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
}

function usable(key: string | undefined): string | undefined {
  const trimmed = key?.trim();
  return trimmed !== undefined && /^[\x21-\x7e]+$/.test(trimmed) ? trimmed : undefined;
}
