import { defineAction } from '../action.ts';
import { answering } from '../outcome.ts';
import { tellWhatStays } from './kept.ts';
import { params } from './params.ts';
import { updateWorkload as pass } from './pass.ts';
import { planUpdate } from './plan.ts';
import { workloadTarget } from './workload.ts';

/** Changes replicas, images, requests and limits of a workload and waits for its pods, unless somebody else keeps those values (FIELD.md M16, F12). */
export const updateWorkload = defineAction({
  name: 'UpdateWorkload',
  member: 'updateWorkload',
  summary:
    'Changes replicas, images, requests or limits of a Deployment or StatefulSet and waits for its rollout; the result holds before and after.',
  params,
  rbac: [
    { apiGroups: ['apps'], resources: ['deployments', 'statefulsets'], verbs: ['get', 'patch'] },
    { apiGroups: ['apps'], resources: ['deployments/scale', 'statefulsets/scale'], verbs: ['patch'] },
    { apiGroups: ['autoscaling'], resources: ['horizontalpodautoscalers'], verbs: ['list'] },
    { apiGroups: ['keda.sh'], resources: ['scaledobjects'], verbs: ['list'] },
    { apiGroups: ['autoscaling.k8s.io'], resources: ['verticalpodautoscalers'], verbs: ['list'] },
    { apiGroups: [''], resources: ['pods'], verbs: ['list'] },
  ],
  example: {
    kind: 'Deployment',
    namespace: 'shop',
    name: 'web',
    replicas: 5,
    expectedReplicas: 3,
    containers: [{ name: 'main', image: 'example.com/shop/web:2', requests: { cpu: '250m', memory: '512Mi' }, limits: { memory: '1Gi' } }],
  },
  atomic: false,
  target: workloadTarget,
  plan: (request, context) => planUpdate(request, context),
  execute: (request, context) => answering(context, () => pass(request, context)),
  compensate: (request, context) => tellWhatStays(request, context),
});
