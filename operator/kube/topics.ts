import type { Topic } from '../lib/next.ts';

/** Changes when the Node object changes or goes. */
export function nodeTopic(name: string): Topic {
  return `node/${name}`;
}

/** Changes when a pod appears on, changes on or leaves the node. */
export function podsOnTopic(nodeName: string): Topic {
  return `pods-on/${nodeName}`;
}

/** Changes when the pod of this name changes or goes. */
export function podTopic(namespace: string, name: string): Topic {
  return `pod/${namespace}/${name}`;
}

/** Changes when any PodDisruptionBudget of the namespace changes, its status included. */
export function budgetsTopic(namespace: string): Topic {
  return `budgets/${namespace}`;
}

/** Changes when a pod, Deployment, Service or claim of the session of this name does. */
export function workloadTopic(namespace: string, session: string): Topic {
  return `workload/${namespace}/${session}`;
}
