import { isStatus } from '../../kube/error.ts';
import type { Pod } from '../../kube/pod.ts';
import { DAEMON_SETS } from '../../kube/resources.ts';
import { matches } from '../../kube/selector.ts';
import type { Seconds } from '../../lib/next.ts';
import type { ActionContext } from '../action.ts';
import { memoryOf, type RequestMemory } from '../eviction/memory.ts';
import { parseLabelSelector } from '../label-selector.ts';
import { timeLeft } from '../time-left.ts';
import type { Escalation } from './escalation.ts';
import { isOfDaemonSet, judgePod } from './filters.ts';
import { isFinished } from './finished.ts';
import { type DrainRule, readRules } from './rules.ts';
import { type Sorted, sortVerdicts } from './verdicts.ts';

/** What the action Drain is asked to do, defaults filled in. */
export interface DrainRequest {
  readonly nodeName: string;
  readonly gracePeriodSeconds?: number | undefined;
  readonly timeoutSeconds: Seconds;
  readonly force: boolean;
  readonly deleteEmptyDirData: boolean;
  readonly podSelector?: string | undefined;
  readonly ignoreDaemonSets: boolean;
  readonly skipNamespaces: readonly string[];
  readonly uncordonOnFailure: boolean;
  readonly ignoreDoNotDisrupt: boolean;
  readonly rules: readonly DrainRule[];
  readonly volumeDetachTimeoutSeconds: Seconds;
  readonly excludeFromLoadBalancers: boolean;
  readonly escalation?: Escalation | undefined;
}

/** Lists the pods of the node fresh, as kubectl does (FIELD.md K6), and sorts them. */
export async function lookFresh(params: DrainRequest, context: ActionContext, mine: RequestMemory): Promise<Sorted> {
  const pods = await context.cluster.listPodsOn(params.nodeName, params.podSelector, context.signal);
  mine.listedAt = memoryOf(context.cluster).clock();
  return sortPods(pods, params, context, mine);
}

/** Sorts the pods of the node as the watch shows them: no request, unless a DaemonSet is met for the first time. */
export function lookAtView(params: DrainRequest, context: ActionContext, mine: RequestMemory): Promise<Sorted> {
  const { nodeName, podSelector } = params;
  const selector = podSelector ? parseLabelSelector(podSelector) : undefined;
  const pods = context.cluster.view.podsOn(nodeName).filter((pod) => !selector || matches(selector, pod.labels));
  return sortPods(pods, params, context, mine);
}

async function sortPods(pods: readonly Pod[], params: DrainRequest, context: ActionContext, mine: RequestMemory): Promise<Sorted> {
  const unread = new Map(
    pods
      .filter((pod) => isOfDaemonSet(pod) && !isFinished(pod) && !params.skipNamespaces.includes(pod.namespace))
      .map((pod) => [keyOf(pod.namespace, pod.controller?.name ?? ''), pod] as const)
      .filter(([key]) => !mine.daemonSets.has(key)),
  );
  await Promise.all(
    [...unread].map(async ([key, { namespace, controller }]) => {
      mine.daemonSets.set(key, await daemonSetExists(namespace, controller?.name ?? '', context));
    }),
  );
  const facts = {
    ...params,
    now: context.now,
    timeLeft: timeLeft(context, params.timeoutSeconds),
    forces: params.escalation?.forceAfterSeconds !== undefined,
    partOf: readRules(params.rules),
    daemonSetExists: (namespace: string, name: string) => mine.daemonSets.get(keyOf(namespace, name)) ?? false,
  };
  return sortVerdicts(pods.map((pod) => judgePod(pod, facts)));
}

/** Only a 404 means that it is gone; any other trouble is thrown and tried again (FIELD.md K11). */
async function daemonSetExists(namespace: string, name: string, { cluster, signal }: ActionContext): Promise<boolean> {
  try {
    await cluster.get({ resource: DAEMON_SETS, namespace, name }, signal);
    return true;
  } catch (error) {
    if (isStatus(error, 404)) return false;
    throw error;
  }
}

function keyOf(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}
