import type { ConditionClaim } from '../api/condition.ts';
import type { KubeObject } from '../kube/object.ts';
import type { Pod } from '../kube/pod.ts';
import { REVISION_LABEL } from './labels.ts';

/** What is there of a session, as the watches show it. */
export interface Observed {
  readonly claim?: KubeObject | undefined;
  readonly service?: KubeObject | undefined;
  readonly deployment?: KubeObject | undefined;
  readonly pods: readonly Pod[];
}

/** What is wrong: `at once` will not get better by itself, `soon` is given a minute, `later` until the deadline of the start. */
export interface Trouble {
  readonly reason: string;
  readonly message: string;
  readonly gives: 'at once' | 'soon' | 'later';
}

/** How far the workload of an active session has come. */
export interface Diagnosis {
  readonly ready: boolean;
  readonly pod: Pod | undefined;
  readonly trouble: Trouble | undefined;
  readonly claims: readonly ConditionClaim[];
}

/** What the kubelet says of containers that cannot be made; other words of it are told in the message. */
const UNMADE = new Set(['CreateContainerConfigError', 'CreateContainerError', 'RunContainerError']);
/** A kubelet that says this waits for somebody to change the Session, its template or a Secret. */
const HOPELESS = new Set(['InvalidImageName', 'ErrImageNeverPull', 'CreateContainerConfigError']);
const PULLING = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'ImageInspectError',
  'RegistryUnavailable',
  'InvalidImageName',
  'ErrImageNeverPull',
]);

/** Looks at the pod of the newest template, and says in conditions how far it is and what holds it up. */
export function diagnose(observed: Observed, image: string): Diagnosis {
  const pod = currentPod(observed);
  const ready = pod?.ready === true && isCurrent(observed.deployment) && observed.service !== undefined;
  const trouble = ready ? undefined : troubleOf(observed, pod, image);
  return {
    ready,
    pod,
    trouble,
    claims: [...homeClaims(observed), scheduledClaim(pod), pulledClaim(pod, image), availableClaim(ready, pod, trouble)],
  };
}

/** The pod that counts: not one that is going, nor one of an older template. */
function currentPod({ pods, deployment }: Observed): Pod | undefined {
  const revision = revisionOf(deployment);
  const current = pods.filter((pod) => pod.deletionTimestamp === undefined && pod.labels[REVISION_LABEL] === revision && !isOver(pod));
  return current.find((pod) => pod.ready) ?? current.toSorted((a, b) => (a.name < b.name ? -1 : 1))[0];
}

/** One that was evicted or preempted stays behind, and another one is made. */
function isOver({ phase }: Pod): boolean {
  return phase === 'Failed' || phase === 'Succeeded';
}

/** Whether the Deployment's own controller has seen its newest spec, and all its pods are of it. */
function isCurrent(deployment: KubeObject | undefined): boolean {
  const { observedGeneration = 0, replicas = 0, updatedReplicas = 0 } = (deployment?.status ?? {}) as Readonly<Record<string, number>>;
  return observedGeneration >= (deployment?.metadata.generation ?? 1) && updatedReplicas > 0 && updatedReplicas === replicas;
}

/** Whether its controller has seen that it is to have no pods, and makes none any more. */
export function isAtZero(deployment: KubeObject | undefined): boolean {
  if (!deployment) return true;
  const { observedGeneration = 0, replicas = 0 } = (deployment.status ?? {}) as Readonly<Record<string, number>>;
  return replicas === 0 && observedGeneration >= (deployment.metadata.generation ?? 1);
}

function revisionOf(deployment: KubeObject | undefined): string | undefined {
  const { template } = (deployment?.spec ?? {}) as {
    readonly template?: { readonly metadata?: { readonly labels?: Record<string, string> } };
  };
  return template?.metadata?.labels?.[REVISION_LABEL];
}

function troubleOf(observed: Observed, pod: Pod | undefined, image: string): Trouble | undefined {
  if (!pod) return noPod(observed.deployment);
  const { waiting, restarts = 0, exit, unschedulable } = pod.session ?? {};
  if (waiting && PULLING.has(waiting.reason)) {
    const gives = HOPELESS.has(waiting.reason) ? 'at once' : 'soon';
    return { reason: waiting.reason, message: `the image ${image} cannot be pulled: ${waiting.message}`, gives };
  }
  if (waiting?.reason === 'CrashLoopBackOff' || (restarts > 0 && !waiting)) {
    const times = restarts === 1 ? 'once' : `${restarts} times`;
    const how = exit ? `, last with exit code ${exit.code}${exit.reason ? ` (${exit.reason})` : ''}` : '';
    const gives = waiting ? 'soon' : 'later';
    return {
      reason: 'CrashLoopBackOff',
      message: `the container has crashed ${times}${how}: kubectl logs ${pod.name} -n ${pod.namespace} --previous`,
      gives,
    };
  }
  if (waiting) {
    const known = UNMADE.has(waiting.reason);
    const message = `the container cannot be made: ${known ? '' : `${waiting.reason}: `}${waiting.message}`;
    return { reason: known ? waiting.reason : 'ContainerWaiting', message, gives: HOPELESS.has(waiting.reason) ? 'at once' : 'soon' };
  }
  if (unschedulable)
    return {
      reason: 'Unschedulable',
      message: `no node takes its pod: ${unschedulable.message}${unbound(observed.claim)}`,
      gives: 'later',
    };
  return undefined;
}

/** A quota, or a webhook for pods, shows only in the Deployment. */
function noPod(deployment: KubeObject | undefined): Trouble | undefined {
  const { conditions = [] } = (deployment?.status ?? {}) as { readonly conditions?: readonly { readonly message?: string }[] };
  const [failure] = conditions;
  return failure && { reason: 'PodRefused', message: `its pod is refused: ${failure.message ?? ''}`, gives: 'later' };
}

function unbound(claim: KubeObject | undefined): string {
  if (!claim || claim.status?.phase === 'Bound') return '';
  return `; ${claimSentence(claim)}`;
}

function claimSentence({ metadata, spec, status }: KubeObject): string {
  const name = spec?.storageClassName;
  const of = typeof name === 'string' && name !== '' ? `StorageClass ${name}` : 'no StorageClass';
  return `the claim ${metadata.name} (${of}) is ${String(status?.phase ?? 'Pending')}`;
}

function homeClaims({ claim }: Observed): readonly ConditionClaim[] {
  if (!claim) return [];
  const bound = claim.status?.phase === 'Bound';
  const lost = claim.status?.phase === 'Lost';
  const status = bound ? 'True' : lost ? 'False' : 'Unknown';
  return [
    {
      type: 'HomeBound',
      status,
      reason: bound ? 'Bound' : lost ? 'VolumeLost' : 'WaitingForVolume',
      message: bound ? '' : claimSentence(claim),
    },
  ];
}

function scheduledClaim(pod: Pod | undefined): ConditionClaim {
  const type = 'PodScheduled';
  if (pod?.nodeName) return { type, status: 'True', reason: 'Scheduled', message: '' };
  const words = pod?.session?.unschedulable;
  if (words) return { type, status: 'False', reason: 'Unschedulable', message: words.message };
  return { type, status: 'Unknown', reason: 'WaitingForPod', message: '' };
}

function pulledClaim(pod: Pod | undefined, image: string): ConditionClaim {
  const type = 'ImagePulled';
  const { waiting, pulled } = pod?.session ?? {};
  if (waiting && PULLING.has(waiting.reason))
    return { type, status: 'False', reason: waiting.reason, message: `${image}: ${waiting.message}` };
  if (pulled) return { type, status: 'True', reason: 'Pulled', message: '' };
  return { type, status: 'Unknown', reason: 'WaitingForPod', message: '' };
}

/** Unknown until something is known to be wrong, so that the condition tells since when it is. */
function availableClaim(ready: boolean, pod: Pod | undefined, trouble: Trouble | undefined): ConditionClaim {
  const type = 'Available';
  if (ready) return { type, status: 'True', reason: 'PodReady', message: '' };
  if (trouble && trouble.reason !== 'Unschedulable') return { type, status: 'False', reason: trouble.reason, message: trouble.message };
  const message = trouble?.message ?? (pod ? `the pod ${pod.name} is not ready yet` : '');
  return { type, status: 'Unknown', reason: trouble?.reason ?? 'WaitingForPod', message };
}
