import type { Requests } from './pod.ts';
import { readBytes, readMillicores } from './quantity.ts';

/** A list of amounts by resource name, as the API server writes it. */
interface RawAmounts {
  readonly cpu?: unknown;
  readonly memory?: unknown;
}

interface RawResources {
  readonly requests?: RawAmounts | null;
}

interface RawContainer {
  readonly name?: string;
  readonly restartPolicy?: string;
  readonly resources?: RawResources | null;
}

interface RawContainerStatus {
  readonly name?: string;
  readonly resources?: RawResources | null;
  readonly allocatedResources?: RawAmounts | null;
}

/** The members of a pod that decide what it asks for. */
export interface RawRequester {
  readonly spec?: {
    readonly containers?: readonly RawContainer[];
    readonly initContainers?: readonly RawContainer[];
    readonly overhead?: RawAmounts | null;
    readonly resources?: RawResources | null;
  };
  readonly status?: {
    readonly containerStatuses?: readonly RawContainerStatus[];
    readonly initContainerStatuses?: readonly RawContainerStatus[];
    readonly conditions?: readonly { readonly type?: string; readonly status?: string; readonly reason?: string }[];
    readonly resources?: RawResources | null;
    readonly allocatedResources?: RawAmounts | null;
  };
}

/** What a pod asks for as kube-scheduler 1.36 counts it: `PodRequests` of k8s.io/component-helpers, status resources included. */
export function podRequests(pod: RawRequester): Requests {
  return { cpuMillicores: total(pod, readCpu), memoryBytes: total(pod, readMemory) };
}

type Read = (amounts: RawAmounts) => number | undefined;

const readCpu: Read = (amounts) => (amounts.cpu === undefined ? undefined : readMillicores(amounts.cpu));
const readMemory: Read = (amounts) => (amounts.memory === undefined ? undefined : readBytes(amounts.memory));

/** KEP-2837: a pod-level request stands in for the sum of the containers; overhead (KEP-688) comes on top of either. */
function total(pod: RawRequester, read: Read): number {
  const overhead = amount(pod.spec?.overhead, read);
  const podLevel = pod.spec?.resources?.requests ?? undefined;
  const asked = podLevel && read(podLevel);
  if (asked === undefined) return ofContainers(pod, read) + overhead;
  return effective(pod, asked, pod.status, read) + overhead;
}

/** KEP-753: sidecars run beside all that starts after them, so an init container counts together with the sidecars before it. */
function ofContainers(pod: RawRequester, read: Read): number {
  let running = 0;
  for (const container of pod.spec?.containers ?? []) running += ofContainer(pod, container, read);
  let sidecars = 0;
  let starting = 0;
  for (const container of pod.spec?.initContainers ?? []) {
    if (container.restartPolicy === 'Always') {
      sidecars += ofContainer(pod, container, read);
      starting = Math.max(starting, sidecars);
    } else {
      starting = Math.max(starting, sidecars + amount(container.resources?.requests, read));
    }
  }
  return Math.max(running + sidecars, starting);
}

function ofContainer(pod: RawRequester, container: RawContainer, read: Read): number {
  return effective(pod, amount(container.resources?.requests, read), statusOf(pod, container.name), read);
}

/** KEP-1287: while a resize is under way the largest of asked, allocated and actual counts; one that cannot be met does not count as asked. */
function effective(pod: RawRequester, asked: number, status: RawContainerStatus | undefined, read: Read): number {
  if (!status?.resources) return asked;
  const held = Math.max(amount(status.resources.requests, read), amount(status.allocatedResources, read));
  return resizeInfeasible(pod) ? held : Math.max(asked, held);
}

function statusOf(pod: RawRequester, name: string | undefined): RawContainerStatus | undefined {
  const named = (status: RawContainerStatus) => status.name === name;
  return pod.status?.containerStatuses?.find(named) ?? pod.status?.initContainerStatuses?.find(named);
}

function resizeInfeasible(pod: RawRequester): boolean {
  return pod.status?.conditions?.find((condition) => condition.type === 'PodResizePending')?.reason === 'Infeasible';
}

function amount(amounts: RawAmounts | null | undefined, read: Read): number {
  return amounts ? (read(amounts) ?? 0) : 0;
}
