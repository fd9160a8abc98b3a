import type { Pod } from '../../kube/pod.ts';
import { nodeTopic, podsOnTopic } from '../../kube/topics.ts';
import type { Seconds } from '../../lib/next.ts';
import type { Progress } from '../action.ts';
import { describeBlockers, mainCause, mergeBlockers } from '../eviction/blockers.ts';
import type { Round } from '../eviction/round.ts';
import { standingOf } from '../eviction/standing.ts';
import { listNames } from '../listing.ts';
import { timeLeft } from '../time-left.ts';
import type { DrainRequest } from './look.ts';
import { type Count, drainResult } from './result.ts';
import { nameOf, type Sorted } from './verdicts.ts';

/** The pods are listed fresh this often even while the watch speaks, should it have missed something. */
export const LIST_AGAIN: Seconds = 30;
/** After an answer that leaves the outcome open. */
const LOOK_SOON: Seconds = 0.1;
/** One second after the 60 that a terminating pod is waited for after its grace (FIELD.md K9). */
const TERMINATING_OVER: Seconds = 61;

/** What a pass found and what it could not ask to go yet. */
export interface Found {
  readonly look: Sorted;
  readonly counted: Count;
  readonly pending: readonly Pod[];
}

/** How far the drain is, what it waits for, and what wakes it: the watch, a change of a budget, or the next time worth a try. */
export function running(params: DrainRequest, round: Round, { look, counted, pending }: Found): Progress {
  const { context } = round;
  const standing = standingOf(pending, round);
  const blockers = mergeBlockers(standing.blockers, context.before.blockers, context.now);
  const waiting = look.go.filter((pod) => !pending.includes(pod));
  const changed = [nodeTopic(params.nodeName), podsOnTopic(params.nodeName), ...standing.topics];
  const left = Math.max(0, timeLeft(context, params.timeoutSeconds));
  return {
    state: 'running',
    reason: mainCause(blockers) ?? standing.trouble ?? (waiting.length > 0 ? 'WaitingForPods' : 'InProgress'),
    message: describe(pending, waiting, describeBlockers(blockers), round),
    next: { kind: 'when', changed, orAfter: Math.min(untilList(round), standing.orAfter, left, overdue(waiting, context.now)) },
    done: counted.done,
    total: counted.total,
    blockers,
    result: drainResult(counted, look),
  };
}

/** Seconds until the pods are listed fresh; right away when a conflict or an unheard answer asks for it, but not in a spin. */
function untilList({ memory, mine }: Round): Seconds {
  return mine.listedAt === undefined ? LOOK_SOON : Math.max(LOOK_SOON, mine.listedAt + LIST_AGAIN - memory.clock());
}

function describe(pending: readonly Pod[], waiting: readonly Pod[], blocked: string, round: Round): string {
  const { ownPod } = round.context;
  const own = waiting.filter((pod) => pod.namespace === ownPod?.namespace && pod.name === ownPod.name && !isLeaving(pod, round));
  const leaving = waiting.filter((pod) => !own.includes(pod));
  const parts = [
    blocked,
    leaving.length > 0 ? `${listNames(leaving.map(nameOf))} shutting down` : '',
    blocked === '' && pending.length > 0 ? `${listNames(pending.map(nameOf))} to be evicted` : '',
    own.length > 0 ? `${listNames(own.map(nameOf))} goes last` : '',
  ];
  return parts.filter((part) => part !== '').join('; ');
}

function isLeaving(pod: Pod, { mine }: Round): boolean {
  return pod.deletionTimestamp !== undefined || mine.accepted.has(pod.uid);
}

/** Seconds until the first of these pods is not waited for any longer. */
function overdue(waiting: readonly Pod[], now: Date): Seconds {
  const ends = waiting.flatMap((pod) => (pod.deletionTimestamp === undefined ? [] : [Date.parse(pod.deletionTimestamp)]));
  return ends.length === 0
    ? Number.POSITIVE_INFINITY
    : Math.max(1, Math.min(...ends.map((end) => (end - now.getTime()) / 1000 + TERMINATING_OVER)));
}
