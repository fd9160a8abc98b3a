import { z } from 'zod';
import { defineAction } from './action.ts';
import { planForPod, podTarget, removePod } from './eviction/pod-removal.ts';
import { answering } from './outcome.ts';
import { gracePeriodSeconds, namespaceName, podName, podUID, timeoutSeconds } from './params.ts';

/** Deletes one pod, budgets notwithstanding, and waits until that incarnation of it is gone. */
export const deletePod = defineAction({
  name: 'DeletePod',
  member: 'deletePod',
  summary:
    'Deletes one pod without asking its disruption budget, and ends when the pod is gone; leave it out of spec.actions of a backend that must not.',
  params: z.object({
    namespace: namespaceName('Namespace of the Pod. Required.'),
    podName,
    uid: podUID,
    gracePeriodSeconds,
    timeoutSeconds: timeoutSeconds(300),
  }),
  rbac: [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'delete'] }],
  example: { namespace: 'shop', podName: 'cart-0' },
  atomic: false,
  target: podTarget,
  plan: (params, context) => planForPod(params, context, 'delete'),
  execute: (params, context) => answering(context, () => removePod(params, context, 'delete')),
});
