import type { Budget } from '../../kube/budget.ts';
import type { Pod } from '../../kube/pod.ts';
import type { ActionContext, Plan, PlannedPod, PlannedVolume } from '../action.ts';
import { estimate } from './estimate.ts';
import { budgetsOf } from './round.ts';
import { type Fate, simulate } from './simulation.ts';

/** How the pods of a plan would be asked to go. */
export interface Asking {
  readonly verb: 'Evict' | 'Delete';
  readonly gracePeriodSeconds?: number | undefined;
}

/** What would happen to pods that are asked to go: verdicts, budgets, volumes and time (FIELD.md F4, A10); reads only what the watch shows. */
export function planPods(
  pods: readonly Pod[],
  { verb, gracePeriodSeconds }: Asking,
  context: ActionContext,
): Required<Pick<Plan, 'pods' | 'budgets' | 'volumes' | 'blocked'>> & Pick<Plan, 'estimateSeconds'> {
  const { view } = context.cluster;
  const guards = (pod: Pod) => (verb === 'Evict' ? budgetsOf(pod, view) : []);
  const simulation = simulate(pods, guards);
  const fated = pods.map((pod) => ({ pod, fate: simulation.fates.get(pod.uid) ?? { round: undefined } }));
  const seconds = estimate(pods, simulation, gracePeriodSeconds, context.now);
  return {
    pods: fated.map(({ pod, fate }) => planned(pod, fate, verb, guards(pod))),
    budgets: simulation.budgets,
    volumes: pods.flatMap(volumesOf),
    blocked: fated.flatMap(({ pod, fate }) => delay(pod, fate, guards(pod))),
    ...(seconds === undefined ? {} : { estimateSeconds: seconds }),
  };
}

function planned(pod: Pod, { round, cause, budget }: Fate, verb: Asking['verb'], budgets: readonly Budget[]): PlannedPod {
  const leaving = pod.deletionTimestamp !== undefined;
  const reason = leaving ? 'Terminating' : cause;
  const named = cause === 'MultiplePDBs' ? namesOf(budgets) : budget && nameOf(budget);
  return {
    pod: nameOf(pod),
    verdict: leaving || cause !== undefined ? 'Wait' : verb,
    ...(reason === undefined ? {} : { reason }),
    ...(named === undefined ? {} : { budget: named }),
    ...(round === undefined ? {} : { round }),
  };
}

/** The line of a pod that cannot go at once, if it is one. */
function delay(pod: Pod, { round, cause, budget }: Fate, budgets: readonly Budget[]): readonly string[] {
  if (cause === undefined) return [];
  if (!budget) return [`${nameOf(pod)}: selected by more than one disruption budget: ${namesOf(budgets)}`];
  const { desiredHealthy, currentHealthy } = budget;
  if (cause === 'PDBNeverSatisfiable')
    return [`${nameOf(pod)}: budget ${nameOf(budget)} never allows a disruption: all ${desiredHealthy} expected pods are needed`];
  const turn = round === undefined ? '' : `; it would go in round ${round}`;
  return [`${nameOf(pod)}: waits for budget ${nameOf(budget)}: ${desiredHealthy} healthy pods needed, ${currentHealthy} there${turn}`];
}

function volumesOf(pod: Pod): readonly PlannedVolume[] {
  return [
    ...pod.emptyDirs.map(({ name }) => ({ pod: nameOf(pod), kind: 'EmptyDir' as const, name })),
    ...(pod.claims ?? []).map((name) => ({ pod: nameOf(pod), kind: 'PersistentVolumeClaim' as const, name })),
  ];
}

function namesOf(budgets: readonly Budget[]): string {
  return budgets.map(nameOf).join(', ');
}

function nameOf({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `${namespace}/${name}`;
}
