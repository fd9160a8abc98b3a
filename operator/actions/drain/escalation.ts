import { z } from 'zod';
import type { Pod } from '../../kube/pod.ts';
import type { JsonObject, JsonValue } from '../../lib/json.ts';
import type { Seconds } from '../../lib/next.ts';
import { formatSeconds } from '../../lib/time.ts';
import type { ActionContext } from '../action.ts';
import { type Round, runRound } from '../eviction/round.ts';
import { judgeRefusal } from '../eviction/verdict.ts';
import type { Failure } from '../outcome.ts';
import { seconds, WEEK, withRules } from '../params.ts';
import { timeSince } from '../time-left.ts';
import type { DrainRequest } from './look.ts';
import { protectionOf } from './opt-outs.ts';
import type { Turn } from './turn.ts';
import { nameOf } from './verdicts.ts';

/** The kubelet gets so long to end what it was given one second for. */
const SETTLE: Seconds = 5;
const MOST_RECORDED = 50;
const LONGEST_WHY = 256;

/** `spec.drain.escalation`: the only way to delete a pod past its budget or to kill it (FIELD.md M12, K19, K28, A7, A8). */
export const escalation = withRules(
  z.object({
    deleteUnreadyAfterSeconds: seconds(
      1,
      'Seconds from the start after which a Pod that is not ready and whose eviction is refused is deleted, budgets notwithstanding. Default: never.',
      WEEK - 1,
    ).optional(),
    deleteAfterSeconds: seconds(1, 'The same for every Pod whose eviction is refused. Default: never.', WEEK - 1).optional(),
    forceAfterSeconds: seconds(
      1,
      'Seconds after a Pod was asked to go until it is deleted with a grace of 1 s, and 5 s later with none. Default: never.',
    ).optional(),
  }),
  [
    {
      rule: 'has(self.deleteUnreadyAfterSeconds) || has(self.deleteAfterSeconds) || has(self.forceAfterSeconds)',
      message: 'at least one step must be given',
      field: 'deleteAfterSeconds',
      holds: (asked) => Object.values(asked).some((after) => after !== undefined),
    },
  ],
);

/** How a drain may go further than an eviction. */
export type Escalation = z.output<typeof escalation>;

/** One step further than an eviction, as the result of the drain records it. */
export interface Step {
  /** `namespace/name` */
  readonly pod: string;
  readonly uid: string;
  /** Deleted: past its budget. Shortened: its grace cut to 1 s. Forced: deleted with no grace. */
  readonly step: 'Deleted' | 'Shortened' | 'Forced';
  readonly at: string;
  /** What the API server said to the eviction. */
  readonly why?: string;
}

/** The steps of all passes, oldest first, one of each kind per pod. */
export function addSteps(known: readonly Step[], made: readonly Step[]): readonly Step[] {
  const keyOf = ({ uid, step }: Step) => `${uid} ${step}`;
  const all = new Map(known.map((step) => [keyOf(step), step]));
  for (const step of made) if (!all.has(keyOf(step))) all.set(keyOf(step), step);
  return [...all.values()];
}

/** The steps as the result shows them, at most 50; absent where there were none. */
export function recordSteps(steps: readonly Step[]): JsonObject {
  if (steps.length === 0) return {};
  const listed = steps.slice(0, MOST_RECORDED).map((step) => ({ ...step }));
  return { escalation: listed, ...(steps.length > MOST_RECORDED ? { escalationOmitted: steps.length - MOST_RECORDED } : {}) };
}

/** Reads what an earlier pass recorded. */
export function readSteps(recorded: JsonValue | undefined): readonly Step[] {
  return Array.isArray(recorded) ? (recorded as unknown as readonly Step[]) : [];
}

/** What a pass that may escalate works with. */
export interface Steps {
  readonly round: Round;
  /** What earlier passes did. */
  readonly known: readonly Step[];
  /** Where this pass writes down what it does. */
  readonly made: Step[];
}

/** One pass over the pods whose turn it is: evictions, and further steps where the spec asks for them and their time has come. */
export async function askToGo(turn: Turn, params: DrainRequest, { round, known, made }: Steps): Promise<Failure | undefined> {
  const { context } = round;
  const isDue = (pod: Pod) => deleteIn(pod, params, context) <= 0;
  const refused = await runRound(
    turn.pending.filter((pod) => !isDue(pod)),
    round,
  );
  if (refused || !params.escalation) return refused;
  const deletion: Round = { ...round, guarded: false, remove: evictElseDelete(params, context, made) };
  const failure = await runRound(turn.pending.filter(isDue), deletion);
  if (failure) return failure;
  const overdue = turn.leaving.filter((pod) => forceIn(pod, params, context, known) <= 0);
  return runRound(overdue, { ...round, guarded: false, remove: force(context, made) });
}

/** Seconds until the next step of any of these pods is due; infinite for none. */
export function nextStepIn(turn: Turn, params: DrainRequest, context: ActionContext, steps: readonly Step[]): Seconds {
  const deletions = turn.pending.map((pod) => deleteIn(pod, params, context)).filter((left) => left > 0);
  const forced = turn.leaving.map((pod) => Math.max(1, forceIn(pod, params, context, steps)));
  return Math.min(Number.POSITIVE_INFINITY, ...deletions, ...forced);
}

/** Seconds until this pod may be deleted past its budget; infinite where that was not asked for, or the pod must not be disrupted. */
function deleteIn(pod: Pod, { escalation: asked }: DrainRequest, context: ActionContext): Seconds {
  if (!asked || protectionOf(pod, context.now)) return Number.POSITIVE_INFINITY;
  const ready = asked.deleteAfterSeconds ?? Number.POSITIVE_INFINITY;
  const unready = pod.ready ? Number.POSITIVE_INFINITY : (asked.deleteUnreadyAfterSeconds ?? Number.POSITIVE_INFINITY);
  return Math.min(ready, unready) - timeSince(context);
}

/**
 * Seconds until this terminating pod is forced one step further. When it was asked to go is read from the pod itself, so that no restart makes
 * it later; the API server sets the timestamp to that time plus the grace.
 */
function forceIn(pod: Pod, { escalation: asked }: DrainRequest, { now }: ActionContext, steps: readonly Step[]): Seconds {
  const { deletionTimestamp, deletionGraceSeconds: grace = 0 } = pod;
  const after = asked?.forceAfterSeconds;
  if (after === undefined || deletionTimestamp === undefined || grace === 0 || protectionOf(pod, now)) return Number.POSITIVE_INFINITY;
  const graceLeft = (Date.parse(deletionTimestamp) - now.getTime()) / 1000;
  const shortened = steps.some(({ uid, step }) => uid === pod.uid && step === 'Shortened');
  return shortened ? graceLeft + SETTLE : graceLeft - grace + after;
}

/** Every deletion is preceded by an eviction that was refused: what can go within its budget does. */
function evictElseDelete({ gracePeriodSeconds }: DrainRequest, { cluster, now }: ActionContext, steps: Step[]): Round['remove'] {
  return async (pod, signal) => {
    try {
      await cluster.evict(pod, gracePeriodSeconds, signal);
    } catch (error) {
      const verdict = judgeRefusal(error);
      if (verdict.kind !== 'budget' && !(verdict.kind === 'later' && verdict.shown)) throw error;
      await cluster.deletePod(pod, gracePeriodSeconds, signal);
      steps.push({ ...identity(pod), step: 'Deleted', at: formatSeconds(now), why: messageOf(error) });
    }
  };
}

/** A grace of 1 s first, so that the kubelet ends the containers where it can; none only when that did not help (FIELD.md M12). */
function force({ cluster, now }: ActionContext, steps: Step[]): Round['remove'] {
  return async (pod, signal) => {
    const shorten = (pod.deletionGraceSeconds ?? 0) > 1;
    await cluster.deletePod(pod, shorten ? 1 : 0, signal);
    steps.push({ ...identity(pod), step: shorten ? 'Shortened' : 'Forced', at: formatSeconds(now) });
  };
}

function identity(pod: Pod): Pick<Step, 'pod' | 'uid'> {
  return { pod: nameOf(pod), uid: pod.uid };
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, LONGEST_WHY);
}
