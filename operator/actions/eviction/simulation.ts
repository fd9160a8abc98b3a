import type { Budget } from '../../kube/budget.ts';
import type { Pod } from '../../kube/pod.ts';
import type { PlannedBudget } from '../action.ts';
import { mayPassUnready } from './budget-turn.ts';
import { guardOf, isGuarded } from './round.ts';
import { neverSatisfiable } from './standing.ts';

/** When one pod could go. */
export interface Fate {
  /** From 1; undefined: it would never go as things stand. */
  readonly round: number | undefined;
  /** The budget whose yes it needs; undefined where it needs none. */
  readonly budget?: Budget;
  /** Why it does not go in the first round. */
  readonly cause?: 'DisruptionBudget' | 'PDBNeverSatisfiable' | 'MultiplePDBs';
}

/** In which rounds pods could go within their budgets. */
export interface Simulation {
  /** By pod UID. */
  readonly fates: ReadonlyMap<string, Fate>;
  /** Of every budget that one of the pods needs, in the order in which the pods name them. */
  readonly budgets: readonly PlannedBudget[];
}

interface Queue {
  readonly budget: Budget;
  readonly pods: Pod[];
}

/**
 * Adds up what the budgets allow round by round, in the order of the pods, because a dry run of the API server counts nothing down (FIELD.md E12,
 * A41). A round ends when its pods are replaced and healthy again; a pod without a controller is never replaced, so that it costs its budget a
 * disruption for good. From the second round on all expected pods count as healthy, so that a budget short of pods now is one that waits.
 */
export function simulate(pods: readonly Pod[], budgetsOf: (pod: Pod) => readonly Budget[]): Simulation {
  const fates = new Map<string, Fate>();
  const queues = new Map<string, Queue>();
  for (const pod of pods) {
    const budgets = budgetsOf(pod);
    const budget = guardOf(pod, budgets);
    const leaves = pod.deletionTimestamp !== undefined || (budget ? mayPassUnready(pod, budget) : budgets.length < 2 || !isGuarded(pod));
    if (leaves) fates.set(pod.uid, { round: 1 });
    else if (budget) enqueue(queues, budget, pod);
    else fates.set(pod.uid, { round: undefined, cause: 'MultiplePDBs' });
  }
  const budgets = [...queues.values()].map((queue) => letGo(queue, fates));
  return { fates, budgets };
}

/** How many pods this budget lets go in a round of the simulation, after so many pods were lost for good. */
export function allowance(budget: Budget, round: number, lost: number): number {
  const { observed, disruptionsAllowed, expectedPods, desiredHealthy } = budget;
  if (round === 1) return observed ? Math.max(0, disruptionsAllowed) : 0;
  // Not counted by its controller yet (FIELD.md E3): one at a time is what can be said.
  const whenHealthy = observed ? Math.max(disruptionsAllowed, expectedPods - desiredHealthy) : 1;
  return Math.max(0, whenHealthy - lost);
}

function letGo({ budget, pods }: Queue, fates: Map<string, Fate>): PlannedBudget {
  let lost = 0;
  let gone = 0;
  let round = 0;
  while (gone < pods.length) {
    round++;
    const allowed = allowance(budget, round, lost);
    if (allowed === 0 && round > 1) break;
    const now = pods.slice(gone, gone + allowed);
    for (const pod of now) fates.set(pod.uid, { round, budget, ...(round > 1 ? { cause: 'DisruptionBudget' as const } : {}) });
    lost += now.filter((pod) => pod.controller === undefined).length;
    gone += now.length;
  }
  const never = neverSatisfiable(budget) ? ('PDBNeverSatisfiable' as const) : ('DisruptionBudget' as const);
  for (const pod of pods.slice(gone)) fates.set(pod.uid, { round: undefined, budget, cause: never });
  const name = `${budget.namespace}/${budget.name}`;
  const facts = { budget: name, pods: pods.length, allowedNow: allowance(budget, 1, 0) };
  return gone < pods.length ? facts : { ...facts, rounds: round };
}

function enqueue(queues: Map<string, Queue>, budget: Budget, pod: Pod): void {
  const queue = queues.get(budget.uid) ?? { budget, pods: [] };
  queues.set(budget.uid, queue);
  queue.pods.push(pod);
}
