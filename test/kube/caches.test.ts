import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Budget } from '../../operator/kube/budget.ts';
import { Bus } from '../../operator/kube/bus.ts';
import { Caches } from '../../operator/kube/caches.ts';
import { projectNode } from '../../operator/kube/node.ts';
import { type Pod, projectPod } from '../../operator/kube/pod.ts';
import { budgetsTopic, nodeTopic, podsOnTopic, podTopic } from '../../operator/kube/topics.ts';

const metadata = (name: string, version: number, uid = name) => ({ namespace: 'shop', name, uid, resourceVersion: String(version) });
const pod = (name: string, version: number, nodeName: string, uid = name): Pod =>
  projectPod({ metadata: metadata(name, version, uid), spec: nodeName === '' ? {} : { nodeName } });

/** Caches, and the topics that change during a step. */
function make() {
  const bus = new Bus();
  const caches = new Caches(bus);
  const topics = ['a', 'b', 'n1', 'n2'].flatMap((name) => [nodeTopic(name), podsOnTopic(name), podTopic('shop', name)]);
  const during = (step: () => void) => {
    const listening = bus.listen();
    step();
    listening.close();
    return [...topics, budgetsTopic('shop')].filter((topic) => listening.heard([topic])).sort();
  };
  return { caches, during };
}

test('a pod is found by its name and on its node; each change is told to those who wait for the pod or the node', () => {
  const { caches, during } = make();
  const { podStore } = caches;
  expect(during(() => podStore.apply(pod('a', 1, '')))).toEqual([podTopic('shop', 'a')]);
  expect(caches.podsOn('')).toEqual([]);
  expect(during(() => podStore.apply(pod('a', 2, 'n1')))).toEqual([podTopic('shop', 'a'), podsOnTopic('n1')].sort());
  expect(caches.podsOn('n1')).toEqual([pod('a', 2, 'n1')]);
  expect(caches.pod('shop', 'a')).toEqual(pod('a', 2, 'n1'));
  expect(during(() => podStore.apply(pod('a', 9, 'n2', 'again')))).toEqual(
    [podTopic('shop', 'a'), podsOnTopic('n1'), podsOnTopic('n2')].sort(),
  );
  expect([caches.podsOn('n1'), caches.podsOn('n2')]).toEqual([[], [pod('a', 9, 'n2', 'again')]]);
  expect(during(() => podStore.remove(pod('a', 10, 'n2', 'again')))).toEqual([podTopic('shop', 'a'), podsOnTopic('n2')].sort());
  expect([caches.podsOn('n2'), [...caches.pods()]]).toEqual([[], []]);
});

test('nodes and budgets are found and told', () => {
  const { caches, during } = make();
  const node = projectNode({ metadata: { name: 'n1', uid: 'u', resourceVersion: '1' } });
  expect(during(() => caches.nodeStore.apply(node))).toEqual([nodeTopic('n1')]);
  expect([caches.node('n1'), caches.nodes(), caches.node('n2')]).toEqual([node, [node], undefined]);
  const budget = (version: number) => metadata('web', version) as unknown as Budget;
  expect(during(() => caches.budgetStore.apply(budget(1)))).toEqual([budgetsTopic('shop')]);
  expect(during(() => caches.budgetStore.apply(budget(2)))).toEqual([budgetsTopic('shop')]);
  expect([caches.budgets('shop'), caches.budgets('other')]).toEqual([[budget(2)], []]);
  expect(during(() => caches.budgetStore.remove(budget(3)))).toEqual([budgetsTopic('shop')]);
  expect(caches.budgets('shop')).toEqual([]);
});

const change = fc.record({
  name: fc.constantFrom('a', 'b', 'c'),
  uid: fc.constantFrom('1', '2'),
  node: fc.constantFrom('', 'n1', 'n2'),
  gone: fc.boolean(),
});

test('whatever happens, the pods by node are those of the store', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
      const { caches } = make();
      for (const [version, { name, uid, node, gone }] of changes.entries()) {
        const value = pod(name, version + 1, node, uid);
        if (gone) caches.podStore.remove(value);
        else caches.podStore.apply(value);
        for (const each of ['n1', 'n2']) {
          const expected = [...caches.pods()].filter(({ nodeName }) => nodeName === each).map((one) => one.name);
          expect(
            caches
              .podsOn(each)
              .map((one) => one.name)
              .sort(),
          ).toEqual(expected.sort());
        }
      }
    }),
  );
});
