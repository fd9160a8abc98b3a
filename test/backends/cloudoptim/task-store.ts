/** A task as the backend writes it; further members go out as they are. */
export interface WireTask {
  readonly task_id: string;
  readonly task_type: string;
  readonly [member: string]: unknown;
}

/** How often a task without result is handed out by polls: until its result came, once, or for ever. */
export type Redelivery = 'untilResult' | 'once' | 'always';

/** The tasks that polls hand out. */
export class TaskStore {
  /** Default `untilResult`. */
  redelivery: Redelivery;
  /** The order within one answer; default `given`. */
  order: 'given' | 'reversed' = 'given';
  /** How often each task stands in one answer; default 1. */
  copies = 1;
  readonly #tasks: unknown[] = [];

  constructor(redelivery: Redelivery) {
    this.redelivery = redelivery;
  }

  /** Adds an item; it may be anything, so that tests can hand out nonsense. */
  add(item: unknown): void {
    this.#tasks.push(item);
  }

  /** Takes a task out once its result came, unless redelivery is `always`. */
  finished(taskID: string): void {
    if (this.redelivery === 'always') return;
    const index = this.#tasks.findIndex((item) => idOf(item) === taskID);
    if (index >= 0) this.#tasks.splice(index, 1);
  }

  /** The items of the next answer. */
  hand(): unknown[] {
    const items = this.#tasks.flatMap((item) => Array.from({ length: this.copies }, () => item));
    if (this.order === 'reversed') items.reverse();
    if (this.redelivery === 'once') this.#tasks.length = 0;
    return items;
  }

  /** How many tasks still wait for a result. */
  get open(): number {
    return this.#tasks.length;
  }
}

/** The id of an item in whatever spelling it has; undefined when it has none. */
export function idOf(item: unknown): string | undefined {
  if (typeof item !== 'object' || item === null) return undefined;
  const members = item as Record<string, unknown>;
  const id = members.task_id ?? members.action_id ?? members.id;
  return id === undefined || id === null ? undefined : String(id);
}
