import { horizontalAutoscalers, type ListIn, scaledObjects, verticalAutoscalers } from '../../kube/autoscalers.ts';
import { gitOpsOwner } from '../../kube/gitops.ts';
import { type ActionContext, formatTarget } from '../action.ts';
import { listNames } from '../listing.ts';
import type { Change } from './change.ts';
import type { GuardName, Request } from './params.ts';
import { isRollingOut } from './rollout.ts';
import { type Workload, workloadTarget } from './workload.ts';

/** Why a change must not be written: the cause for the condition, and words that name who is in the way and what can be done. */
export interface Objection {
  readonly reason: string;
  readonly message: string;
}

/**
 * Everything that forbids to write what is left of a change, unless `ignore` names it (FIELD.md M16, F12, A47, A66). It reads fresh, and what
 * cannot be read is thrown: nothing is written on a guess.
 */
export async function objectionsTo(
  left: Change,
  request: Request,
  workload: Workload,
  context: ActionContext,
): Promise<readonly Objection[]> {
  const ask = (guard: GuardName, look: () => Promise<readonly string[]>) => (request.ignore.includes(guard) ? [] : look());
  const list: ListIn = (resource, namespace) => context.cluster.list(resource, namespace, undefined, context.signal);
  const resources = Object.values(left.containers ?? {}).some(({ requests, limits }) => requests ?? limits);
  const [horizontal, scaled, vertical] = await Promise.all([
    left.replicas ? ask('HorizontalPodAutoscaler', () => horizontalAutoscalers(request, list)) : [],
    left.replicas ? ask('ScaledObject', () => scaledObjects(request, list)) : [],
    resources ? ask('VerticalPodAutoscaler', () => verticalAutoscalers(request, list)) : [],
  ]);
  return [
    ...keptBy('HorizontalPodAutoscaler', horizontal, `its replicas; change minReplicas or maxReplicas there${atZero(left)}`),
    ...keptBy('ScaledObject', scaled, 'its replicas; change minReplicaCount or maxReplicaCount there'),
    ...keptBy('VerticalPodAutoscaler', vertical, 'its requests and limits; change its resourcePolicy there'),
    ...objectionsIn(workload, request, left),
  ];
}

/** What the workload itself says. */
function objectionsIn(workload: Workload, { ignore, ...request }: Request, left: Change): readonly Objection[] {
  const { metadata } = workload;
  const found: Objection[] = [];
  const gitOps = gitOpsOwner(metadata);
  if (gitOps && !ignore.includes('GitOps')) {
    const message = `${gitOps} keeps it and may put it back; change it in the repository, or let the tool leave the fields alone and`;
    found.push({ reason: 'ManagedByGitOps', message: `${message} ${override('GitOps')}` });
  }
  const owner = metadata.ownerReferences?.find(({ controller }) => controller);
  if (owner && !ignore.includes('Controller')) {
    const message = `${owner.kind} ${owner.name} controls it and may put it back; change it there, or ${override('Controller')}`;
    found.push({ reason: 'ManagedByController', message });
  }
  if (left.containers && workload.spec?.paused) {
    const command = `kubectl -n ${request.namespace} rollout resume deployment/${request.name}`;
    found.push({ reason: 'RolloutPaused', message: `it is paused, no pod would follow; ${command}` });
  } else if (isRollingOut(workload) && !ignore.includes('RolloutInProgress')) {
    const message = `a rollout is under way; wait for it, or ${override('RolloutInProgress')}`;
    found.push({ reason: 'RolloutInProgress', message });
  }
  const name = formatTarget(workloadTarget({ ...request, ignore }));
  return found.map(({ reason, message }) => ({ reason, message: `${name}: ${message}` }));
}

function keptBy(guard: GuardName, names: readonly string[], what: string): readonly Objection[] {
  if (names.length === 0) return [];
  return [{ reason: 'ManagedByAutoscaler', message: `${guard} ${listNames(names)} keeps ${what}, or ${override(guard)}` }];
}

/** FIELD.md P20: at 0 replicas a HorizontalPodAutoscaler is switched off and never scales up by itself. */
function atZero({ replicas }: Change): string {
  if (replicas?.to === 0) return ' (0 replicas would switch it off until somebody scales up)';
  return replicas?.from === 0 ? ' (at 0 replicas it is switched off and does not scale up by itself)' : '';
}

function override(guard: GuardName): string {
  return `add ${guard} to ignore`;
}
