import type { Budget } from './budget.ts';
import type { Bus } from './bus.ts';
import type { ClusterView } from './cluster.ts';
import type { Node } from './node.ts';
import type { Pod } from './pod.ts';
import { Store } from './store.ts';
import { budgetsTopic, nodeTopic, podsOnTopic, podTopic } from './topics.ts';

/** The watched nodes, pods and budgets with the indexes that executors and snapshots need; every change is published on the bus. */
export class Caches implements ClusterView {
  readonly nodeStore = new Store<Node>((node) => ({ key: node.name, uid: node.uid, resourceVersion: node.resourceVersion }));
  readonly podStore = new Store<Pod>((pod) => ({
    key: `${pod.namespace}/${pod.name}`,
    uid: pod.uid,
    resourceVersion: pod.resourceVersion,
  }));
  readonly budgetStore = new Store<Budget>((budget) => ({
    key: `${budget.namespace}/${budget.name}`,
    uid: budget.uid,
    resourceVersion: budget.resourceVersion,
  }));
  readonly #podsByNode = new Map<string, Map<string, Pod>>();
  readonly #budgetsByNamespace = new Map<string, Map<string, Budget>>();

  constructor(bus: Bus) {
    this.nodeStore.onChange((before, after) => bus.publish(nodeTopic((after ?? before)?.name ?? '')));
    this.podStore.onChange((before, after) => this.#podChanged(before, after, bus));
    this.budgetStore.onChange((before, after) => this.#budgetChanged(before, after, bus));
  }

  node(name: string): Node | undefined {
    return this.nodeStore.get(name);
  }

  nodes(): readonly Node[] {
    return [...this.nodeStore.values()];
  }

  pod(namespace: string, name: string): Pod | undefined {
    return this.podStore.get(`${namespace}/${name}`);
  }

  pods(): Iterable<Pod> {
    return this.podStore.values();
  }

  podsOn(nodeName: string): readonly Pod[] {
    return [...(this.#podsByNode.get(nodeName)?.values() ?? [])];
  }

  budgets(namespace: string): readonly Budget[] {
    return [...(this.#budgetsByNamespace.get(namespace)?.values() ?? [])];
  }

  #podChanged(before: Pod | undefined, after: Pod | undefined, bus: Bus): void {
    if (before?.nodeName) removeFrom(this.#podsByNode, before.nodeName, `${before.namespace}/${before.name}`);
    if (after?.nodeName) addTo(this.#podsByNode, after.nodeName, `${after.namespace}/${after.name}`, after);
    const pod = after ?? before;
    if (!pod) return;
    bus.publish(podTopic(pod.namespace, pod.name));
    if (before?.nodeName) bus.publish(podsOnTopic(before.nodeName));
    if (after?.nodeName && after.nodeName !== before?.nodeName) bus.publish(podsOnTopic(after.nodeName));
  }

  #budgetChanged(before: Budget | undefined, after: Budget | undefined, bus: Bus): void {
    const budget = after ?? before;
    if (!budget) return;
    if (after) addTo(this.#budgetsByNamespace, after.namespace, after.name, after);
    else removeFrom(this.#budgetsByNamespace, budget.namespace, budget.name);
    bus.publish(budgetsTopic(budget.namespace));
  }
}

function addTo<T>(index: Map<string, Map<string, T>>, group: string, key: string, value: T): void {
  const members = index.get(group);
  if (members) members.set(key, value);
  else index.set(group, new Map([[key, value]]));
}

function removeFrom<T>(index: Map<string, Map<string, T>>, group: string, key: string): void {
  const members = index.get(group);
  members?.delete(key);
  if (members?.size === 0) index.delete(group);
}
