import type { KubeObject } from '../../kube/object.ts';
import { PODS } from '../../kube/resources.ts';
import type { ActionContext } from '../action.ts';
import { listNames } from '../listing.ts';
import { selectorText, type Workload } from './workload.ts';

/** One sentence of the scheduler can be longer than all the rest. */
const LONGEST = 160;

interface ContainerStatus {
  readonly name: string;
  readonly ready?: boolean;
  readonly state?: { readonly waiting?: { readonly reason?: string } };
}

type RawPod = KubeObject<
  unknown,
  {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly containerStatuses?: readonly ContainerStatus[];
  }
>;

/** What a container says while nothing is wrong with it. */
const HARMLESS = new Set(['ContainerCreating', 'PodInitializing']);

/** Why pods of the workload are not ready, names first, at most three: `web-1: main ImagePullBackOff`; empty where all are. */
export async function troubleOf(workload: Workload, { cluster, signal }: ActionContext): Promise<string> {
  const namespace = workload.metadata.namespace ?? '';
  const pods = (await cluster.list(PODS, namespace, selectorText(workload), signal)) as unknown as readonly RawPod[];
  const told = pods.flatMap((pod) => {
    const why = pod.metadata.deletionTimestamp === undefined ? troubleOfPod(pod) : undefined;
    return why === undefined ? [] : [`${pod.metadata.name}: ${why}`];
  });
  // Pods with a cause stand before those that are only not ready.
  const causes = told.filter((line) => !line.endsWith(NOT_READY));
  return listNames(causes.length > 0 ? causes : told);
}

const NOT_READY = 'not ready';

function troubleOfPod({ status = {} }: RawPod): string | undefined {
  const { conditions = [], initContainerStatuses = [], containerStatuses = [] } = status;
  const scheduled = conditions.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.status === 'False') return `${scheduled.reason ?? 'Unschedulable'}: ${scheduled.message ?? ''}`.slice(0, LONGEST);
  const stuck = [...initContainerStatuses, ...containerStatuses].find(({ state }) => {
    const reason = state?.waiting?.reason;
    return reason !== undefined && !HARMLESS.has(reason);
  });
  if (stuck) return `${stuck.name} ${stuck.state?.waiting?.reason}`;
  return conditions.some(({ type, status: held }) => type === 'Ready' && held === 'True') ? undefined : NOT_READY;
}
