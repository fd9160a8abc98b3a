interface Transition {
  readonly at: number;
  /** Who has told of it so far: `watch`, `node-controller`, `kubelet`. */
  readonly tellers: Set<string>;
}

/** Tellers of one transition may lie this far apart: the node controller notices at the next check, clocks differ. */
const WITHIN_MS = 120_000;
const NODES_REMEMBERED = 10_000;
const TRANSITIONS_PER_NODE = 16;

/**
 * Joins what several tellers say of one node going not ready: its own condition as watched, and the Events of the node controller and
 * the kubelet. Each teller tells of a transition once, so a teller heard again tells of another one, however soon.
 */
export class NotReadyTransitions {
  readonly #byNode = new Map<string, Transition[]>();

  /** Whether nobody has told of this transition yet. */
  isNew(node: string, teller: string, at: Date): boolean {
    const known = this.#byNode.get(node) ?? [];
    const same = known.find((transition) => Math.abs(transition.at - at.getTime()) <= WITHIN_MS && !transition.tellers.has(teller));
    if (same !== undefined) {
      same.tellers.add(teller);
      return false;
    }
    known.push({ at: at.getTime(), tellers: new Set([teller]) });
    if (known.length > TRANSITIONS_PER_NODE) known.shift();
    this.#remember(node, known);
    return true;
  }

  #remember(node: string, transitions: Transition[]): void {
    this.#byNode.delete(node);
    this.#byNode.set(node, transitions);
    if (this.#byNode.size <= NODES_REMEMBERED) return;
    const longestQuiet = this.#byNode.keys().next().value;
    if (longestQuiet !== undefined) this.#byNode.delete(longestQuiet);
  }
}
