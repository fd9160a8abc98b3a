import type { OptimizationAction } from '../api/optimization-action.ts';
import type { Backend, SessionFacts } from '../backends/backend.ts';
import type { Store } from '../kube/store.ts';
import type { SessionEnding } from './reporter.ts';
import { SessionReporter, type SessionReporterOptions } from './session-reporter.ts';

/** What the sessions of one upstream work with. */
export interface UpstreamSessionsOptions extends Omit<SessionReporterOptions, 'tell' | 'commandedSince'> {
  readonly backend: Backend;
  readonly actions: Store<OptimizationAction>;
}

/** The sessions of one upstream: which of them tasks were about, and what their backend is told. Undefined where the backend runs no sessions. */
export class UpstreamSessions {
  readonly reporter: SessionReporter;
  readonly #options: UpstreamSessionsOptions;
  /** When the newest task about a session arrived, to the millisecond, which objects do not tell. */
  readonly #arrived = new Map<string, number>();

  constructor(options: UpstreamSessionsOptions, tell: NonNullable<Backend['reportSession']>) {
    this.#options = options;
    this.reporter = new SessionReporter({ ...options, tell, commandedSince: (sessionID, since) => this.#commandedSince(sessionID, since) });
  }

  /** A task about this session arrived. */
  arrived(sessionID: string): void {
    this.#arrived.set(sessionID, Date.now());
  }

  /** Tells how the session of a task stands now that the task ended. */
  async settle({ sessionID, report, recordedAt }: SessionEnding): Promise<void> {
    // A restart forgets the very time; the object tells it to the second, and telling once more than needed does no harm.
    const since = this.#arrived.get(sessionID) ?? (recordedAt === undefined ? Date.now() : recordedAt + 1000);
    await this.reporter.settle(sessionID, since, { ...absentState(report), message: report.message });
    if (this.#arrived.get(sessionID) === since) this.#arrived.delete(sessionID);
  }

  #commandedSince(sessionID: string, since: number): boolean {
    if ((this.#arrived.get(sessionID) ?? 0) >= since) return true;
    for (const { metadata, spec, status } of this.#options.actions.values()) {
      if (spec?.source?.backend !== this.#options.name || spec.source.sessionID !== sessionID) continue;
      if (status?.finishedAt === undefined || Date.parse(metadata.creationTimestamp ?? '') >= since) return true;
    }
    return false;
  }
}

/** What the end of a task says about a session that has no object. */
function absentState({ action, outcome, reason }: SessionEnding['report']): Pick<SessionFacts, 'state'> {
  if (outcome === 'Succeeded' || reason === 'TargetNotFound') return { state: 'Stopped' };
  return action === 'SessionStart' ? { state: 'Failed' } : {};
}
