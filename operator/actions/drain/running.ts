import type { Pod } from '../../kube/pod.ts';
import { nodeTopic, podsOnTopic } from '../../kube/topics.ts';
import type { Seconds } from '../../lib/next.ts';
import { formatSeconds } from '../../lib/time.ts';
import type { ActionContext, Progress } from '../action.ts';
import type { Blocker } from '../blocker.ts';
import { describeBlockers, mainCause, mergeBlockers, type NewBlocker } from '../eviction/blockers.ts';
import type { Round } from '../eviction/round.ts';
import { knownBlockers, standingOf } from '../eviction/standing.ts';
import { listNames } from '../listing.ts';
import { timeLeft } from '../time-left.ts';
import { nextStepIn } from './escalation.ts';
import type { DrainRequest } from './look.ts';
import { type Count, drainResult } from './result.ts';
import { isOwnPod, type Turn } from './turn.ts';
import { nameOf, type Sorted } from './verdicts.ts';

/** The pods are listed fresh this often even while the watch speaks, should it have missed something: a waiting drain costs no requests. */
export const LIST_AGAIN: Seconds = 600;
/** While more than so many pods are leaving they are counted now and then, and not at each of their changes: every look is at all of them. */
const CROWD = 20;
const CROWD_PAUSE: Seconds = 0.2;
/** After an answer that leaves the outcome open. */
const LOOK_SOON: Seconds = 0.1;
/** One second after the 60 that a terminating pod is waited for after its grace (FIELD.md K9). */
const TERMINATING_OVER: Seconds = 61;
const LONGEST_DETAIL = 512;

/** What a pass found and left. */
export interface Found {
  readonly look: Sorted;
  readonly counted: Count;
  readonly turn: Turn;
}

/** How far the drain is, what it waits for, and what wakes it: the watch, a change of a budget, or the next time worth a try. */
export function running(params: DrainRequest, round: Round, { look, counted, turn }: Found): Progress {
  const { context } = round;
  const standing = standingOf(turn.pending, round);
  // Cut short by a stop: who was not asked again is blocked as before, so that nothing is written that the next process takes back.
  const blockers = context.signal.aborted
    ? blockersOf(turn, look, round)
    : mergeBlockers([...standing.blockers, ...protectionsOf(turn.held, look)], context.before.blockers, context.now);
  const crowded = turn.pending.length === 0 && turn.leaving.length > CROWD;
  const changed = [nodeTopic(params.nodeName), ...(crowded ? [] : [podsOnTopic(params.nodeName)]), ...standing.topics];
  const waits = [
    untilList(round),
    crowded ? CROWD_PAUSE : Number.POSITIVE_INFINITY,
    standing.orAfter,
    Math.max(0, timeLeft(context, params.timeoutSeconds)),
    overdue(turn.leaving, context.now),
    protectionEnds(turn.held, look, context.now),
    nextStepIn(turn, params, context, counted.steps),
  ];
  return {
    state: 'running',
    reason: mainCause(blockers) ?? standing.trouble ?? reasonOf(turn, look),
    message: describe(turn, look, describeBlockers(blockers), context),
    next: { kind: 'when', changed, orAfter: Math.min(...waits) },
    done: counted.done,
    total: counted.total,
    blockers,
    result: drainResult(counted, look),
  };
}

/** What this process knows, and what an earlier pass recorded of pods that are still there: for an end, and for a pass that was cut short. */
export function blockersOf({ pending, held }: Turn, look: Sorted, round: Round): readonly Blocker[] {
  const { before, now } = round.context;
  return mergeBlockers([...knownBlockers(pending, round), ...protectionsOf(held, look)], before.blockers, now);
}

/** The pods whose owners ask that they are not disrupted yet, as blockers that end by themselves (FIELD.md A32). */
export function protectionsOf(held: readonly Pod[], look: Sorted): readonly NewBlocker[] {
  return held.flatMap((pod) => {
    const why = look.held.get(pod.uid);
    if (why?.cause !== 'DoNotDisrupt') return [];
    const { mark = '', until } = why;
    const detail = mark.slice(0, LONGEST_DETAIL);
    return [{ pod: nameOf(pod), uid: pod.uid, cause: why.cause, detail, ...(until ? { retryAt: formatSeconds(until) } : {}) }];
  });
}

function reasonOf({ leaving, later, held }: Turn, look: Sorted): string {
  if (leaving.length > 0) return 'WaitingForPods';
  if (held.some((pod) => look.held.get(pod.uid)?.cause === 'WaitingForCompletion')) return 'WaitingForCompletion';
  return later.length > 0 ? 'WaitingForPods' : 'InProgress';
}

function protectionEnds(held: readonly Pod[], look: Sorted, now: Date): Seconds {
  const ends = held.flatMap((pod) => look.held.get(pod.uid)?.until ?? []);
  return Math.max(LOOK_SOON, Math.min(...ends.map((end) => (end.getTime() - now.getTime()) / 1000)));
}

/** Seconds until the pods are listed fresh; right away when a conflict or an unheard answer asks for it, but not in a spin. */
function untilList({ memory, mine }: Round): Seconds {
  return mine.listedAt === undefined ? LOOK_SOON : Math.max(LOOK_SOON, mine.listedAt + LIST_AGAIN - memory.clock());
}

function describe({ pending, leaving, held, later }: Turn, look: Sorted, blocked: string, context: ActionContext): string {
  const names = (pods: readonly Pod[]) => listNames(pods.map(nameOf));
  const completing = held.filter((pod) => look.held.get(pod.uid)?.cause === 'WaitingForCompletion');
  const own = later.filter((pod) => isOwnPod(pod, context));
  const ordered = later.filter((pod) => !own.includes(pod));
  const parts = [
    blocked,
    leaving.length > 0 ? `${names(leaving)} shutting down` : '',
    completing.length > 0 ? `${names(completing)} to end by itself` : '',
    blocked === '' && pending.length > 0 ? `${names(pending)} to be evicted` : '',
    ordered.length > 0 ? `${names(ordered)} to go after that` : '',
    own.length > 0 ? `${names(own)} goes last` : '',
  ];
  return parts.filter((part) => part !== '').join('; ');
}

/** Seconds until the first of these pods is not waited for any longer. */
function overdue(waiting: readonly Pod[], now: Date): Seconds {
  const ends = waiting.flatMap((pod) => (pod.deletionTimestamp === undefined ? [] : [Date.parse(pod.deletionTimestamp)]));
  return ends.length === 0
    ? Number.POSITIVE_INFINITY
    : Math.max(1, Math.min(...ends.map((end) => (end - now.getTime()) / 1000 + TERMINATING_OVER)));
}
