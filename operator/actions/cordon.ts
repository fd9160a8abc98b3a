import { z } from 'zod';
import { defineAction } from './action.ts';
import { cordonNode, cordonResult } from './cordoning.ts';
import { planForNode, readTargetNode } from './node-target.ts';
import { answering } from './outcome.ts';
import { nodeName } from './params.ts';

/** Makes a node unschedulable, as `kubectl cordon` does, and records who did and why (FIELD.md M13, A34). */
export const cordon = defineAction({
  name: 'Cordon',
  member: 'cordon',
  summary: 'Marks a node unschedulable, so that no new pods come to it; pods that are there stay.',
  params: z.object({
    nodeName,
    excludeFromLoadBalancers: z
      .boolean()
      .describe('Whether the node is also taken out of external load balancers; Uncordon takes the label away again. Default false.')
      .optional(),
    reason: z.string().max(256).describe('Why, in one line; kept as an annotation of the Node. Default: none.').optional(),
  }),
  rbac: [{ apiGroups: [''], resources: ['nodes'], verbs: ['get', 'patch'] }],
  example: { nodeName: 'worker-3', reason: 'kernel update' },
  atomic: true,
  target: (params) => ({ kind: 'Node', name: params.nodeName }),

  plan: (params, context) =>
    planForNode(params.nodeName, context, (node) => (node.unschedulable ? `node/${node.name}: already cordoned` : undefined)),

  execute: (params, context) =>
    answering(context, async () => {
      const found = await readTargetNode(params.nodeName, context);
      if ('failure' in found) return found.failure;
      const cordoned = await cordonNode(found.node, context, params.reason, params.excludeFromLoadBalancers);
      if ('failure' in cordoned) return cordoned.failure;
      const message = cordoned.changed ? `node ${params.nodeName} cordoned` : `node ${params.nodeName} already cordoned`;
      return { state: 'succeeded', message, result: cordonResult(cordoned) };
    }),
});
