import { isDeepStrictEqual } from 'node:util';
import { Backoff } from '../lib/backoff.ts';
import type { Next, Seconds } from '../lib/next.ts';
import type { Bus } from './bus.ts';
import type { KubeClient } from './client.ts';
import { ApiError, ApiUnreachable, isStatus } from './error.ts';
import { setFinalizer } from './finalizer.ts';
import type { KubeObject, ObjectMeta, ObjectRef, Resource } from './object.ts';
import { applyStatus, FIELD_MANAGER } from './status.ts';
import type { Store } from './store.ts';
import { WorkQueue } from './work-queue.ts';

/** After this many failed passes in a row the object itself says so. */
const FAILURES_BEFORE_STATUS = 3;
/** Where the API server does not take the words in this time, the next pass tries again to say them. */
const SHOWN_WITHIN_MILLISECONDS = 5000;

/** What one pass found: the status the object should have, and when to look again. */
export interface Outcome<Status> {
  /** Absent: leave the status as it is. */
  readonly status?: Status;
  readonly next: Next;
  /** Whether the object must carry the operator's finalizer; absent: leave it as it is. */
  readonly finalizer?: boolean;
  /** True: delete the object, provided that nobody changed it since it was looked at. */
  readonly remove?: boolean;
}

/** One reconciler and what the machinery around it must know. */
export interface ControllerOptions<Status, Obj extends KubeObject<unknown, Status>> {
  readonly name: string;
  readonly resource: Resource;
  readonly client: KubeClient;
  readonly store: Store<Obj>;
  readonly bus: Bus;
  /** Passes at the same time. */
  readonly width: number;
  readonly finalizer: string;
  readonly reconcile: (object: Obj, context: { readonly now: Date; readonly signal: AbortSignal }) => Promise<Outcome<Status>>;
  /** Whether a change of the object asks for a pass. */
  readonly isRelevant: (before: Obj | undefined, after: Obj) => boolean;
  /** Whether a difference in status must be written at once. */
  readonly isUrgent: (before: Status | undefined, after: Status) => boolean;
  /** A difference that is not urgent, progress and numbers, is written at most this often (FIELD.md M22). */
  readonly progressEvery: Seconds;
  /** The part of a status that this controller writes; the rest belongs to other field managers. Default: all of it. */
  readonly owned?: (status: Status) => unknown;
  /** Whether the status is the last one: another process that has lost its turn must not write over it. Default: never. */
  readonly isFinal?: (object: Obj) => boolean;
  /** The status that tells an error which keeps coming back; undefined where the status must stay as it is. */
  readonly explain: (object: Obj, error: unknown, now: Date) => Status | undefined;
  readonly rank?: (object: Obj) => number;
  /** Told after the status was written. */
  readonly onWritten?: (object: Obj, before: Status | undefined, after: Status) => void;
  /** Runs before an object is deleted or loses the operator's finalizer; what it throws keeps the object, and the pass is tried again. */
  readonly beforeGone?: (object: Obj) => Promise<void>;
  /** Told when the object is gone from the API server. */
  readonly onGone?: (object: Obj) => void;
  readonly onError: (key: string, error: unknown, retryIn: Seconds) => void;
}

/**
 * Key → object → reconcile → one status write → next. The only writer of status; a reconcile returns values and writes nothing (rule 1).
 * A pass that throws is tried again with growing delays, honouring Retry-After, and shows in the object from the third failure on.
 */
export class Controller<Status, Obj extends KubeObject<unknown, Status>> {
  readonly #options: ControllerOptions<Status, Obj>;
  readonly #queue: WorkQueue;
  readonly #stop = new AbortController();
  readonly #waits = new Map<string, () => void>();
  readonly #failures = new Map<string, { backoff: Backoff; count: number; unanswered: boolean }>();
  readonly #writtenAt = new Map<string, number>();
  readonly #unlisten: () => void;

  constructor(options: ControllerOptions<Status, Obj>) {
    this.#options = options;
    const rank = options.rank;
    this.#queue = new WorkQueue({
      width: options.width,
      handle: (key) => this.#pass(key),
      ...(rank ? { rank: (key: string) => this.#rankOf(key, rank) } : {}),
    });
    this.#unlisten = options.store.onChange((before, after) => this.#changed(before, after));
  }

  /** The name given to it. */
  get name(): string {
    return this.#options.name;
  }

  /** Waiting keys, for the metric. */
  get depth(): number {
    return this.#queue.depth;
  }

  /** Starts the passes, one over every object that is there; call it when the store is synced. */
  open(): void {
    for (const object of this.#options.store.values()) this.#changed(undefined, object);
    this.#queue.open();
  }

  /** Asks for a pass over one object. */
  enqueue(key: string): void {
    this.#queue.add(key);
  }

  /** Tries again now what failed because the API server did not answer: it is there again. */
  retryUnanswered(): void {
    for (const [key, { unanswered }] of this.#failures) if (unanswered) this.#queue.add(key);
  }

  /** Starts no more passes, tells those under way to end between steps, and waits for them. */
  async close(): Promise<void> {
    this.#unlisten();
    this.#stop.abort(new Error('the operator is stopping'));
    await this.#queue.close();
    for (const stop of this.#waits.values()) stop();
    this.#waits.clear();
  }

  #changed(before: Obj | undefined, after: Obj | undefined): void {
    const object = after ?? before;
    if (!object) return;
    if (!after) this.#options.onGone?.(object);
    if (!after || this.#options.isRelevant(before, after)) this.#queue.add(keyOf(object));
  }

  #rankOf(key: string, rank: (object: Obj) => number): number {
    const object = this.#options.store.get(key);
    return object ? rank(object) : 1;
  }

  async #pass(key: string): Promise<void> {
    const object = this.#options.store.get(key);
    if (!object) return this.#forget(key);
    const listening = this.#options.bus.listen();
    const now = new Date();
    try {
      const outcome = await this.#options.reconcile(object, { now, signal: this.#stop.signal });
      const held = await this.#write(key, object, outcome);
      this.#failures.delete(key);
      const missed = outcome.next.kind === 'when' && listening.heard(outcome.next.changed);
      this.#schedule(key, missed ? { kind: 'again', after: 0 } : outcome.next, held);
    } catch (error) {
      await this.#failed(key, object, error, now);
    } finally {
      listening.close();
    }
  }

  /** Writes what differs; returns the seconds after which a held-back progress must be written. */
  async #write(key: string, object: Obj, outcome: Outcome<Status>): Promise<Seconds | undefined> {
    const ref = this.#ref(object);
    let current: KubeObject = object as unknown as KubeObject;
    if (outcome.finalizer === true) current = await this.#finalize(ref, current, true);
    const { held, written } = await this.#writeStatus(key, object, outcome.status, current);
    // What this pass wrote itself is no change of somebody else's.
    current = written ?? current;
    if (outcome.finalizer === false || outcome.remove) await this.#options.beforeGone?.(object);
    if (outcome.finalizer === false) current = await this.#finalize(ref, current, false);
    if (outcome.remove) await this.#remove(ref, current);
    return held;
  }

  async #finalize(ref: ObjectRef, object: KubeObject, present: boolean): Promise<KubeObject> {
    const { client, finalizer, store } = this.#options;
    const answer = await setFinalizer(client, ref, object, finalizer, present, this.#writeSignal());
    // Gone from the API server at once when the last finalizer of a deleted object goes: the watch tells.
    if (answer !== object && (present || !object.metadata.deletionTimestamp)) store.put(asStored(answer));
    return answer;
  }

  async #remove(ref: ObjectRef, object: KubeObject): Promise<void> {
    const { uid, resourceVersion } = object.metadata;
    await this.#options.client.delete(
      ref,
      { preconditions: { uid, resourceVersion }, propagationPolicy: 'Background' },
      this.#writeSignal(),
    );
  }

  async #writeStatus(
    key: string,
    object: Obj,
    status: Status | undefined,
    current: { readonly metadata: ObjectMeta } = object,
    signal = this.#writeSignal(),
  ): Promise<{ held?: Seconds; written?: KubeObject }> {
    if (status === undefined || isDeepStrictEqual(withoutUndefined(status), object.status)) return {};
    const sinceLast = (performance.now() - (this.#writtenAt.get(key) ?? Number.NEGATIVE_INFINITY)) / 1000;
    const { progressEvery } = this.#options;
    if (sinceLast < progressEvery && !this.#options.isUrgent(object.status, status)) return { held: progressEvery - sinceLast };
    const owned = this.#options.owned?.(status) ?? status;
    const isFinal = (stored: KubeObject) => this.#options.isFinal?.(stored as unknown as Obj) ?? false;
    const answer = await applyStatus(this.#options.client, this.#ref(object), current, owned, signal, FIELD_MANAGER, isFinal);
    this.#writtenAt.set(key, performance.now());
    this.#options.store.put(asStored(answer));
    this.#options.onWritten?.(answer as unknown as Obj, object.status, status);
    return { written: answer };
  }

  /** What a pass has found out must be written even while the operator stops; the client's own time-out bounds it. */
  #writeSignal(): AbortSignal {
    return new AbortController().signal;
  }

  #schedule(key: string, next: Next, held: Seconds | undefined): void {
    this.#waits.get(key)?.();
    this.#waits.delete(key);
    if (next.kind === 'when') {
      this.#waits.set(
        key,
        this.#options.bus.subscribe(next.changed, () => this.#queue.add(key)),
      );
    }
    const after =
      next.kind === 'settled' ? held : Math.min(held ?? Number.POSITIVE_INFINITY, next.kind === 'again' ? next.after : next.orAfter);
    if (after === 0) this.#queue.add(key);
    else if (after !== undefined) this.#queue.addAfter(key, after);
  }

  async #failed(key: string, object: Obj, error: unknown, now: Date): Promise<void> {
    if (this.#stop.signal.aborted) return;
    // Somebody else wrote or deleted the object: the watch brings what is true now.
    const stale = isStatus(error, 409) || isStatus(error, 404);
    const failures = this.#failures.get(key) ?? { backoff: new Backoff({ first: 0.2, most: 30 }), count: 0, unanswered: false };
    failures.count++;
    failures.unanswered = error instanceof ApiUnreachable;
    this.#failures.set(key, failures);
    // What it waited for must not cut the delay short: the pass to come looks at everything anyway.
    this.#waits.get(key)?.();
    this.#waits.delete(key);
    const asked = error instanceof ApiError ? (error.retryAfter ?? 0) : 0;
    const retryIn = Math.max(failures.backoff.next(), asked);
    if (!stale || failures.count >= FAILURES_BEFORE_STATUS) this.#options.onError(key, error, retryIn);
    if (failures.count >= FAILURES_BEFORE_STATUS) await this.#show(object, error, now);
    this.#queue.addAfter(key, retryIn);
  }

  /** Of the object as it is known now: this pass may have written to it before it failed. */
  async #show(before: Obj, error: unknown, now: Date): Promise<void> {
    const key = keyOf(before);
    const object = this.#options.store.get(key);
    if (object?.metadata.uid !== before.metadata.uid) return;
    const status = this.#options.explain(object, error, now);
    await this.#writeStatus(key, object, status, object, AbortSignal.timeout(SHOWN_WITHIN_MILLISECONDS)).catch(() => undefined);
  }

  #forget(key: string): void {
    this.#waits.get(key)?.();
    this.#waits.delete(key);
    this.#failures.delete(key);
    this.#writtenAt.delete(key);
  }

  #ref(object: Obj): ObjectRef {
    const { name, namespace } = object.metadata;
    return { resource: this.#options.resource, name, ...(namespace ? { namespace } : {}) };
  }
}

/** As it will be read back: members that are undefined are not written. */
function withoutUndefined<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

/** Without the bookkeeping of field managers, which is often longer than the rest: as the watch keeps it. */
function asStored<Obj>(answer: KubeObject): Obj {
  const { managedFields: _, ...metadata } = answer.metadata as ObjectMeta & { readonly managedFields?: unknown };
  return { ...answer, metadata } as unknown as Obj;
}

/** `namespace/name`, the key of an object in stores and queues. */
export function keyOf(object: { readonly metadata: { readonly name: string; readonly namespace?: string } }): string {
  const { name, namespace } = object.metadata;
  return namespace ? `${namespace}/${name}` : name;
}
