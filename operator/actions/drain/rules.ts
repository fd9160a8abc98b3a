import { z } from 'zod';
import type { Pod } from '../../kube/pod.ts';
import { matches } from '../../kube/selector.ts';
import { labelSelector, parseLabelSelector } from '../label-selector.ts';
import { namespaceName } from '../params.ts';

/** With which a pod says for itself what Cluster API does with it: `skip` or `wait-completed`. */
const DRAIN_LABEL = 'cluster.x-k8s.io/drain';
const MOST_RULES = 16;
const INT32 = 2_147_483_647;

const rule = z
  .object({
    podSelector: labelSelector("Label selector, such as 'app=db'. Default: all pods.", 256),
    namespaces: z.array(namespaceName('A namespace.')).max(16).default([]).describe('Only pods of these namespaces. Default: of any.'),
    behavior: z
      .enum(['Drain', 'Skip', 'WaitCompleted'])
      .default('Drain')
      .describe(
        'Drain: evicted. Skip: left alone. WaitCompleted: never asked to go while it runs; the drain waits until it has ended by itself. Default Drain.',
      ),
    order: z
      .int32()
      .min(-INT32)
      .max(INT32)
      .default(0)
      .meta({ format: 'int32', description: 'Pods of a lower order go first; the next begin when all of these have gone. Default 0.' }),
  })
  .describe('What to do with some of the pods, and when.');

/** `spec.drain.rules`, modelled on Cluster API's MachineDrainRule (FIELD.md M8, A22). */
export const drainRules = z
  .array(rule)
  .max(MOST_RULES)
  .default([])
  .describe(
    'What to do with which pods, and in which order; the first rule that matches counts. Other pods: Drain, order 0. Default: none.',
  );

/** A rule as it stands in the spec, defaults filled in. */
export type DrainRule = z.output<typeof rule>;

/** What the rules say of one pod. */
export interface Part {
  readonly behavior: DrainRule['behavior'];
  readonly order: number;
  /** Whether the pod said so itself, by its label. */
  readonly own?: true;
}

const DEFAULT: Part = { behavior: 'Drain', order: 0 };
const OWN: ReadonlyMap<string, Part> = new Map([
  ['skip', { behavior: 'Skip', order: 0, own: true }],
  ['wait-completed', { behavior: 'WaitCompleted', order: 0, own: true }],
]);

/** Reads the rules once for all pods: the label of a pod comes first, then the first rule that matches (as Cluster API does). */
export function readRules(rules: readonly DrainRule[]): (pod: Pod) => Part {
  const read = rules.map(({ podSelector, namespaces, behavior, order }) => {
    const selector = podSelector ? parseLabelSelector(podSelector) : undefined;
    const applies = (pod: Pod) =>
      (namespaces.length === 0 || namespaces.includes(pod.namespace)) && (!selector || matches(selector, pod.labels));
    return { applies, part: { behavior, order } };
  });
  return (pod) => {
    return OWN.get(pod.labels[DRAIN_LABEL]?.toLowerCase() ?? '') ?? read.find(({ applies }) => applies(pod))?.part ?? DEFAULT;
  };
}
