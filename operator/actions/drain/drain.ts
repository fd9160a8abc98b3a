import { z } from 'zod';
import { defineAction } from '../action.ts';
import { labelSelector } from '../label-selector.ts';
import { answering } from '../outcome.ts';
import { flag, gracePeriodSeconds, namespaceName, nodeName, seconds, timeoutSeconds, withRules } from '../params.ts';
import { escalation } from './escalation.ts';
import { drainNode } from './pass.ts';
import { planDrain } from './plan.ts';
import { drainRules } from './rules.ts';
import { undoCordon } from './undo.ts';

const params = withRules(
  z.object({
    nodeName,
    gracePeriodSeconds,
    timeoutSeconds: timeoutSeconds(600),
    force: flag(false, 'Whether pods without a controller go too, which nothing makes again.'),
    deleteEmptyDirData: flag(false, 'Whether pods with emptyDir volumes go too, whose data is lost.'),
    podSelector: labelSelector("Label selector, such as 'app=shop'; pods it does not choose stay. Default: all pods."),
    ignoreDaemonSets: flag(true, 'Whether pods of DaemonSets are left alone; false: they forbid the drain.'),
    ignoreDoNotDisrupt: flag(
      false,
      'Whether pods go too whose annotation cloudoptim.io/do-not-disrupt, karpenter.sh/do-not-disrupt or safe-to-evict forbids it. ' +
        'Otherwise they forbid the drain, or are waited for where a duration in it ends in time.',
    ),
    skipNamespaces: z
      .array(namespaceName('A namespace.'))
      .max(64)
      .default([])
      .describe('Namespaces whose pods are left alone, at most 64. Default: none.'),
    rules: drainRules,
    volumeDetachTimeoutSeconds: seconds(
      0,
      'Seconds to wait, when the pods have gone, until their volumes are detached, within timeoutSeconds; then the drain fails. 0: not waited for. Default 300.',
    ).default(300),
    excludeFromLoadBalancers: flag(
      false,
      'Whether the cordon also takes the node out of external load balancers; the label is taken away again by who undoes the cordon.',
    ),
    uncordonOnFailure: flag(false, 'Whether a drain that failed or was cancelled undoes its own cordon.'),
    escalation: escalation
      .describe('How far to go beyond evictions, and when; never for pods that must not be disrupted. Default: evictions only.')
      .optional(),
  }),
  [
    {
      rule:
        '!has(self.escalation) || ((!has(self.escalation.deleteAfterSeconds) || self.escalation.deleteAfterSeconds < self.timeoutSeconds) && ' +
        '(!has(self.escalation.deleteUnreadyAfterSeconds) || self.escalation.deleteUnreadyAfterSeconds < self.timeoutSeconds))',
      message: 'a deletion must come before timeoutSeconds are over',
      field: 'escalation',
      holds: ({ escalation: asked, timeoutSeconds: end }) =>
        Math.max(asked?.deleteAfterSeconds ?? 0, asked?.deleteUnreadyAfterSeconds ?? 0) < end,
    },
  ],
);

/** Empties a node as `kubectl drain` does, with the differences that FIELD.md section 1 names as better. */
export const drain = defineAction({
  name: 'Drain',
  member: 'drain',
  summary: 'Cordons a node and evicts its pods within their disruption budgets; done when none that has to go is left on it.',
  params,
  rbac: [
    { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'patch'] },
    // Deleted only by an escalation.
    { apiGroups: [''], resources: ['pods'], verbs: ['list', 'delete'] },
    { apiGroups: [''], resources: ['pods/eviction'], verbs: ['create'] },
    { apiGroups: ['apps'], resources: ['daemonsets'], verbs: ['get'] },
    { apiGroups: [''], resources: ['persistentvolumeclaims'], verbs: ['get'] },
    { apiGroups: ['storage.k8s.io'], resources: ['volumeattachments'], verbs: ['list'] },
  ],
  example: { nodeName: 'worker-3', timeoutSeconds: 600, deleteEmptyDirData: true },
  atomic: false,
  target: (params) => ({ kind: 'Node', name: params.nodeName }),
  plan: (params, context) => planDrain(params, context),
  execute: (params, context) => answering(context, () => drainNode(params, context)),
  undoes: (params) => params.uncordonOnFailure,
  compensate: (params, context) => undoCordon(params, context),
});
