import { describe, expect, it } from 'vitest';
import { drain } from '../../operator/actions/drain/drain.ts';
import { bare, cartPods, params, webPods } from './drain-passes.ts';
import { contextFor, FakeCluster, makeBudget, makePod } from './fake-cluster.ts';

describe('the plan of a drain', () => {
  const planOf = (cluster: FakeCluster) => drain.plan(params, contextFor(cluster));

  it('K29 lists who goes, stays and has to wait, and writes nothing', async () => {
    const pods = [...cartPods('a', 'b', 'c'), makePod('m', { mirror: true }), ...webPods('z')];
    const cluster = new FakeCluster(pods, [makeBudget('cart', { disruptionsAllowed: 1 })]);
    expect(await planOf(cluster)).toEqual({
      change: 4,
      skip: ['shop/m: it is a static pod'],
      blocked: ['b', 'c'].map((name) => `shop/${name}: waits for budget shop/cart: 2 healthy pods needed, 2 there`),
    });
    expect(cluster.calls).toEqual(['get node', 'list']);
  });

  it('K16 plans nothing when one pod refuses', async () => {
    const cluster = new FakeCluster([...webPods('a'), bare('b')]);
    expect(await planOf(cluster)).toEqual({
      change: 0,
      skip: [],
      blocked: ['shop/b: pods without a controller (set force: true to delete them)'],
    });
  });

  it('M7 A6 names budgets that never allow it, and pods of several', async () => {
    const all = makeBudget('all', { selector: { matchLabels: { app: 'web' }, matchExpressions: [] } });
    const pods = [...cartPods('a'), makePod('b', { labels: { app: 'web' } })];
    const cluster = new FakeCluster(pods, [makeBudget('cart', { expectedPods: 2 }), makeBudget('web'), all]);
    expect((await planOf(cluster)).blocked).toEqual([
      'shop/a: budget shop/cart never allows a disruption: all 2 expected pods are needed',
      'shop/b: selected by more than one disruption budget: all, web',
    ]);
  });

  it('says that the node does not exist', async () => {
    const cluster = new FakeCluster();
    cluster.node = undefined;
    expect(await planOf(cluster)).toEqual({ change: 0, skip: [], blocked: ['node/n1: node n1 not found'] });
  });
});
