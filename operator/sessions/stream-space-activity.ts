import type { KubeClient } from '../kube/client.ts';
import { ApiError, ApiUnreachable, isStatus } from '../kube/error.ts';
import type { Resource } from '../kube/object.ts';
import type { Seconds } from '../lib/next.ts';
import { missing, type Reading } from './signals.ts';
import { AHEAD, pastTime } from './told-time.ts';

/** The control plane's own object of a session, where it has access to the cluster. */
const STREAM_SPACE_SESSIONS: Resource = {
  group: 'stream.space',
  version: 'v1alpha1',
  plural: 'sessions',
  kind: 'Session',
  namespaced: true,
};

const SIGNAL = 'StreamSpaceSession';
const TAKE_OUT = `or take ${SIGNAL} out of idle.signals`;
/** What is not there is looked for again after this. */
const ASK_AGAIN_AFTER: Seconds = 600;
/** Passes that follow each other closely share one answer. */
const FRESH_MILLISECONDS = 5000;

/** What it works with. */
export interface StreamSpaceActivityOptions {
  readonly client: Pick<KubeClient, 'get'>;
  /** Milliseconds that nobody sets; default those of this process. */
  readonly steady?: () => number;
}

interface Answer {
  readonly reading: Reading;
  readonly goodUntil: number;
}

/** Reads `status.lastActivity` of the sessions.stream.space object of the same name: only when asked, once before each decision. */
export class StreamSpaceActivity {
  readonly #client: Pick<KubeClient, 'get'>;
  readonly #steady: () => number;
  readonly #answers = new Map<string, Answer>();
  #absent: Answer | undefined;

  constructor({ client, steady }: StreamSpaceActivityOptions) {
    this.#client = client;
    this.#steady = steady ?? (() => performance.now());
  }

  /** What the object of this name says; never throws for an answer of the API server. */
  async read(namespace: string, name: string, now: Date, signal: AbortSignal): Promise<Reading> {
    const steady = this.#steady();
    const known = [this.#absent, this.#answers.get(name)].find((answer) => answer && steady < answer.goodUntil);
    if (known) return known.reading;
    const reading = await this.#ask(namespace, name, now, signal);
    const good = reading.kind === 'unknown' ? ASK_AGAIN_AFTER * 1000 : FRESH_MILLISECONDS;
    this.#answers.set(name, { reading, goodUntil: steady + good });
    return reading;
  }

  /** The session does not run. */
  forget(name: string): void {
    this.#answers.delete(name);
  }

  async #ask(namespace: string, name: string, now: Date, signal: AbortSignal): Promise<Reading> {
    try {
      const object = await this.#client.get({ resource: STREAM_SPACE_SESSIONS, namespace, name }, signal);
      return lastActivityOf(name, object.status?.lastActivity, now);
    } catch (error) {
      if (!(error instanceof ApiError || error instanceof ApiUnreachable)) throw error;
      const noKind = isStatus(error, 404) && error.reason !== 'NotFound';
      const reading = later(noKind ? `the cluster has no sessions.stream.space: install its CRD, ${TAKE_OUT}` : wordsOf(error));
      // Nobody need ask for another name then.
      if (noKind) this.#absent = { reading, goodUntil: this.#steady() + ASK_AGAIN_AFTER * 1000 };
      return reading;
    }
  }
}

function lastActivityOf(name: string, value: unknown, now: Date): Reading {
  const where = `status.lastActivity of sessions.stream.space ${name}`;
  if (typeof value !== 'string') return later(`${where} is not there: let the control plane write it, ${TAKE_OUT}`);
  const told = pastTime(value, now, AHEAD);
  return 'problem' in told ? later(`${where} ${told.problem}`) : { kind: 'used', signal: SIGNAL, at: told.at };
}

function wordsOf(error: ApiError | ApiUnreachable): string {
  return isStatus(error, 403) ? `${error.message}: apply config/rbac-stream-space, ${TAKE_OUT}` : error.message;
}

/** Nothing tells when it comes, so it is asked again. */
function later(message: string): Reading {
  return { ...missing(SIGNAL, message), askAgainAfter: ASK_AGAIN_AFTER };
}
