import { describe, expect, it } from 'vitest';
import { drain } from '../../operator/actions/drain/drain.ts';
import { type DrainRule, readRules } from '../../operator/actions/drain/rules.ts';
import { drainOf, nextOf, params, webPods } from './drain-passes.ts';
import { contextFor, FakeCluster, makePod, START } from './fake-cluster.ts';

const rule = (more: Partial<DrainRule>): DrainRule => ({ namespaces: [], behavior: 'Drain', order: 0, ...more });
const ruled = (rules: readonly DrainRule[]) => ({ ...params, rules: [...rules] });
const tier = (name: string, value: string) => makePod(name, { labels: { tier: value } });

describe('M8 the rules of a drain', () => {
  const rules = [rule({ podSelector: 'tier=db', order: 2 }), rule({ namespaces: ['shop'], behavior: 'Skip' }), rule({ order: 7 })];
  it.each([
    ['the first that matches', tier('a', 'db'), { behavior: 'Drain', order: 2 }],
    ['by namespace', tier('a', 'web'), { behavior: 'Skip', order: 0 }],
    ['one without a selector matches every pod', makePod('a', { namespace: 'bank' }), { behavior: 'Drain', order: 7 }],
  ])('%s', (_row, pod, part) => {
    expect(readRules(rules)(pod)).toEqual(part);
  });

  it('both selector and namespace must match', () => {
    const only = readRules([rule({ podSelector: 'tier=db', namespaces: ['bank'], order: 3 })]);
    expect(only(tier('a', 'db')).order).toBe(0);
    expect(only(makePod('a', { namespace: 'bank' })).order).toBe(0);
    expect(only(makePod('a', { namespace: 'bank', labels: { tier: 'db' } })).order).toBe(3);
  });
});

describe('M8 A22 the order of a drain', () => {
  it('the next order begins when all of the earlier have gone', async () => {
    const cluster = new FakeCluster([tier('db', 'db'), tier('web-1', 'web'), tier('web-2', 'web'), makePod('plain')]);
    const rules = [rule({ podSelector: 'tier=web', order: -1 }), rule({ podSelector: 'tier=db', order: 5 })];
    const pass = drainOf(cluster, {}, ruled(rules));
    await pass();
    expect(await pass()).toMatchObject({
      message: 'shop/web-1, shop/web-2 shutting down; shop/db, shop/plain to go after that',
      reason: 'WaitingForPods',
    });
    expect(cluster.evictions).toEqual(['web-1', 'web-2']);
    cluster.pods = cluster.pods.filter(({ name }) => name !== 'web-1');
    await pass();
    expect(cluster.evictions).toEqual(['web-1', 'web-2']);
    cluster.vanish();
    await pass();
    expect(cluster.evictions).toEqual(['web-1', 'web-2', 'plain']);
    cluster.vanish();
    await pass();
    cluster.vanish();
    expect(await pass()).toMatchObject({ state: 'succeeded', result: { evicted: 4 } });
    expect(cluster.evictions).toEqual(['web-1', 'web-2', 'plain', 'db']);
  });

  it("A30 the operator's own pod goes last, whatever its order", async () => {
    const cluster = new FakeCluster([tier('own', 'first'), makePod('web')]);
    const ownPod = { namespace: 'shop', name: 'own' };
    const pass = drainOf(cluster, { ownPod }, ruled([rule({ podSelector: 'tier=first', order: -5 })]));
    await pass();
    expect(await pass()).toMatchObject({ message: 'shop/web shutting down; shop/own goes last' });
    cluster.vanish();
    await pass();
    expect(cluster.evictions).toEqual(['web', 'own']);
  });
});

describe('M8 pods that end by themselves', () => {
  const waiting = ruled([rule({ podSelector: 'tier=batch', behavior: 'WaitCompleted' })]);

  it('are waited for, then evicted like any finished pod', async () => {
    const cluster = new FakeCluster([tier('job', 'batch'), ...webPods('web')]);
    const pass = drainOf(cluster, {}, waiting);
    await pass();
    await pass();
    cluster.vanish();
    expect(await pass()).toMatchObject({ reason: 'WaitingForCompletion', message: 'shop/job to end by itself', done: 1, total: 2 });
    expect(cluster.evictions).toEqual(['web']);
    cluster.pods = cluster.pods.map((pod) => ({ ...pod, phase: 'Succeeded' }));
    await pass();
    expect(cluster.evictions).toEqual(['web', 'job']);
  });

  it('hold back the pods of a later order, and the timeout names them', async () => {
    const rules = [...waiting.rules, rule({ order: 1 })];
    const cluster = new FakeCluster([tier('job', 'batch'), ...webPods('web')]);
    const pass = drainOf(cluster, {}, ruled(rules));
    await pass();
    expect(await pass()).toMatchObject({ message: 'shop/job to end by itself; shop/web to go after that' });
    expect(await pass(600)).toMatchObject({
      reason: 'Timeout',
      message: 'not done within 600 s; 0 of 2 pods evicted, left: shop/job, shop/web',
    });
    expect(cluster.evictions).toEqual([]);
  });
});

describe('A32 pods whose protection ends in time', () => {
  const marks = [{ name: 'karpenter.sh/do-not-disrupt' as const, value: '2m' }];
  const young = makePod('young', { disruption: { marks, startedAt: START.toISOString() } });

  it('are a blocker until then, and evicted after', async () => {
    const cluster = new FakeCluster([young, ...webPods('web')]);
    const pass = drainOf(cluster);
    await pass();
    await pass();
    cluster.vanish();
    const blocked = await pass(100);
    expect(blocked).toMatchObject({
      reason: 'DoNotDisrupt',
      message: 'shop/young held back: DoNotDisrupt, karpenter.sh/do-not-disrupt: 2m',
      blockers: [
        {
          pod: 'shop/young',
          cause: 'DoNotDisrupt',
          detail: 'karpenter.sh/do-not-disrupt: 2m',
          retryAt: '2026-01-02T03:06:05Z',
        },
      ],
    });
    expect(nextOf(blocked)).toMatchObject({ orAfter: 20 });
    await pass(120);
    expect(cluster.evictions).toEqual(['web', 'young']);
  });

  it('forbid a drain whose timeout comes first: nothing is written', async () => {
    const cluster = new FakeCluster([young, ...webPods('web')]);
    const pass = drainOf(cluster, {}, { ...params, timeoutSeconds: 60 });
    expect(await pass()).toMatchObject({ reason: 'DrainBlocked', message: expect.stringContaining('karpenter.sh/do-not-disrupt: 2m') });
    expect(cluster.calls.filter((call) => call.startsWith('patch') || call.startsWith('evict'))).toEqual([]);
  });

  it('a drain of pods without marks, rules or claims asks for nothing more', async () => {
    const cluster = new FakeCluster(webPods('a', 'b'));
    const pass = drainOf(cluster, {}, drain.params.parse({ nodeName: 'n1' }));
    await pass();
    await pass();
    cluster.vanish();
    await pass();
    expect(cluster.calls.map((call) => call.split(' {')[0])).toEqual([
      'get node',
      'patch',
      'list',
      // Read after the pods: they are of this node and of no namesake.
      'get node',
      'evict a',
      'evict b',
      'list',
      'get node',
    ]);
  });
});

describe('F4 the plan of a drain with rules and marks', () => {
  it('says who waits for what, and reckons no time for it', async () => {
    const marks = [{ name: 'karpenter.sh/do-not-disrupt' as const, value: '2m' }];
    const young = makePod('young', { disruption: { marks, startedAt: START.toISOString() } });
    const cluster = new FakeCluster([tier('db', 'db'), tier('job', 'batch'), young, ...webPods('web')]);
    const rules = [rule({ podSelector: 'tier=db', order: 1 }), rule({ podSelector: 'tier=batch', behavior: 'WaitCompleted' })];
    const plan = await drain.plan(ruled(rules), contextFor(cluster));
    expect(plan).toMatchObject({ change: 4, blocked: ['shop/job: left to end by itself', 'shop/young: not to be disrupted yet'] });
    expect(plan).not.toHaveProperty('estimateSeconds');
    const rows = plan.pods?.map(({ pod, verdict, reason }) => [pod, verdict, reason]);
    expect(rows).toEqual([
      ['shop/db', 'Wait', 'LaterOrder'],
      ['shop/job', 'Wait', 'WaitingForCompletion'],
      ['shop/young', 'Wait', 'DoNotDisrupt'],
      ['shop/web', 'Evict', undefined],
    ]);
  });

  it.each([
    [
      'a mark',
      makePod('a', { disruption: { marks: [{ name: 'cloudoptim.io/do-not-disrupt' as const, value: 'true' }] } }),
      'Refuse',
      'DoNotDisrupt',
    ],
    ['a rule', tier('a', 'skipped'), 'Skip', 'Rule'],
    ['a label', makePod('a', { labels: { 'cluster.x-k8s.io/drain': 'skip' } }), 'Skip', 'DrainLabel'],
  ] as const)('says that %s decides', async (_row, pod, verdict, reason) => {
    const asked = ruled([rule({ podSelector: 'tier=skipped', behavior: 'Skip' })]);
    const plan = await drain.plan(asked, contextFor(new FakeCluster([pod])));
    expect(plan.pods).toEqual([{ pod: 'shop/a', verdict, reason }]);
  });
});
