import type { Session } from '../api/session.ts';
import type { SessionRequest, SessionState } from '../api/session-spec.ts';
import { keyOf } from '../kube/controller.ts';
import type { Seconds } from '../lib/next.ts';
import type { Admission } from './decisions.ts';
import { type Demand, NO_DEMAND, plus } from './demand.ts';
import { FairQueue } from './fair-queue.ts';
import { type CapacityLimits, refusalWords, type Shortage, shortageOf, waitingWords } from './room.ts';
import { isActive, isLeaving, isStarting, isWanting, type WAITING_REASONS, waitingSince } from './standing.ts';

/**
 * Starts and wakes under way at once, in the whole namespace. Each is some ten writes of ours and of the cluster's controllers, a place in the
 * scheduler, a volume to attach and an image to pull: twenty keep a cluster busy, and a hundred at once only make each other late.
 */
export const MAX_STARTING = 20;
/** How long an accepted start may take until its Session is seen: the time for some requests that are tried again. */
const PROMISE_SECONDS: Seconds = 60;

/** What the capacity knows of the world. */
export interface CapacityOptions {
  readonly limits: CapacityLimits;
  /** Default MAX_STARTING. */
  readonly maxStarting?: number;
  /** What the session should be now, overrides included. */
  readonly desired: (session: Session) => SessionState;
  /** What one takes, with the template that its name refers to. */
  readonly demand: (request: Pick<SessionRequest, 'resources' | 'template' | 'templateRef'>) => Demand;
  /** Whether its pod runs or is about to, though the status of the session does not say so yet: it was adopted, or lost its status. */
  readonly isUp: (session: Session) => boolean;
  /** A session that may have waited should be looked at again: it may become active, or needs more than there can ever be. */
  readonly onTurn: (key: string) => void;
  /** A clock for accepted starts. Default: a monotonic one. */
  readonly clock?: () => Seconds;
}

interface Entry {
  readonly session: Session;
  /** `too large`: waits for a change of itself or of its template, not for room. */
  readonly standing: 'idle' | 'waiting' | 'too large' | 'granted' | 'active';
  readonly starting: boolean;
  /** Its pod may be there. */
  readonly present: boolean;
  readonly demand: Demand;
}

/**
 * Who may become active: an index over the Sessions, kept up to date by their changes. It decides from the objects alone, and what it granted
 * counts from then on, so that a session which becomes active takes the place it was given. A restart begins with what the objects say.
 */
export class Capacity {
  readonly #options: CapacityOptions;
  readonly #maxStarting: number;
  readonly #clock: () => Seconds;
  readonly #entries = new Map<string, Entry>();
  readonly #queue = new FairQueue();
  /** Starts that were not refused and whose Session does not show it yet, the oldest first. */
  readonly #promises = new Map<string, { readonly demand: Demand; readonly until: Seconds }>();
  /** Active and granted ones. */
  #active = 0;
  #starting = 0;
  #used = NO_DEMAND;
  /** What those that wait, and those that were promised, will take. */
  #claimed = NO_DEMAND;

  constructor(options: CapacityOptions) {
    this.#options = options;
    this.#maxStarting = options.maxStarting ?? MAX_STARTING;
    this.#clock = options.clock ?? (() => performance.now() / 1000);
  }

  /** How many sessions take a place of MAX_SESSIONS now. */
  get active(): number {
    return this.#active;
  }

  /** How many wait for room or for their turn. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** Takes all sessions that are there and then lets in whom there is room for; changes before this are not noticed. */
  open(sessions: Iterable<Session>): void {
    for (const session of sessions) this.#see(session, false);
    this.#grant();
  }

  /** Takes a change of a session. */
  notice(before: Session | undefined, after: Session | undefined): void {
    if (after) this.#see(after, false);
    else if (before) this.#put(keyOf(before), undefined);
    this.#grant();
  }

  /** Whether this session, which is not active, may become so; what waits is told by `onTurn` when it may. */
  admission(session: Session): Admission {
    const key = keyOf(session);
    this.#see(session, true);
    this.#grant(key);
    const entry = this.#entries.get(key);
    if (!entry || entry.standing === 'granted' || entry.standing === 'active') return { kind: 'admitted' };
    // Where there is room for itself it waits behind somebody for whom there is none.
    const shortage = this.#shortage(entry) ?? this.#shortageOfFirst();
    if (shortage) return waits('CapacityReached', waitingWords(shortage));
    const message = `${this.#maxStarting} sessions start or wake already (at most so many at once); it goes on when its turn comes`;
    return waits('StartQueued', message);
  }

  /**
   * Why a session that is not active may not become so, in words for the one who asked for it; undefined where it may. Those that were claimed and
   * those that wait come first.
   */
  refusal(key: string, request: SessionRequest | undefined): string | undefined {
    this.#expirePromises();
    const entry = this.#entries.get(key);
    if (entry && entry.standing !== 'idle') {
      const shortage = entry.standing === 'granted' || entry.standing === 'active' ? undefined : this.#shortage(entry);
      return shortage && refusalWords(shortage);
    }
    if (this.#promises.has(key)) return undefined;
    const claims = { ...plus(this.#used, this.#claimed), sessions: this.#active + this.#queue.size + this.#promises.size };
    const shortage = shortageOf(this.#options.limits, claims, this.#demandOf(entry, request));
    return shortage && refusalWords(shortage);
  }

  /** A session is being asked to become active: it has its place until its object shows that, or that did not come to pass. */
  claim(key: string, request: SessionRequest | undefined): void {
    const entry = this.#entries.get(key);
    if (entry && entry.standing !== 'idle') return;
    this.#promise(key, { demand: this.#demandOf(entry, request), until: this.#clock() + PROMISE_SECONDS });
  }

  #demandOf(entry: Entry | undefined, request: SessionRequest | undefined): Demand {
    const asked = request ?? entry?.session.spec;
    return asked ? this.#options.demand(asked) : NO_DEMAND;
  }

  #see(session: Session, asked: boolean): void {
    const key = keyOf(session);
    const before = this.#entries.get(key);
    const active = isActive(session) || (session.status?.phase === undefined && this.#options.isUp(session));
    const wants = !active && (asked || isWanting(session, this.#options.desired(session)));
    const kept = before?.standing === 'granted' ? 'granted' : 'waiting';
    // A change of the template reaches a session at its next start: what is active takes what it was let in with.
    const held = before && (before.present || before.standing === 'granted') ? before : undefined;
    const isSame = held?.session.metadata.generation === session.metadata.generation;
    this.#put(key, {
      session,
      standing: active ? 'active' : wants ? kept : 'idle',
      starting: isStarting(session),
      present: active || isLeaving(session),
      demand: held && isSame ? held.demand : this.#options.demand(session.spec ?? {}),
    });
    if (active || wants) this.#promise(key, undefined);
  }

  /** Lets in who is next, one after the other, as long as there is room: never somebody smaller or later instead, so that nobody is left out. */
  #grant(asking?: string): void {
    for (let next = this.#first(); next; next = this.#first()) {
      const { key, entry } = next;
      const shortage = this.#shortage(entry);
      if (shortage && !shortage.never) return;
      if (!shortage && this.#starting >= this.#maxStarting) return;
      this.#put(key, { ...entry, standing: shortage ? 'too large' : 'granted' });
      if (key !== asking) this.#options.onTurn(key);
    }
  }

  /** Who is next, with what it takes now: its template may have changed while it waited. */
  #first(): { readonly key: string; readonly entry: Entry } | undefined {
    const key = this.#queue.first?.key;
    const entry = key === undefined ? undefined : this.#entries.get(key);
    if (key === undefined || !entry) return undefined;
    const demand = entry.present ? entry.demand : this.#options.demand(entry.session.spec ?? {});
    if (demand.cpu === entry.demand.cpu && demand.memory === entry.demand.memory) return { key, entry };
    const now = { ...entry, demand };
    this.#put(key, now);
    return { key, entry: now };
  }

  #shortageOfFirst(): Shortage | undefined {
    const first = this.#first();
    return first && this.#shortage(first.entry);
  }

  #shortage({ demand, present }: Entry): Shortage | undefined {
    return shortageOf(this.#options.limits, { ...this.#used, sessions: this.#active }, present ? NO_DEMAND : demand);
  }

  #put(key: string, after: Entry | undefined): void {
    const before = this.#entries.get(key);
    if (before) this.#count(key, before, -1);
    if (after) this.#entries.set(key, after);
    else this.#entries.delete(key);
    if (after) this.#count(key, after, 1);
  }

  #count(key: string, { session, standing, starting, present, demand }: Entry, by: 1 | -1): void {
    const user = session.spec?.user ?? '';
    const seated = standing === 'active' || standing === 'granted';
    if (seated || present) this.#used = plus(this.#used, demand, by);
    if (seated) {
      this.#active += by;
      this.#queue.load(user, by);
    }
    if (starting || standing === 'granted') this.#starting += by;
    if (standing !== 'waiting') return;
    if (!present) this.#claimed = plus(this.#claimed, demand, by);
    if (by === 1) this.#queue.add({ key, user, since: waitingSince(session) });
    else this.#queue.remove(key);
  }

  #promise(key: string, promise: { readonly demand: Demand; readonly until: Seconds } | undefined): void {
    const before = this.#promises.get(key);
    if (before) this.#claimed = plus(this.#claimed, before.demand, -1);
    this.#promises.delete(key);
    if (!promise) return;
    this.#promises.set(key, promise);
    this.#claimed = plus(this.#claimed, promise.demand);
  }

  #expirePromises(): void {
    const now = this.#clock();
    for (const [key, { until }] of this.#promises) {
      if (until > now) return;
      this.#promise(key, undefined);
    }
  }
}

/** Who waits is told by `onTurn`. */
function waits(reason: (typeof WAITING_REASONS)[number], message: string): Admission {
  return { kind: 'waits', reason, message, next: { kind: 'settled' } };
}
