import { type ConditionClaim, findCondition, setCondition } from '../api/condition.ts';
import { SESSIONS, type Session, sessionIDOf } from '../api/session.ts';
import { type Backend, BackendError, type SessionFacts } from '../backends/backend.ts';
import type { KubeClient } from '../kube/client.ts';
import { keyOf } from '../kube/controller.ts';
import { isStatus } from '../kube/error.ts';
import { applyStatus } from '../kube/status.ts';
import type { Store } from '../kube/store.ts';
import { WorkQueue } from '../kube/work-queue.ts';
import { Backoff } from '../lib/backoff.ts';
import type { Seconds } from '../lib/next.ts';
import { REPORT_MANAGER } from './reporter.ts';
import { sessionFacts } from './session-facts.ts';

/** Sessions that are told of at the same time. */
const WIDTH = 8;
/** When what did not change is told again after a reconnect: its backend repeats a lost stop within 6 min (streamspace.md 3.2). */
const RESYNC_AFTER: Seconds = 390;
/** How long a deleted Session may wait for its last word. */
const LAST_WORD_SECONDS: Seconds = 5;

/** What the reports about the sessions of one backend work with. */
export interface SessionReporterOptions {
  readonly name: string;
  readonly tell: NonNullable<Backend['reportSession']>;
  readonly client: KubeClient;
  readonly store: Store<Session>;
  /** Whether a task about this session arrived after that time or is still being carried out: its end tells the state. */
  readonly commandedSince: (sessionID: string, since: number) => boolean;
  /** Default RESYNC_AFTER. */
  readonly resyncAfter?: Seconds;
  readonly onFailure: (sessionID: string, error: unknown, retryIn: Seconds) => void;
}

/** What was told of a session, and when, in milliseconds. */
interface Told {
  readonly state: NonNullable<SessionFacts['state']>;
  readonly podName?: string;
  readonly at: number;
}

/**
 * Tells a backend each settled state of its sessions, once: what was told counts as use of the session there. The Sessions are the outbox, so that nothing
 * is lost with a connection, a process or the lead. What a task was about is told again when it ends, because the backend has moved its own record meanwhile.
 */
export class SessionReporter {
  readonly #options: SessionReporterOptions;
  readonly #queue: WorkQueue;
  /** By UID; newer than what the status says while that is on its way. */
  readonly #told = new Map<string, Told>();
  /** What was told before this time counts as not told, by key. */
  readonly #renewed = new Map<string, number>();
  /** Deleted while nobody could be told, by session id. */
  readonly #gone = new Map<string, SessionFacts>();
  readonly #tails = new Map<string, Promise<void>>();
  readonly #backoffs = new Map<string, Backoff>();
  readonly #stop = new AbortController();
  /** When the connection that stands, or the last one, was opened. */
  #connectedAt: number | undefined;
  #resync: NodeJS.Timeout | undefined;

  constructor(options: SessionReporterOptions) {
    this.#options = options;
    this.#queue = new WorkQueue({ width: WIDTH, handle: (key) => this.#deliver(key) });
    this.#queue.open();
  }

  /** Sessions whose state their backend does not know. */
  get lag(): number {
    let lag = this.#gone.size;
    for (const session of this.#own()) if (this.#due(session, sessionFacts(session))) lag++;
    return lag;
  }

  /** Looks at a Session that is new, has changed or is gone. */
  notice(before: Session | undefined, after: Session | undefined): void {
    const session = after ?? before;
    // The first connection looks at all of them.
    if (!session || !this.#isOwn(session) || this.#connectedAt === undefined) return;
    if (!after) void this.lastWord(session);
    else if (this.#due(after, sessionFacts(after)) || this.#lagging(after)) this.#queue.add(keyOf(after));
  }

  /** A connection was opened: what is not known there goes out now, and everything else once when lost tasks must have been repeated. */
  connected(): void {
    this.#connectedAt = Date.now();
    this.#backoffs.clear();
    for (const session of this.#own()) if (this.#due(session, sessionFacts(session))) this.#queue.add(keyOf(session));
    for (const sessionID of this.#gone.keys()) this.#queue.add(goneKey(sessionID));
    clearTimeout(this.#resync);
    const { resyncAfter = RESYNC_AFTER } = this.#options;
    this.#resync = setTimeout(() => this.#tellAll(), resyncAfter * 1000);
    this.#resync.unref();
  }

  /** Tells how the session of a task stands now that it ended, unless that was told after `since`; rejects where nobody could be told. */
  async settle(sessionID: string, since: number, absent: Pick<SessionFacts, 'state' | 'message'>): Promise<void> {
    const session = this.#find(sessionID);
    if (session) return this.#exclusive(keyOf(session), () => this.#tell(keyOf(session), since));
    const { state, message } = absent;
    if (state) await this.#options.tell({ sessionID, state, active: false, message }, this.#stop.signal);
  }

  /** Tells that a Session which is about to be gone has ended; resolves soon in any case. Where nobody can be told, it is kept until somebody can. */
  async lastWord(session: Session): Promise<void> {
    if (this.#isOwn(session)) await this.#exclusive(keyOf(session), () => this.#sayLast(session));
  }

  /** Lets what is on its way be told, for at most this long, and starts no more. */
  async close(within: Seconds): Promise<void> {
    clearTimeout(this.#resync);
    const timer = setTimeout(() => this.#stop.abort(new Error('the operator is stopping')), within * 1000);
    await this.#queue.close();
    clearTimeout(timer);
  }

  async #sayLast(session: Session): Promise<void> {
    if (this.#toldOf(session)?.state === 'Stopped') return;
    const facts: SessionFacts = { sessionID: sessionIDOf(session), state: 'Stopped', active: false, message: 'the Session was deleted' };
    this.#told.set(session.metadata.uid, { state: 'Stopped', at: Date.now() });
    try {
      await this.#options.tell(facts, AbortSignal.any([this.#stop.signal, AbortSignal.timeout(LAST_WORD_SECONDS * 1000)]));
    } catch (error) {
      this.#gone.set(facts.sessionID, facts);
      this.#retry(goneKey(facts.sessionID), facts.sessionID, error);
    }
  }

  #tellAll(): void {
    const since = this.#connectedAt ?? 0;
    for (const session of this.#own()) {
      if (this.#options.commandedSince(sessionIDOf(session), since)) continue;
      this.#renewed.set(keyOf(session), since);
      this.#queue.add(keyOf(session));
    }
  }

  async #deliver(key: string): Promise<void> {
    const facts = this.#gone.get(key.slice(GONE.length));
    const sessionID = facts?.sessionID ?? this.#sessionID(key);
    try {
      if (key.startsWith(GONE)) await this.#deliverGone(key, facts);
      else await this.#exclusive(key, () => this.#tell(key, this.#renewed.get(key)));
      this.#renewed.delete(key);
      this.#backoffs.delete(key);
    } catch (error) {
      this.#retry(key, sessionID, error);
    }
  }

  async #deliverGone(key: string, facts: SessionFacts | undefined): Promise<void> {
    // A new session of that id speaks for itself.
    if (facts && !this.#find(facts.sessionID)) await this.#options.tell(facts, this.#stop.signal);
    this.#gone.delete(key.slice(GONE.length));
  }

  async #tell(key: string, since: number | undefined): Promise<void> {
    const seen = this.#options.store.get(key);
    if (!seen || !this.#isOwn(seen)) return;
    let session: Session | undefined = seen;
    if (this.#due(seen, sessionFacts(seen), since)) {
      // A `running` that comes too late brings back to life what was ended: the watch alone may be behind.
      session = await this.#read(seen);
      const facts = session && sessionFacts(session);
      if (!session || !facts?.state) return;
      if (this.#due(session, facts, since)) await this.#send(session, facts, facts.state);
    }
    if (this.#lagging(session)) await this.#note(session);
  }

  async #send(session: Session, facts: SessionFacts, state: Told['state']): Promise<void> {
    try {
      await this.#options.tell(facts, this.#stop.signal);
    } catch (error) {
      const about = findCondition(session.status?.conditions, 'Reported');
      if (about?.status !== 'False' && !this.#stop.signal.aborted) {
        const message = `the backend could not be told ${state}: ${error instanceof Error ? error.message : String(error)}`;
        await this.#write(session, { type: 'Reported', status: 'False', reason: 'Unreachable', message }, session.status?.reported);
      }
      throw error;
    }
    this.#told.set(session.metadata.uid, { state, at: Date.now(), ...(facts.podName ? { podName: facts.podName } : {}) });
  }

  async #note(session: Session): Promise<void> {
    const told = this.#told.get(session.metadata.uid);
    if (!told) return;
    const { state, podName, at } = told;
    const claim = { type: 'Reported', status: 'True' as const, reason: 'Taken', message: `the backend was told ${state}` };
    await this.#write(session, claim, { state, ...(podName ? { podName } : {}), at: new Date(at).toISOString() });
  }

  async #write(session: Session, claim: ConditionClaim, reported: NonNullable<Session['status']>['reported']): Promise<void> {
    const { client, store } = this.#options;
    const { name, namespace, generation } = session.metadata;
    const known = session.status?.conditions?.filter(({ type }) => type === 'Reported');
    const conditions = setCondition(known, claim, { now: new Date(), generation });
    const ref = { resource: SESSIONS, name, ...(namespace ? { namespace } : {}) };
    const status = { conditions, ...(reported ? { reported } : {}) };
    try {
      const answer = await applyStatus(client, ref, session, status, AbortSignal.timeout(30_000), REPORT_MANAGER);
      store.put(answer as unknown as Session);
    } catch (error) {
      // Deleted or replaced meanwhile: there is nothing left to note it on.
      if (!isStatus(error, 404) && !isStatus(error, 409)) throw error;
    }
  }

  async #read({ metadata }: Session): Promise<Session | undefined> {
    const { client, store } = this.#options;
    const page = await client.list(SESSIONS, metadata.namespace, { fieldSelector: `metadata.name=${metadata.name}` }, this.#stop.signal);
    const [session] = page.items as unknown as readonly Session[];
    if (session?.metadata.uid !== metadata.uid) return undefined;
    store.put(session);
    return session;
  }

  #due(session: Session, { state, podName }: SessionFacts, since = 0): boolean {
    if (!state) return false;
    const told = this.#toldOf(session);
    if (!told || told.state !== state || (state === 'Running' && told.podName !== podName)) return true;
    return told.at < since;
  }

  /** Whether the object does not show yet what was told. */
  #lagging({ metadata, status }: Session): boolean {
    const told = this.#told.get(metadata.uid);
    return (
      told !== undefined && metadata.deletionTimestamp === undefined && told.at > Date.parse(status?.reported?.at ?? '1970-01-01T00:00:00Z')
    );
  }

  #toldOf({ metadata, status }: Session): Told | undefined {
    const { reported } = status ?? {};
    const stored = reported && { ...reported, state: reported.state as Told['state'], at: Date.parse(reported.at) };
    const own = this.#told.get(metadata.uid);
    return own && (!stored || own.at >= stored.at) ? own : (stored as Told | undefined);
  }

  #retry(key: string, sessionID: string, error: unknown): void {
    if (this.#stop.signal.aborted) return;
    // Without a connection there is nothing to try until there is one.
    const away = error instanceof BackendError && error.status === 0;
    const backoff = this.#backoffs.get(key) ?? new Backoff();
    this.#backoffs.set(key, backoff);
    const retryIn = Math.max(backoff.next(), error instanceof BackendError ? (error.retryAfter ?? 0) : 0);
    if (away) return;
    this.#options.onFailure(sessionID, error, retryIn);
    this.#queue.addAfter(key, retryIn);
  }

  /** One word about a session at a time. */
  async #exclusive(key: string, act: () => Promise<void>): Promise<void> {
    const turn = (this.#tails.get(key) ?? Promise.resolve()).then(act);
    const tail = turn.catch(() => undefined).finally(() => this.#tails.get(key) === tail && this.#tails.delete(key));
    this.#tails.set(key, tail);
    return turn;
  }

  #find(sessionID: string): Session | undefined {
    for (const session of this.#own()) if (sessionIDOf(session) === sessionID) return session;
    return undefined;
  }

  #sessionID(key: string): string {
    const session = this.#options.store.get(key);
    return session ? sessionIDOf(session) : key;
  }

  *#own(): Generator<Session> {
    for (const session of this.#options.store.values()) if (this.#isOwn(session)) yield session;
  }

  #isOwn({ spec }: Session): boolean {
    return spec?.backendRef?.name === this.#options.name;
  }
}

const GONE = 'gone:';

function goneKey(sessionID: string): string {
  return `${GONE}${sessionID}`;
}
