import type { Budget } from '../../kube/budget.ts';
import type { ClusterView } from '../../kube/cluster.ts';
import type { Pod } from '../../kube/pod.ts';
import { budgetsTopic } from '../../kube/topics.ts';
import type { Seconds, Topic } from '../../lib/next.ts';
import { formatSeconds } from '../../lib/time.ts';
import type { ActionContext } from '../action.ts';
import type { Blocker } from '../blocker.ts';
import { mergeBlockers, type NewBlocker } from './blockers.ts';
import { mayPassUnready } from './budget-turn.ts';
import { budgetsOf, guardOf, isGuarded, namesOf, type Round } from './round.ts';

const LONGEST_NAME = 253;
const SHORTEST_WAIT: Seconds = 0.05;
/** As many as a pass may fail before the object says so. */
const TRIES_BEFORE_TOLD = 3;

/** How the pods stand that could not be asked to go yet. */
export interface Standing {
  readonly blockers: readonly NewBlocker[];
  /** What has to change so that another try is worth it. */
  readonly topics: readonly Topic[];
  /** The cause that is no blocker by itself, as it passes, but has now refused a pod several times in a row. */
  readonly trouble?: string;
  /** Seconds until the next try without any change; infinite for no pods. */
  readonly orAfter: Seconds;
}

/** Why each of these pods is still there, and when to try again. Short-lived causes are no blockers (FIELD.md E3, E4, E6, E7, E8). */
export function standingOf(pods: readonly Pod[], round: Round): Standing {
  const blockers: NewBlocker[] = [];
  const topics = new Set<Topic>();
  let orAfter = Number.POSITIVE_INFINITY;
  let trouble: string | undefined;
  for (const pod of pods) {
    const budgets = round.guarded ? budgetsOf(pod, round.context.cluster.view) : [];
    const found = lookAt(pod, budgets, round);
    if (round.guarded) topics.add(budgetsTopic(pod.namespace));
    orAfter = Math.min(orAfter, found.waits);
    if (found.blocker) blockers.push(found.blocker);
    else trouble ??= found.trouble;
  }
  return { blockers, topics: [...topics], orAfter: Math.max(SHORTEST_WAIT, orAfter), ...(trouble ? { trouble } : {}) };
}

/** What this process knows, and what an earlier pass recorded of pods that are still there: for an end, and for a pass that was cut short. */
export function knownBlockers(pods: readonly Pod[], round: Round): readonly Blocker[] {
  const { before, now } = round.context;
  const found = standingOf(pods, round).blockers;
  const explained = new Set(found.map((blocker) => blocker.uid));
  const left = new Set(pods.map((pod) => pod.uid));
  const recorded = before.blockers.filter(({ uid }) => left.has(uid) && !explained.has(uid));
  return mergeBlockers([...found, ...recorded], before.blockers, now);
}

interface Found {
  readonly waits: Seconds;
  readonly blocker?: NewBlocker;
  readonly trouble?: string;
}

function lookAt(pod: Pod, budgets: readonly Budget[], { memory, mine, context }: Round): Found {
  const busy = memory.busyUntil - memory.clock();
  const guard = guardOf(pod, budgets);
  const hold = mine.holds.get(pod.uid);
  if (hold && hold.budgets === namesOf(budgets)) {
    const waits = Math.max(busy, hold.notBefore - memory.clock());
    if (hold.cause === undefined) return { waits };
    if (!hold.shown) return hold.tries < TRIES_BEFORE_TOLD ? { waits } : { waits, trouble: hold.cause };
    const words = hold.words === undefined ? {} : { detail: hold.words };
    return { waits, blocker: { ...identity(pod), cause: hold.cause, ...budgetFacts(budgets), ...words, ...retryAt(context.now, waits) } };
  }
  if (!guard) return { waits: Math.max(0, busy) };
  const turn = memory.turn(guard);
  // Not its turn yet, but nobody has said no: the round was cut short.
  if (turn.isOpenTo(pod)) return { waits: Math.max(busy, turn.rests) };
  const waits = Math.max(busy, turn.waits);
  // Not counted yet by its controller: it says neither yes nor no (FIELD.md E3), so what it said last stays.
  if (!guard.observed) return { waits, ...saidLast(pod, context) };
  return { waits, blocker: { ...heldBy(guard, pod), ...retryAt(context.now, waits) } };
}

function saidLast({ uid }: Pod, { before }: ActionContext): { readonly blocker?: NewBlocker } {
  const blocker = before.blockers.find((each) => each.uid === uid);
  return blocker ? { blocker } : {};
}

/** Which of these pods the budgets that are seen now would refuse, before anybody has asked (FIELD.md M7, A5). */
export function blockersAhead(pods: readonly Pod[], view: ClusterView): readonly NewBlocker[] {
  return pods.flatMap((pod) => {
    if (pod.deletionTimestamp !== undefined) return [];
    const budgets = budgetsOf(pod, view);
    const guard = guardOf(pod, budgets);
    if (!guard) return budgets.length > 1 && isGuarded(pod) ? [{ ...identity(pod), cause: 'MultiplePDBs', ...budgetFacts(budgets) }] : [];
    const open = !guard.observed || guard.disruptionsAllowed > 0 || mayPassUnready(pod, guard);
    return open ? [] : [heldBy(guard, pod)];
  });
}

function heldBy(guard: Budget, pod: Pod): NewBlocker {
  const cause = neverSatisfiable(guard) ? ('PDBNeverSatisfiable' as const) : ('DisruptionBudget' as const);
  return { ...identity(pod), cause, ...budgetFacts([guard]), ...(pod.ready ? {} : { detail: UNREADY }) };
}

/** An unready pod is refused only by a budget that is short of healthy pods and has the default policy (FIELD.md A7). */
const UNREADY = 'the pod is not ready: with unhealthyPodEvictionPolicy AlwaysAllow the budget would let it go';

/** In whole seconds, and not too early. */
function retryAt(now: Date, waits: Seconds): Pick<NewBlocker, 'retryAt'> {
  return { retryAt: formatSeconds(new Date(Math.ceil(now.getTime() / 1000 + Math.max(0, waits)) * 1000)) };
}

/** Every expected pod is healthy and it still allows none: waiting alone will not help (FIELD.md M7, A4). */
export function neverSatisfiable({ expectedPods, currentHealthy, desiredHealthy, disruptionsAllowed }: Budget): boolean {
  return disruptionsAllowed === 0 && expectedPods > 0 && currentHealthy === expectedPods && desiredHealthy >= expectedPods;
}

function identity({ namespace, name, uid }: Pod): Pick<NewBlocker, 'pod' | 'uid'> {
  return { pod: `${namespace}/${name}`, uid };
}

/** The numbers come from the budget itself: the words of the refusal differ by version (FIELD.md E2). With several budgets all are named (A6). */
function budgetFacts(budgets: readonly Budget[]): Partial<NewBlocker> {
  const [only, ...others] = budgets;
  if (!only) return {};
  if (others.length > 0)
    return {
      budget: budgets
        .map((budget) => budget.name)
        .join(', ')
        .slice(0, LONGEST_NAME),
    };
  return { budget: only.name, currentHealthy: only.currentHealthy, desiredHealthy: only.desiredHealthy };
}
