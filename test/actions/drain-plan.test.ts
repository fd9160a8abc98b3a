import { describe, expect, it } from 'vitest';
import { drain } from '../../operator/actions/drain/drain.ts';
import { planMessage, planStatus } from '../../operator/reconcilers/action-plan.ts';
import { bare, cartPods, params, webPods } from './drain-passes.ts';
import { contextFor, FakeCluster, makeBudget, makePod, START } from './fake-cluster.ts';

const inSeconds = (seconds: number) => new Date(START.getTime() + seconds * 1000).toISOString();

describe('the plan of a drain', () => {
  const planOf = (cluster: FakeCluster, asked = params) => drain.plan(asked, contextFor(cluster));

  it('K29 A10 E12 lists who goes, stays and has to wait, counts the budget down, and writes nothing', async () => {
    const pods = [...cartPods('a', 'b', 'c'), makePod('m', { mirror: true }), ...webPods('z')];
    const cluster = new FakeCluster(pods, [makeBudget('cart', { disruptionsAllowed: 1, currentHealthy: 3, expectedPods: 3 })]);
    const waits = 'waits for budget shop/cart: 2 healthy pods needed, 3 there';
    expect(await planOf(cluster)).toEqual({
      change: 4,
      skip: ['shop/m: it is a static pod'],
      blocked: [`shop/b: ${waits}; it would go in round 2`, `shop/c: ${waits}; it would go in round 3`],
      pods: [
        { pod: 'shop/b', verdict: 'Wait', reason: 'DisruptionBudget', budget: 'shop/cart', round: 2 },
        { pod: 'shop/c', verdict: 'Wait', reason: 'DisruptionBudget', budget: 'shop/cart', round: 3 },
        { pod: 'shop/a', verdict: 'Evict', budget: 'shop/cart', round: 1 },
        { pod: 'shop/z', verdict: 'Evict', round: 1 },
        { pod: 'shop/m', verdict: 'Skip', reason: 'StaticPod' },
      ],
      budgets: [{ budget: 'shop/cart', pods: 3, allowedNow: 1, rounds: 3 }],
      volumes: [],
      // Three rounds of 30 s grace, and 30 s for the replacements between two.
      estimateSeconds: 150,
    });
    expect(cluster.calls).toEqual(['get node', 'list']);
  });

  it('K16 F3 changes nothing when one pod refuses, and says what would become of the others', async () => {
    const cluster = new FakeCluster([...webPods('a'), bare('b')]);
    expect(await planOf(cluster)).toEqual({
      change: 0,
      skip: [],
      blocked: ['shop/b: pods without a controller (set force: true to delete them)'],
      pods: [
        { pod: 'shop/b', verdict: 'Refuse', reason: 'NoController' },
        { pod: 'shop/a', verdict: 'Evict', round: 1 },
      ],
      budgets: [],
      volumes: [],
    });
  });

  it('M7 A6 names budgets that never allow it, and pods of several; there is no time to tell then', async () => {
    const all = makeBudget('all', { selector: { matchLabels: { app: 'web' }, matchExpressions: [] } });
    const pods = [...cartPods('a'), makePod('b', { labels: { app: 'web' } })];
    const cluster = new FakeCluster(pods, [makeBudget('cart', { expectedPods: 2 }), makeBudget('web'), all]);
    const plan = await planOf(cluster);
    expect(plan).toMatchObject({
      blocked: [
        'shop/a: budget shop/cart never allows a disruption: all 2 expected pods are needed',
        'shop/b: selected by more than one disruption budget: shop/all, shop/web',
      ],
      pods: [
        { pod: 'shop/a', verdict: 'Wait', reason: 'PDBNeverSatisfiable', budget: 'shop/cart' },
        { pod: 'shop/b', verdict: 'Wait', reason: 'MultiplePDBs', budget: 'shop/all, shop/web' },
      ],
      budgets: [{ budget: 'shop/cart', pods: 1, allowedNow: 0 }],
    });
    expect(plan).not.toHaveProperty('estimateSeconds');
    expect(plan.budgets?.[0]).not.toHaveProperty('rounds');
  });

  it('F4 names the volumes of those that go, and reckons with each grace period', async () => {
    const pods = [
      makePod('a', { claims: ['data-a', 'logs-a'], graceSeconds: 90 }),
      makePod('b', { emptyDirs: [{ name: 'cache', medium: '' }] }),
      makePod('c', { deletionTimestamp: inSeconds(120) }),
      makePod('m', { mirror: true, claims: ['stays'] }),
    ];
    const plan = await planOf(new FakeCluster(pods), { ...params, deleteEmptyDirData: true });
    expect(plan.volumes).toEqual([
      { pod: 'shop/a', kind: 'PersistentVolumeClaim', name: 'data-a' },
      { pod: 'shop/a', kind: 'PersistentVolumeClaim', name: 'logs-a' },
      { pod: 'shop/b', kind: 'EmptyDir', name: 'cache' },
    ]);
    expect(plan.pods?.[0]).toEqual({ pod: 'shop/c', verdict: 'Wait', reason: 'Terminating', round: 1 });
    // What is terminating already has the time that the API server set.
    expect(plan.estimateSeconds).toBe(120);
    expect(await planOf(new FakeCluster(pods.slice(0, 1)))).toMatchObject({ estimateSeconds: 90 });
    expect(await planOf(new FakeCluster(pods.slice(0, 1)), { ...params, gracePeriodSeconds: 5 })).toMatchObject({ estimateSeconds: 5 });
  });

  it('says that the node does not exist', async () => {
    const cluster = new FakeCluster();
    cluster.node = undefined;
    expect(await planOf(cluster)).toEqual({ change: 0, skip: [], blocked: ['node/n1: node n1 not found'] });
  });

  it('M20 is bounded in the status: 50 of each list, what is in the way first, and counts', async () => {
    const names = Array.from({ length: 120 }, (_, index) => `p${String(index).padStart(3, '0')}`);
    const pods = names.map((name) => makePod(name, { labels: { app: 'cart' }, claims: [name] }));
    const budget = makeBudget('cart', { disruptionsAllowed: 40, currentHealthy: 120, desiredHealthy: 80, expectedPods: 120 });
    const plan = await planOf(new FakeCluster(pods, [budget]));
    const status = planStatus(plan);
    expect(status).toMatchObject({ change: 120, blockedOmitted: 30, podsOmitted: 70, volumesOmitted: 70, estimateSeconds: 150 });
    expect(status).not.toHaveProperty('budgetsOmitted');
    expect([status.pods?.length, status.blocked.length, status.volumes?.length]).toEqual([50, 50, 50]);
    expect(status.pods?.every(({ verdict }) => verdict === 'Wait')).toBe(true);
    expect(planMessage(plan)).toBe('would change 120, leave 0 alone; 80 in the way; takes about 150 s');
  });
});
