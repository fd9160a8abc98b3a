import { amountText, type Demand } from './demand.ts';

/** The most that sessions may take together. */
export interface CapacityLimits {
  /** MAX_SESSIONS. */
  readonly maxSessions: number;
  /** MAX_CPU in millicores; absent: no ceiling. */
  readonly cpu?: number;
  /** MAX_MEMORY in bytes; absent: no ceiling. */
  readonly memory?: number;
}

/** What is taken of the limits. */
export interface Taken extends Demand {
  readonly sessions: number;
}

/** Which limit leaves no room, and by which numbers. */
export interface Shortage {
  readonly setting: 'MAX_SESSIONS' | 'MAX_CPU' | 'MAX_MEMORY';
  /** Such as `100 of 100 sessions` and `63/64 cpu`. */
  readonly taken: string;
  readonly fraction: string;
  /** What one more needs of it; absent for places. */
  readonly need?: string;
  /** True: one alone needs more than there is at all. */
  readonly never: boolean;
}

/** The first limit that one more session would pass; undefined where there is room. */
export function shortageOf(limits: CapacityLimits, taken: Taken, need: Demand): Shortage | undefined {
  const { maxSessions } = limits;
  return (
    beyond(limits, 'cpu', { cpu: 0, memory: 0 }, need) ??
    beyond(limits, 'memory', { cpu: 0, memory: 0 }, need) ??
    (taken.sessions >= maxSessions
      ? {
          setting: 'MAX_SESSIONS',
          taken: `${taken.sessions} of ${maxSessions} sessions`,
          fraction: `${taken.sessions}/${maxSessions}`,
          never: maxSessions === 0,
        }
      : undefined) ??
    beyond(limits, 'cpu', taken, need) ??
    beyond(limits, 'memory', taken, need)
  );
}

function beyond(limits: CapacityLimits, of: 'cpu' | 'memory', taken: Demand, need: Demand): Shortage | undefined {
  const limit = limits[of];
  if (limit === undefined || need[of] === 0 || taken[of] + need[of] <= limit) return undefined;
  const text = (amount: number) => amountText(of, amount);
  return {
    setting: of === 'cpu' ? 'MAX_CPU' : 'MAX_MEMORY',
    taken: `${of} ${text(taken[of])} of ${text(limit)}`,
    fraction: `${text(taken[of])}/${text(limit)} ${of}`,
    need: text(need[of]),
    never: need[of] > limit,
  };
}

/** For the condition of a session that waits. */
export function waitingWords({ setting, taken, need, never }: Shortage): string {
  if (never && need) return `${setting} allows less than the ${need} it needs: ask for less, or raise ${setting}`;
  const full = need ? `${taken} (${setting}) in use, ${need} needed` : `${taken} (${setting}) are active`;
  return `${full}; it goes on as soon as another session is hibernated or stopped`;
}

/** For the refusal of an action; the StreamSpace control plane looks for `capacity n/m`. */
export function refusalWords({ setting, fraction, need, never }: Shortage): string {
  if (never && need) return `capacity ${fraction}: it needs ${need}, more than ${setting} allows at all; ask for less, or raise ${setting}`;
  const full = need ? `${setting} leaves no room for ${need} more` : `${setting} is reached`;
  return `capacity ${fraction}: ${full}; stop or hibernate a session`;
}
