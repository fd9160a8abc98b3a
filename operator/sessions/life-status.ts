import { isDeepStrictEqual } from 'node:util';
import { type ConditionClaim, removeCondition, setConditions } from '../api/condition.ts';
import type { Session, SessionStatus } from '../api/session.ts';
import type { Usage } from '../kube/usage.ts';
import type { Seconds } from '../lib/next.ts';
import { formatSeconds } from '../lib/time.ts';
import { isNews, usageWords } from './usage-words.ts';

/** A later last activity alone is written this often: who writes the annotation each second must not make us do so too. */
const ACTIVITY_EVERY: Seconds = 300;

/** The conditions that are there only while they say something. */
const PASSING = ['Idle', 'WakeRequested'];

/** What is known of the use of a session. */
export interface Use {
  readonly lastActivity: Date | undefined;
  readonly usage: Usage | undefined;
  /** Its pod is there: a usage that is not known now is shown as it last was. */
  readonly runs: boolean;
}

/** The status with these claims about its life, and with what is known of its use; that alone is no reason to write unless it is noticeable. */
export function withLife(session: Session, status: SessionStatus, claims: readonly ConditionClaim[], use: Use, now: Date): SessionStatus {
  const gone = PASSING.filter((type) => !claims.some((claim) => claim.type === type));
  const kept = gone.reduce(removeCondition, status.conditions ?? []);
  const conditions = setConditions(kept, claims, { now, generation: session.metadata.generation });
  const { usage, ...rest } = status;
  const shown: SessionStatus = { ...rest, ...(use.runs && usage ? { usage } : {}), conditions };
  if (isDeepStrictEqual(shown, session.status) && !isNoticeable(shown, use)) return shown;
  return {
    ...shown,
    ...(use.lastActivity ? { lastActivityTime: formatSeconds(use.lastActivity) } : {}),
    ...(use.runs && use.usage ? { usage: usageWords(use.usage) } : {}),
  };
}

function isNoticeable(shown: SessionStatus, { lastActivity, usage, runs }: Use): boolean {
  if (runs && usage && isNews(shown.usage, usage)) return true;
  if (!lastActivity) return false;
  return shown.lastActivityTime === undefined || lastActivity.getTime() - Date.parse(shown.lastActivityTime) >= ACTIVITY_EVERY * 1000;
}
