import { z } from 'zod';
import { defineAction } from './action.ts';
import { planForPod, podTarget, removePod } from './eviction/pod-removal.ts';
import { answering } from './outcome.ts';
import { gracePeriodSeconds, namespaceName, podName, podUID, timeoutSeconds } from './params.ts';

/**
 * Evicts one pod within its disruption budget and waits until that incarnation of it is gone (FIELD.md E1-E11). Who names a pod means it: marks
 * that forbid a disruption bind who goes by the node, that is Drain (M9).
 */
export const evict = defineAction({
  name: 'Evict',
  member: 'evict',
  summary: 'Evicts one pod through the eviction API, waits for its disruption budget, and ends when the pod is gone.',
  params: z.object({
    namespace: namespaceName('Namespace of the Pod. Required.'),
    podName,
    uid: podUID,
    gracePeriodSeconds,
    timeoutSeconds: timeoutSeconds(300),
  }),
  rbac: [
    { apiGroups: [''], resources: ['pods'], verbs: ['get'] },
    { apiGroups: [''], resources: ['pods/eviction'], verbs: ['create'] },
  ],
  example: { namespace: 'shop', podName: 'cart-0' },
  atomic: false,
  target: podTarget,
  plan: (params, context) => planForPod(params, context, 'evict'),
  execute: (params, context) => answering(context, () => removePod(params, context, 'evict')),
});
