import { type ConditionClaim, findCondition } from '../api/condition.ts';
import { LAST_ACTIVITY, type Session, type SessionPhase, type SessionStatus } from '../api/session.ts';
import type { IdleSignal, SessionWorkload } from '../api/session-template.ts';
import { keyOf } from '../kube/controller.ts';
import type { Pod } from '../kube/pod.ts';
import { readMillicores } from '../kube/quantity.ts';
import type { ActivityLog } from '../sessions/activity-log.ts';
import { lastActivity } from '../sessions/idle.ts';
import { judgeLife, type LifeClock, type LifeVerdict } from '../sessions/life.ts';
import type { Use } from '../sessions/life-status.ts';
import { missing, type Reading, readAnnotations, readTunnel } from '../sessions/signals.ts';
import type { StreamSpaceActivity } from '../sessions/stream-space-activity.ts';
import type { UsageWatch } from '../sessions/usage-watch.ts';
import { Ages } from './ages.ts';

/** Processor time above which a session is in use whose template does not say. */
const DEFAULT_THRESHOLD = '50m';

/** No tunnel outlives the pod. */
const AT_REST: readonly SessionPhase[] = ['Hibernating', 'Hibernated', 'Stopping', 'Stopped'];

/** Where the use of sessions is seen. */
export interface SessionLifeOptions {
  readonly activity: ActivityLog;
  readonly usage: UsageWatch;
  readonly streamSpace: StreamSpaceActivity;
}

/** What a pass over a session knows. */
export interface LifeLook {
  readonly session: Session;
  readonly desired: NonNullable<SessionStatus['desired']>;
  /** What it runs; absent while its template is. */
  readonly workload: SessionWorkload | undefined;
  /** Its newest pod. */
  readonly pod: Pod | undefined;
  readonly now: Date;
  readonly signal: AbortSignal;
}

/** What came of it. */
export interface Life extends LifeVerdict {
  readonly use: Use;
}

/** Judges the life of sessions by what is seen of their use, on clocks that nobody sets. */
export class SessionLife {
  readonly #options: SessionLifeOptions;
  readonly #ages = new Ages();

  constructor(options: SessionLifeOptions) {
    this.#options = options;
  }

  /** One look. */
  async look(look: LifeLook): Promise<Life> {
    const { session, now } = look;
    const key = keyOf(session);
    const runs = look.desired === 'Running' && session.status?.phase === 'Running' && session.metadata.deletionTimestamp === undefined;
    if (runs) this.#follow(look);
    else this.#rest(session);
    const readings = runs ? await this.#read(look) : [];
    const use: Use = { lastActivity: lastActivity(readings), usage: this.#options.usage.usage(session.metadata.name), runs };
    const age = (clock: LifeClock, since: Date) =>
      (this.#ages.now(`${key} ${clock}`, since.toISOString(), now).getTime() - since.getTime()) / 1000;
    const verdict = judgeLife({ session, desired: look.desired, readings, now, age });
    return { ...verdict, claims: readings.some(isPending) ? verdict.claims.map((claim) => knownOr(session, claim)) : verdict.claims, use };
  }

  /** The object is gone. */
  forget(session: Session): void {
    this.#rest(session);
    this.#options.activity.forget(session.metadata.name);
    for (const clock of ['use', 'run', 'rest'] satisfies LifeClock[]) this.#ages.forget(`${keyOf(session)} ${clock}`);
  }

  #follow({ session, workload, pod }: LifeLook): void {
    const { name } = session.metadata;
    const threshold = readMillicores(workload?.idle?.cpuThreshold ?? DEFAULT_THRESHOLD);
    if (pod) this.#options.usage.follow(name, { pod: pod.name, threshold, shown: session.status?.usage });
    else this.#options.usage.leave(name);
  }

  #rest({ metadata: { name }, status }: Session): void {
    this.#options.usage.leave(name);
    this.#options.streamSpace.forget(name);
    // A tunnel may be open before the status says that the session runs.
    if (status?.phase && AT_REST.includes(status.phase)) this.#options.activity.forget(name);
  }

  /** Without a template nobody knows by which signals. */
  async #read(look: LifeLook): Promise<readonly Reading[]> {
    const { workload } = look;
    if (!workload) return [];
    return Promise.all((workload.idle?.signals ?? ['Annotation']).map((each) => this.#readOne(each, look)));
  }

  async #readOne(signal: IdleSignal, { session, pod, now, signal: abort }: LifeLook): Promise<Reading> {
    const { name, namespace = '', annotations } = session.metadata;
    switch (signal) {
      case 'Annotation':
        return readAnnotations(annotations?.[LAST_ACTIVITY], pod?.session?.lastActivity, now);
      case 'CPU':
        return this.#options.usage.reading(name);
      case 'VNC':
        return readTunnel(this.#options.activity.traffic(name));
      case 'StreamSpaceSession':
        // It costs a request, which is worth nothing to a session that may be idle for ever.
        if (!session.spec?.idleTimeout) return missing(signal, 'not asked without an idleTimeout');
        return this.#options.streamSpace.read(namespace, name, now, abort);
    }
  }
}

function isPending(reading: Reading): boolean {
  return reading.kind === 'unknown' && reading.pending === true;
}

/** A process that has just started must not write over what the one before knew, only to write it again. */
function knownOr({ status }: Session, claim: ConditionClaim): ConditionClaim {
  return (claim.reason === 'SignalMissing' ? findCondition(status?.conditions, claim.type) : undefined) ?? claim;
}
