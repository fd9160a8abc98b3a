import { isStatus } from '../../kube/error.ts';
import type { KubeObject, ObjectRef } from '../../kube/object.ts';
import { type ActionContext, formatTarget, type Target } from '../action.ts';
import { type Failure, failed } from '../outcome.ts';
import { targetRef } from '../target-ref.ts';
import type { Request } from './params.ts';

/** Amounts by resource name. */
export type Amounts = Readonly<Record<string, string>>;

/** A container of the pod template, as far as it can be changed. */
export interface Container {
  readonly name: string;
  readonly image?: string;
  readonly resources?: { readonly requests?: Amounts; readonly limits?: Amounts };
}

/** A label selector as the API server writes it. */
interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] }[];
}

interface WorkloadSpec {
  readonly replicas?: number;
  readonly paused?: boolean;
  readonly selector?: Selector;
  readonly template?: { readonly spec?: { readonly containers?: readonly Container[] } };
  readonly updateStrategy?: { readonly type?: string; readonly rollingUpdate?: { readonly partition?: number } };
}

interface WorkloadStatus {
  readonly observedGeneration?: number;
  readonly replicas?: number;
  readonly updatedReplicas?: number;
  readonly availableReplicas?: number;
  readonly currentRevision?: string;
  readonly updateRevision?: string;
  readonly conditions?: readonly {
    readonly type: string;
    readonly status: string;
    readonly reason?: string;
    readonly message?: string;
    readonly lastUpdateTime?: string;
  }[];
}

/** A Deployment or StatefulSet, as far as an update and its rollout need it. */
export type Workload = KubeObject<WorkloadSpec, WorkloadStatus>;

/** The workload as a target. */
export function workloadTarget({ kind, namespace, name }: Request): Target {
  return { kind, namespace, name };
}

/** Where the workload stands in the API. */
export function workloadRef(request: Request): ObjectRef {
  return targetRef(workloadTarget(request));
}

/** Reads the workload fresh and checks that it is the one that is meant, not a namesake (FIELD.md F2). */
export async function readWorkload(
  request: Request,
  context: ActionContext,
): Promise<{ readonly workload: Workload } | { readonly failure: Failure }> {
  const name = formatTarget(workloadTarget(request));
  try {
    // What the API server has under this path is of this kind.
    const workload = (await context.cluster.get(workloadRef(request), context.signal)) as unknown as Workload;
    const { uid, deletionTimestamp } = workload.metadata;
    if (uid !== context.targetUID) {
      const meant = context.targetUID === '' ? 'it did not exist when the action started' : `the action is meant for ${context.targetUID}`;
      return { failure: failed('TargetReplaced', `${name} is another one: its UID is ${uid}, ${meant}`) };
    }
    return deletionTimestamp ? { failure: failed('TargetNotFound', `${name} is being deleted`) } : { workload };
  } catch (error) {
    if (isStatus(error, 404)) return { failure: failed('TargetNotFound', `${name} not found`) };
    throw error;
  }
}

/** How many replicas the workload is to have; the API server writes its default of 1 into every one. */
export function replicasOf(workload: Workload): number {
  return workload.spec?.replicas ?? 1;
}

/** The containers of the pod template. */
export function containersOf(workload: Workload): readonly Container[] {
  return workload.spec?.template?.spec?.containers ?? [];
}

/** The selector of the pods in the form of a query, such as `app=web,tier in (a,b)`. */
export function selectorText(workload: Workload): string {
  const { matchLabels = {}, matchExpressions = [] } = workload.spec?.selector ?? {};
  const equals = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`);
  const others = matchExpressions.map(({ key, operator, values = [] }) => {
    if (operator === 'Exists') return key;
    return operator === 'DoesNotExist' ? `!${key}` : `${key} ${operator.toLowerCase()} (${values.join(',')})`;
  });
  return [...equals, ...others].join(',');
}
