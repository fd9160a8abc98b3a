import { z } from 'zod';
import { defineAction } from '../action.ts';
import { labelSelector } from '../label-selector.ts';
import { answering } from '../outcome.ts';
import { flag, gracePeriodSeconds, namespaceName, nodeName, timeoutSeconds } from '../params.ts';
import { drainNode } from './pass.ts';
import { planDrain } from './plan.ts';
import { undoCordon } from './undo.ts';

/** Empties a node as `kubectl drain` does, with the differences that FIELD.md section 1 names as better. */
export const drain = defineAction({
  name: 'Drain',
  member: 'drain',
  summary: 'Cordons a node and evicts its pods within their disruption budgets; done when none that has to go is left on it.',
  params: z.object({
    nodeName,
    gracePeriodSeconds,
    timeoutSeconds: timeoutSeconds(600),
    force: flag(false, 'Whether pods without a controller go too, which nothing makes again.'),
    deleteEmptyDirData: flag(false, 'Whether pods with emptyDir volumes go too, whose data is lost.'),
    podSelector: labelSelector("Label selector, such as 'app=shop'; pods it does not choose stay. Default: all pods."),
    ignoreDaemonSets: flag(true, 'Whether pods of DaemonSets are left alone; false: they forbid the drain.'),
    skipNamespaces: z
      .array(namespaceName('A namespace.'))
      .max(64)
      .default([])
      .describe('Namespaces whose pods are left alone, at most 64. Default: none.'),
    uncordonOnFailure: flag(false, 'Whether a drain that failed or was cancelled undoes its own cordon.'),
  }),
  rbac: [
    { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'patch'] },
    { apiGroups: [''], resources: ['pods'], verbs: ['list'] },
    { apiGroups: [''], resources: ['pods/eviction'], verbs: ['create'] },
    { apiGroups: ['apps'], resources: ['daemonsets'], verbs: ['get'] },
  ],
  example: { nodeName: 'worker-3', timeoutSeconds: 600, deleteEmptyDirData: true },
  atomic: false,
  target: (params) => ({ kind: 'Node', name: params.nodeName }),
  plan: (params, context) => planDrain(params, context),
  execute: (params, context) => answering(context, () => drainNode(params, context)),
  compensate: (params, context) => undoCordon(params, context),
  compensates: ({ uncordonOnFailure }) => uncordonOnFailure,
});
