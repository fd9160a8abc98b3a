import type { PodUsage, Usage, UsageReader } from '../kube/usage.ts';
import type { Seconds } from '../lib/next.ts';
import { missing, type Reading } from './signals.ts';
import { isNews, type ShownUsage } from './usage-words.ts';

/** One list for all sessions, this often: metrics-server measures every 15 s, and nobody hibernates by the second. */
const EVERY: Seconds = 60;
/** Sessions that begin to run together share the first list. */
const FIRST_AFTER: Seconds = 1;
/** What came between two measurements that are further apart is not known. */
const GAP: Seconds = 180;

/** What the watch works with. */
export interface UsageWatchOptions {
  readonly reader: Pick<UsageReader<PodUsage>, 'read' | 'trouble'>;
  readonly clock: () => Date;
  /** Milliseconds that nobody sets; default those of this process. */
  readonly steady?: () => number;
  /** Told of a session whose status should show something else, or whose processor time can be judged now. */
  readonly onNews: (session: string) => void;
  readonly onError: (error: unknown) => void;
}

/** A session that runs, as far as its use is looked at. */
export interface Followed {
  readonly pod: string;
  /** Millicores above which it counts as used. */
  readonly threshold: number;
  /** What its status shows. */
  readonly shown: ShownUsage | undefined;
}

interface Measured {
  readonly pod: string;
  readonly use: PodUsage;
  /** By the steady clock. */
  readonly at: number;
  /** Above the threshold: when last; never: since when it was looked at without a gap. */
  readonly since: Date;
  readonly busy: boolean;
}

/** Follows what the pods of running sessions use, by one list a minute for all of them; without running sessions it asks nothing. */
export class UsageWatch {
  readonly #options: UsageWatchOptions;
  readonly #steady: () => number;
  readonly #followed = new Map<string, Followed>();
  readonly #measured = new Map<string, Measured>();
  readonly #stop = new AbortController();
  /** What the last look came to, in words; undefined before the first. */
  #trouble: string | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: UsageWatchOptions) {
    this.#options = options;
    this.#steady = options.steady ?? (() => performance.now());
  }

  /** The session runs in this pod: it is looked at from now on. */
  follow(session: string, followed: Followed): void {
    this.#followed.set(session, followed);
    if (this.#measured.get(session)?.pod !== followed.pod) this.#measured.delete(session);
    this.#timer ??= this.#lookAfter(FIRST_AFTER);
  }

  /** The session does not run. */
  leave(session: string): void {
    this.#followed.delete(session);
    this.#measured.delete(session);
  }

  /** What it uses, as lately measured. */
  usage(session: string): Usage | undefined {
    return this.#fresh(session)?.use;
  }

  /** Whether it was used, by its processor time. */
  reading(session: string): Reading {
    const measured = this.#fresh(session);
    if (!measured) {
      const reading = missing('CPU', this.#trouble || 'metrics.k8s.io has no recent figures of its pod');
      return this.#trouble === undefined ? { ...reading, pending: true } : reading;
    }
    const { busy, since } = measured;
    return busy ? { kind: 'used', signal: 'CPU', at: since } : { kind: 'quiet', signal: 'CPU', since };
  }

  /** Looks no more. */
  close(): void {
    this.#stop.abort();
    clearTimeout(this.#timer);
  }

  #fresh(session: string): Measured | undefined {
    const measured = this.#measured.get(session);
    return measured && this.#steady() - measured.at <= GAP * 1000 ? measured : undefined;
  }

  #lookAfter(seconds: Seconds): NodeJS.Timeout {
    return setTimeout(() => void this.#tick(), seconds * 1000).unref();
  }

  async #tick(): Promise<void> {
    await this.#look().catch((error: unknown) => this.#options.onError(error));
    if (this.#stop.signal.aborted) return;
    this.#timer = this.#followed.size > 0 ? this.#lookAfter(EVERY) : undefined;
  }

  async #look(): Promise<void> {
    if (this.#followed.size === 0) return;
    const use = await this.#options.reader.read(this.#options.clock(), this.#stop.signal);
    for (const [session, followed] of this.#followed) {
      const now = use?.get(followed.pod);
      if (now) this.#take(session, followed, now);
    }
    const { trouble } = this.#options.reader;
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    // What they say of their missing figures is another thing now.
    for (const session of this.#followed.keys()) if (!this.#fresh(session)) this.#options.onNews(session);
  }

  #take(session: string, { pod, threshold, shown }: Followed, use: PodUsage): void {
    const known = this.#measured.get(session);
    // The same measurement once more is no measurement: what it tells is getting old.
    if (known?.use.measured === use.measured) return;
    const before = this.#fresh(session);
    const busy = use.cpuMillicores > threshold;
    const now = this.#options.clock();
    const since = busy || !before ? { since: now, busy } : { since: before.since, busy: before.busy };
    this.#measured.set(session, { pod, use, at: this.#steady(), ...since });
    if (!before || isNews(shown, use)) this.#options.onNews(session);
  }
}
