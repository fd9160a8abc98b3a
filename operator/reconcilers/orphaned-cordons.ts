import { cordonOwner } from '../actions/cordoning.ts';
import type { Node } from '../kube/node.ts';

/** What the search for orphaned cordons works with. */
export interface OrphanedCordonsOptions {
  /** The operator's namespace: cordons of actions elsewhere are another operator's. */
  readonly namespace: string;
  readonly nodes: () => Iterable<Node>;
  /** Whether the action with this key, `namespace/name`, still exists. */
  readonly actionExists: (key: string) => boolean;
  /** Told once for each node that is found, with the key of the action that is gone. */
  readonly onFound: (node: Node, action: string) => void;
  /** Told how many there are whenever that changes. */
  readonly onCount: (count: number) => void;
}

/**
 * Finds nodes that are still under the cordon of an action that is gone, and says so (FIELD.md F9, A27): they stay as they are, because a cordon
 * that succeeded was wanted. Looks only at what changed; open it when nodes and actions are known.
 */
export class OrphanedCordons {
  readonly #options: OrphanedCordonsOptions;
  /** By the name of the node: the action that cordoned it. */
  readonly #owners = new Map<string, { readonly node: Node; readonly action: string }>();
  readonly #found = new Set<string>();
  #open = false;

  constructor(options: OrphanedCordonsOptions) {
    this.#options = options;
  }

  /** Looks at all nodes, and from then on at what changes. */
  open(): void {
    this.#open = true;
    for (const node of this.#options.nodes()) this.nodeChanged(undefined, node);
  }

  /** A node is new, another one than before, or gone. */
  nodeChanged(before: Node | undefined, after: Node | undefined): void {
    const node = after ?? before;
    if (!this.#open || !node) return;
    const action = after ? cordonOwner(after) : '';
    if (after && action.startsWith(`${this.#options.namespace}/`)) {
      this.#owners.set(node.name, { node: after, action });
      this.#look(node.name);
    } else if (this.#owners.delete(node.name)) {
      this.#look(node.name);
    }
  }

  /** An action is gone from the API server. */
  actionGone(key: string): void {
    for (const [name, { action }] of this.#owners) if (action === key) this.#look(name);
  }

  #look(name: string): void {
    const { actionExists, onCount, onFound } = this.#options;
    const owned = this.#owners.get(name);
    const orphaned = owned !== undefined && !actionExists(owned.action);
    if (orphaned === this.#found.has(name)) return;
    if (orphaned) {
      this.#found.add(name);
      onFound(owned.node, owned.action);
    } else {
      this.#found.delete(name);
    }
    onCount(this.#found.size);
  }
}
