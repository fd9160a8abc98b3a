import type { Plan } from '../actions/action.ts';
import { cut } from '../api/cut.ts';
import type { OptimizationActionStatus } from '../api/optimization-action.ts';
import { MAX_LINE, MAX_LISTED } from '../api/optimization-action-status.ts';

/** The plan as `status.plan` shows it: at most 50 entries of each list, the rest as counts. */
export function planStatus(plan: Plan): NonNullable<OptimizationActionStatus['plan']> {
  const { change, changes, skip, blocked, pods, budgets, volumes, estimateSeconds } = plan;
  const lines = (list: readonly string[]) => list.slice(0, MAX_LISTED).map((line) => cut(line, MAX_LINE));
  const named = (list: NonNullable<Plan['pods']>) =>
    list.slice(0, MAX_LISTED).map((pod) => (pod.budget === undefined ? pod : { ...pod, budget: cut(pod.budget, MAX_LINE) }));
  return {
    change,
    ...(changes ? { changes: lines(changes), ...omitted('changesOmitted', changes) } : {}),
    skip: lines(skip),
    ...omitted('skipOmitted', skip),
    blocked: lines(blocked),
    ...omitted('blockedOmitted', blocked),
    ...(pods ? { pods: named(pods), ...omitted('podsOmitted', pods) } : {}),
    ...(budgets ? { budgets: budgets.slice(0, MAX_LISTED), ...omitted('budgetsOmitted', budgets) } : {}),
    ...(volumes ? { volumes: volumes.slice(0, MAX_LISTED), ...omitted('volumesOmitted', volumes) } : {}),
    ...(estimateSeconds === undefined ? {} : { estimateSeconds }),
  };
}

/** The plan in one line, the message of its condition. */
export function planMessage({ change, skip, blocked, estimateSeconds }: Plan): string {
  const time = estimateSeconds === undefined ? '' : `; takes about ${estimateSeconds} s`;
  return `would change ${change}, leave ${skip.length} alone; ${blocked.length} in the way${time}`;
}

function omitted<Name extends string>(name: Name, list: readonly unknown[]): Partial<Record<Name, number>> {
  const rest = list.length - MAX_LISTED;
  return (rest > 0 ? { [name]: rest } : {}) as Partial<Record<Name, number>>;
}
