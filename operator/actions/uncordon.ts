import { z } from 'zod';
import { defineAction } from './action.ts';
import { cordonResult, uncordonNode } from './cordoning.ts';
import { planForNode, readTargetNode } from './node-target.ts';
import { answering, UNKNOWN_WHOSE } from './outcome.ts';
import { nodeName } from './params.ts';

/** Makes a node schedulable again; asked for by name, it undoes a foreign cordon too and says whose it was (FIELD.md K33). */
export const uncordon = defineAction({
  name: 'Uncordon',
  member: 'uncordon',
  summary: 'Marks a node schedulable again, whoever had cordoned it; the result says who had.',
  params: z.object({
    nodeName,
    reason: z.string().max(256).describe('Why, in one line; kept in this object only. Default: none.').optional(),
  }),
  rbac: [{ apiGroups: [''], resources: ['nodes'], verbs: ['get', 'patch'] }],
  example: { nodeName: 'worker-3' },
  atomic: true,
  target: (params) => ({ kind: 'Node', name: params.nodeName }),

  plan: (params, context) =>
    planForNode(params.nodeName, context, (node) => (node.unschedulable ? undefined : `node/${node.name}: already schedulable`)),

  execute: (params, context) =>
    answering(context, async () => {
      const found = await readTargetNode(params.nodeName, context);
      if ('failure' in found) return found.failure;
      const undone = await uncordonNode(found.node, context);
      if ('failure' in undone) return undone.failure;
      if (undone.changed === 'Unknown')
        return { state: 'succeeded', message: `node ${params.nodeName} is schedulable; ${UNKNOWN_WHOSE}`, result: cordonResult(undone) };
      const whose = undone.cordonedBy ? ` (it was cordoned by ${undone.cordonedBy})` : '';
      const message = undone.changed ? `node ${params.nodeName} uncordoned${whose}` : `node ${params.nodeName} already schedulable`;
      return { state: 'succeeded', message, result: cordonResult(undone) };
    }),
});
