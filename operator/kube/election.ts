import type { JsonObject } from '../lib/json.ts';
import type { Seconds } from '../lib/next.ts';
import { abortable, orAborted } from '../lib/wait.ts';
import type { KubeClient } from './client.ts';
import { isStatus } from './error.ts';
import { type Fence, NotLeading } from './fence.ts';
import { heldSpec, LEASE_NAME, type Lease, projectLease, releasedSpec, respect } from './lease.ts';
import type { KubeObject, ObjectRef } from './object.ts';
import { apiVersion, LEASES } from './resources.ts';
import { Store } from './store.ts';
import { Tenure } from './tenure.ts';
import type { Watches } from './watches.ts';

/** Renewed this many times in the time that the lease lasts. */
const RENEWALS = 5;
/** The holder stops acting after this part of the lease; the rest is for what is on its way, before anybody else may take over. */
const ACTING = 2 / 3;
/** A renewal or an attempt that failed is repeated after this part of the lease. */
const PAUSE = 1 / 20;
/** A Lease that others write between any two of our calls is not going to be given back. */
const RELEASE_TRIES = 3;
const GIVEN_BACK = 'the lead was given back';

/** What an election tells. */
export type ElectionNews =
  | { readonly kind: 'taken'; readonly lease: Lease }
  | { readonly kind: 'ended'; readonly reason: string; readonly givenBack: boolean }
  /** Somebody else leads; told on a change only. */
  | { readonly kind: 'leader'; readonly holder: string }
  /** The Lease could not be written; the same words are told once. */
  | { readonly kind: 'failed'; readonly error: unknown };

/** What an election works with. */
export interface ElectionOptions {
  /** Its time-out must be well below the lease. */
  readonly client: KubeClient;
  readonly watches: Watches;
  readonly namespace: string;
  /** Unlike that of any other process, also of an earlier one in the same pod. */
  readonly identity: string;
  /** How long the lead lasts without being renewed. */
  readonly seconds: Seconds;
  readonly tell: (news: ElectionNews) => void;
}

/**
 * Decides by one Lease which of several operators acts (the rules of client-go's leader election, FIELD.md M32). Every write is fenced by the
 * resource version. How old a record is, is judged by the monotonic clock from the moment it was seen to change, never by the times in it.
 */
export class Election implements Fence {
  readonly #options: ElectionOptions;
  readonly #ref: ObjectRef;
  readonly #store = new Store<Lease>(({ name: key, uid, resourceVersion }) => ({ key, uid, resourceVersion }));
  #tenure: Tenure | undefined;
  #seen = false;
  #seenAt: Seconds = Number.NEGATIVE_INFINITY;
  #respected: Seconds = 0;
  /** What our last write said, to know it when the watch shows it. */
  #renewTime: unknown;
  #failure = '';
  #news = false;
  #wake: () => void = () => undefined;

  constructor(options: ElectionOptions) {
    this.#options = options;
    this.#ref = { resource: LEASES, namespace: options.namespace, name: LEASE_NAME };
    this.#store.onChange((before, after) => this.#notice(before, after));
  }

  /** Who leads, by the Lease as it was last seen; empty: nobody. */
  get leader(): string {
    return this.#lease?.holder ?? '';
  }

  /** Whether this process leads now. */
  get leads(): boolean {
    return this.#tenure?.held === true;
  }

  get signal(): AbortSignal {
    return this.#tenure?.signal ?? AbortSignal.abort(new NotLeading('this process does not lead'));
  }

  check(): void {
    if (!this.#tenure) throw new NotLeading('this process does not lead');
    this.#tenure.check();
  }

  /**
   * Stands by, and leads whenever it can, until the signal aborts. `lead` acts for one tenure: it returns soon after the tenure's signal aborts, or the
   * given one, and has then ended everything that writes. The lead is kept until it returns, and given back at once if it is still held.
   */
  async run(lead: (tenure: Tenure) => Promise<void>, signal: AbortSignal): Promise<void> {
    const { watches, namespace, tell } = this.#options;
    const watch = { resource: LEASES, namespace, fieldSelector: `metadata.name=${LEASE_NAME}`, project: projectLease, store: this.#store };
    await orAborted(watches.start(watch), signal).catch(() => undefined);
    while (!signal.aborted) {
      const until = await this.#campaign(signal);
      if (until === undefined) return;
      const tenure = new Tenure(until);
      this.#tenure = tenure;
      tenure.signal.addEventListener('abort', () => {
        const { message: reason } = tenure.signal.reason as NotLeading;
        tell({ kind: 'ended', reason, givenBack: reason === GIVEN_BACK });
      });
      const lease = this.#lease;
      if (lease) tell({ kind: 'taken', lease });
      const acted = new AbortController();
      const renewals = this.#renew(tenure, AbortSignal.any([tenure.signal, acted.signal]));
      try {
        await lead(tenure);
      } finally {
        acted.abort();
        await renewals;
        await this.#giveBack(tenure);
        this.#tenure = undefined;
      }
    }
  }

  get #lease(): Lease | undefined {
    return this.#store.get(LEASE_NAME);
  }

  #notice(before: Lease | undefined, lease: Lease | undefined): void {
    const { identity, seconds, tell } = this.#options;
    this.#respected = respect({ lease, identity, first: !this.#seen, respected: this.#respected, own: seconds });
    this.#seen = true;
    this.#seenAt = monotonic();
    if (lease && lease.holder !== identity) {
      this.#tenure?.end(lease.holder === '' ? 'somebody has emptied the Lease' : `${lease.holder} has taken the lead`);
      if (lease.holder !== '' && lease.holder !== before?.holder) tell({ kind: 'leader', holder: lease.holder });
    }
    // Our own write, seen in the watch, is no news.
    if (lease?.holder === identity && lease.renewTime === this.#renewTime) return;
    this.#news = true;
    this.#wake();
  }

  /** Waits for the lead; returns until when it may be acted on, or undefined when the signal aborted. */
  async #campaign(signal: AbortSignal): Promise<Seconds | undefined> {
    while (!signal.aborted) {
      const wait = this.#seenAt + this.#respected - monotonic();
      const until = wait > 0 ? undefined : await this.#claim(signal);
      if (until !== undefined) return until;
      await this.#pause(Math.max(wait, this.#options.seconds * PAUSE), signal);
    }
    return undefined;
  }

  async #renew(tenure: Tenure, signal: AbortSignal): Promise<void> {
    const { seconds } = this.#options;
    for (let wait = seconds / RENEWALS; ; ) {
      await this.#pause(wait, signal);
      if (signal.aborted || !tenure.held) return;
      const until = await this.#claim(signal);
      if (until !== undefined) tenure.extend(until);
      wait = until === undefined ? seconds * PAUSE : seconds / RENEWALS;
    }
  }

  /** Writes the Lease as ours; returns until when that may be acted on, which counts from before it was sent, or undefined where it failed. */
  async #claim(signal: AbortSignal): Promise<Seconds | undefined> {
    const { client, identity, namespace, seconds, tell } = this.#options;
    this.#news = false;
    const sentAt = monotonic();
    const lease = this.#lease;
    const spec = heldSpec(lease, identity, seconds, new Date());
    this.#renewTime = spec.renewTime;
    try {
      if (lease) await this.#patch(lease, spec, signal);
      else {
        const object: JsonObject = { apiVersion: apiVersion(LEASES), kind: LEASES.kind, metadata: { name: LEASE_NAME, namespace }, spec };
        this.#take(await client.create(LEASES, namespace, object, signal));
      }
      this.#failure = '';
      // The watch may have gone past our write before its answer came.
      return this.leader === identity ? sentAt + seconds * ACTING : undefined;
    } catch (error) {
      if (signal.aborted) return undefined;
      const message = error instanceof Error ? error.message : String(error);
      if (isOvertaken(error)) await this.#refresh(signal);
      else if (message !== this.#failure) tell({ kind: 'failed', error });
      if (!isOvertaken(error)) this.#failure = message;
      return undefined;
    }
  }

  /** So that a standby need not wait until the lease runs out. */
  async #giveBack(tenure: Tenure): Promise<void> {
    const { held } = tenure;
    tenure.end(GIVEN_BACK);
    const { signal } = new AbortController();
    for (let tries = 1; held && tries <= RELEASE_TRIES; tries++) {
      const lease = this.#lease;
      if (lease?.holder !== this.#options.identity) return;
      try {
        return await this.#patch(lease, releasedSpec(new Date()), signal);
      } catch (error) {
        if (!isOvertaken(error)) return this.#options.tell({ kind: 'failed', error });
        await this.#refresh(signal);
      }
    }
  }

  async #patch({ resourceVersion }: Lease, spec: JsonObject, signal: AbortSignal): Promise<void> {
    this.#take(await this.#options.client.patch(this.#ref, 'merge', { metadata: { resourceVersion }, spec }, signal));
  }

  #take(answer: KubeObject): void {
    this.#store.put(projectLease(answer as unknown as JsonObject));
  }

  /** Looks at what others have made of the Lease; by a list of one, because a watcher has the right to list anyway, and no other need to get. */
  async #refresh(signal: AbortSignal): Promise<void> {
    const { client, namespace } = this.#options;
    try {
      const page = await client.list(LEASES, namespace, { fieldSelector: `metadata.name=${LEASE_NAME}` }, signal);
      this.#store.replace(page.items.map(projectLease), page.metadata.resourceVersion);
    } catch {
      // The watch tells, or the next attempt.
    }
  }

  /** Waits, or until the Lease is changed by somebody else. */
  async #pause(seconds: Seconds, signal: AbortSignal): Promise<void> {
    const missed = this.#news;
    this.#news = false;
    if (missed) return;
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await abortable(seconds, AbortSignal.any([signal, woken.signal]));
  }
}

/** Somebody else changed or deleted the Lease since we saw it. */
function isOvertaken(error: unknown): boolean {
  return isStatus(error, 409) || isStatus(error, 404);
}

function monotonic(): Seconds {
  return performance.now() / 1000;
}
