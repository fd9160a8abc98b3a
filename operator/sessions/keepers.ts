import { horizontalAutoscalers, type ListIn, scaledObjects } from '../kube/autoscalers.ts';
import type { Budget } from '../kube/budget.ts';
import { gitOpsOwner } from '../kube/gitops.ts';
import type { KubeObject } from '../kube/object.ts';
import { DEPLOYMENTS } from '../kube/resources.ts';
import { matches } from '../kube/selector.ts';

/** Who else has a say in how many pods the Deployment of a session has. */
export interface Keepers {
  readonly horizontal: readonly string[];
  /** ScaledObjects that are not paused. */
  readonly scaled: readonly string[];
  readonly budgets: readonly string[];
  readonly gitOps: string | undefined;
}

/** Looks for them: autoscalers fresh from the API server, because nothing else needs to watch them. */
export async function keepersOf(deployment: KubeObject, budgets: readonly Budget[], list: ListIn): Promise<Keepers> {
  const { name, namespace = '' } = deployment.metadata;
  const aim = { namespace, kind: DEPLOYMENTS.kind, name };
  const [horizontal, scaled] = await Promise.all([horizontalAutoscalers(aim, list), scaledObjects(aim, list)]);
  const labels = podLabels(deployment);
  const guarding = budgets.filter(({ selector }) => matches(selector, labels)).map((budget) => budget.name);
  return { horizontal, scaled, budgets: guarding.toSorted(), gitOps: gitOpsOwner(deployment.metadata) };
}

/** Why the session cannot be hibernated: a ScaledObject scales up from 0, and whether it is paused is not ours to write. */
export function obstacleTo({ scaled }: Keepers): { readonly reason: 'ManagedByAutoscaler'; readonly message: string } | undefined {
  if (scaled.length === 0) return undefined;
  const message =
    `the ScaledObject ${scaled.join(', ')} would scale it up again, so it is not hibernated: ` +
    'pause it with the annotation autoscaling.keda.sh/paused: "true", or delete it';
  return { reason: 'ManagedByAutoscaler', message };
}

/** What whoever looks at a hibernated session should know about them; undefined where there is nobody. */
export function keeperWords({ horizontal, budgets, gitOps }: Keepers): string | undefined {
  const sentences = [
    ...(horizontal.length > 0 ? [`HorizontalPodAutoscaler ${horizontal.join(', ')} is off until the wake and goes on from there`] : []),
    ...(budgets.length > 0 ? [`PodDisruptionBudget ${budgets.join(', ')} guards against evictions only, not against this`] : []),
    ...(gitOps ? [`${gitOps} keeps the Deployment: let it leave spec.replicas alone, or it scales it up again`] : []),
  ];
  return sentences.length > 0 ? sentences.join('; ') : undefined;
}

function podLabels({ spec }: KubeObject): Readonly<Record<string, string>> {
  const { template } = (spec ?? {}) as {
    readonly template?: { readonly metadata?: { readonly labels?: Readonly<Record<string, string>> } };
  };
  return template?.metadata?.labels ?? {};
}
