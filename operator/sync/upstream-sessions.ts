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

/** The sessions of one upstream: which of them tasks were about, and what their backend is told. */
export class UpstreamSessions {
  readonly reporter: SessionReporter;
  readonly #options: UpstreamSessionsOptions;
  /** When a task about a session arrived, to the millisecond, which objects do not tell; until its end is told. */
  readonly #arrived = new Map<string, number>();

  constructor(options: UpstreamSessionsOptions, tell: NonNullable<Backend['reportSession']>) {
    this.#options = options;
    this.reporter = new SessionReporter({ ...options, tell, commandedSince: (sessionID, since) => this.#commandedSince(sessionID, since) });
  }

  /** A task about a session arrived. */
  arrived(taskID: string): void {
    if (!this.#arrived.has(taskID)) this.#arrived.set(taskID, Date.now());
  }

  /** Tells how the session of a task stands now that the task ended. */
  async settle({ sessionID, report, recordedAt }: SessionEnding): Promise<void> {
    // A restart forgets the very time; the object tells it to the second, and telling once more than needed does no harm.
    const since = this.#arrived.get(report.taskID) ?? (recordedAt === undefined ? Date.now() : recordedAt + 1000);
    await this.reporter.settle(sessionID, since, { ...absentState(report), message: report.message });
    this.#arrived.delete(report.taskID);
  }

  #commandedSince(sessionID: string, since: number): boolean {
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
