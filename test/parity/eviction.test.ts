import { describe, expect, it } from 'vitest';
import { deletePod } from '../../operator/actions/delete-pod.ts';
import { evict } from '../../operator/actions/evict.ts';
import type { Cluster } from '../../operator/kube/cluster.ts';
import { controlPlane } from '../cluster/shared.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { blockersIn, type Ground, useLive } from './ground.ts';
import { kubectlDrain } from './kubectl-drain.ts';
import { createBudget } from './obstacles.ts';
import { behindProxy } from './restricted.ts';
import { createOwner } from './zoo.ts';

const on = useLive();
const { api } = controlPlane;

const evictionsOf = (ground: Ground, name: string) => ground.writes().filter((line) => line === `evict ${ground.t.namespace}/${name}`);
const select = (app: string) => ({ selector: { matchLabels: { app } } });
const pathOf = (ground: Ground, name: string) => `/api/v1/namespaces/${ground.t.namespace}/pods/${name}`;

/** Does something right before the first eviction. */
function beforeEviction(act: () => Promise<unknown>) {
  let done: Promise<unknown> | undefined;
  return (cluster: Cluster): Cluster => ({
    ...cluster,
    evict: async (...call) => {
      done ??= act();
      await done;
      return cluster.evict(...call);
    },
  });
}

/** Keeps the kubelet from ending the pod before anybody has looked. */
const SLOW = { annotations: { 'cloudoptim.test/terminates-after': '60s' } };

describe.concurrent('how pods are evicted, beside the real kubectl', () => {
  it('K18: a missing eviction endpoint is an error to wait for, and never a DELETE', async () => {
    const ground = await on.ground('endpoint');
    await ground.pod('app', { metadata: await createOwner(ground) });
    await using somebody = await behindProxy(ground);
    const isEviction = (path: string) => path.includes('/eviction');
    somebody.proxy.fault(({ path }) => (isEviction(path) ? { kind: 'answer', status: 404, body: '404 page not found\n' } : undefined));
    const after = async () => {
      if (evictionsOf(somebody.ground, 'app').length > 0) somebody.proxy.fault(undefined);
    };
    const { end, passes } = await somebody.ground.drain({}, { after });
    expect(blockersIn(passes)[0]).toMatchObject({ cause: 'EvictionRefused' });
    expect(end).toMatchObject({ state: 'succeeded', result: { evicted: 1 } });
    expect(somebody.proxy.requests.filter(({ method }) => method === 'DELETE')).toEqual([]);
  });

  it("K19: a pod gets its own grace, or what is asked for, as from kubectl's --grace-period", async () => {
    const ground = await on.ground('grace');
    const owner = await createOwner(ground);
    const more = { metadata: { ...owner, ...SLOW }, spec: { terminationGracePeriodSeconds: 45 } };
    const names = ['own', 'asked', 'own-kubectl', 'asked-kubectl'];
    await Promise.all(names.map((name) => ground.pod(name, { ...more, metadata: { ...more.metadata, labels: { app: name } } })));
    /** The grace that the pod was given, as soon as it was asked to go; then it goes, and what waits for it ends. */
    const graceOf = async (name: string) => {
      interface Terminating {
        metadata: { deletionTimestamp?: string; deletionGracePeriodSeconds?: number };
      }
      const look = async () => (await api.get<Terminating>(pathOf(ground, name))).metadata;
      const asked = await waitFor(async () => ((await look()).deletionTimestamp ? look() : undefined), { what: `${name} was asked to go` });
      await api.remove(pathOf(ground, name), { gracePeriodSeconds: 0 });
      return asked.deletionGracePeriodSeconds;
    };
    const drains = [
      ground.drain({ podSelector: 'app=own' }),
      ground.drain({ podSelector: 'app=asked', gracePeriodSeconds: 7 }),
      kubectlDrain(ground.node, ['--pod-selector=app=own-kubectl', '--timeout=40s']),
      kubectlDrain(ground.node, ['--pod-selector=app=asked-kubectl', '--timeout=40s', '--grace-period=7']),
    ];
    expect(await Promise.all(names.map(graceOf))).toEqual([45, 7, 45, 7]);
    await Promise.all(drains);
  });

  it('K20: at most 50 evictions of a node are under way at a time, where kubectl has no bound', async () => {
    const ground = await on.ground('width');
    const owner = await createOwner(ground);
    await Promise.all(Array.from({ length: 60 }, (_, index) => ground.pod(`p${index}`, { metadata: owner })));
    const full = Promise.withResolvers<void>();
    let [now, most] = [0, 0];
    const port = (cluster: Cluster): Cluster => ({
      ...cluster,
      evict: async (...call) => {
        most = Math.max(most, ++now);
        // Nobody comes back before there are 50: more than that would be seen.
        if (now === 50) full.resolve();
        await full.promise;
        await cluster.evict(...call);
        now--;
      },
    });
    const { end } = await ground.drain({}, { port });
    expect(end).toMatchObject({ state: 'succeeded', result: { evicted: 60 } });
    expect(most).toBe(50);
  });

  it('K21: an accepted pod is waited for until it has gone, one that had gone before is not', async () => {
    const ground = await on.ground('gone');
    const owner = await createOwner(ground);
    const slow = { annotations: { 'cloudoptim.test/terminates-after': '1s' } };
    await ground.pod('slow', { metadata: { ...owner, ...slow, labels: { app: 'slow' } } });
    const waited = await ground.drain({ podSelector: 'app=slow' });
    expect(waited.passes.at(-2)).toMatchObject({ state: 'running', reason: 'WaitingForPods', done: 0 });
    expect(waited.end).toMatchObject({ state: 'succeeded', result: { evicted: 1 } });
    expect(evictionsOf(ground, 'slow')).toHaveLength(1);
    await ground.pod('before', { metadata: { ...owner, labels: { app: 'before' } } });
    const isGone = async () => (await api.call('GET', pathOf(ground, 'before'))).status === 404;
    const port = beforeEviction(async () => {
      await api.remove(pathOf(ground, 'before'), { gracePeriodSeconds: 0 });
      await waitFor(isGone, { what: 'the pod is gone' });
    });
    const { end } = await ground.drain({ podSelector: 'app=before' }, { port });
    expect(end).toMatchObject({ state: 'succeeded' });
    expect(evictionsOf(ground, 'before')).toHaveLength(1);
  });

  it('K22: a refusal without Retry-After waits for the budget to change, with one it waits as long as asked; no wait is slept through', async () => {
    const ground = await on.ground('pauses');
    await ground.t.createDeployment({ name: 'held', replicas: 1, budget: { minAvailable: 1 } });
    await using somebody = await behindProxy(ground);
    /** Seconds until the next look, as the pass after the first, the second try said. */
    const waits = new Map<number, number>();
    const tries = () => somebody.ground.writes().filter((line) => line.startsWith('evict ')).length;
    let answers = 1;
    const causes = [{ reason: 'DisruptionBudget', message: 'not counted yet' }];
    const body = { kind: 'Status', status: 'Failure', code: 429, reason: 'TooManyRequests', message: 'x', details: { causes } };
    const fault = { kind: 'answer', status: 429, headers: { 'retry-after': '3' }, body } as const;
    somebody.proxy.fault(({ path }) => (path.includes('/eviction') && answers-- > 0 ? fault : undefined));
    const path = `/apis/policy/v1/namespaces/${ground.t.namespace}/poddisruptionbudgets/held`;
    const { end } = await somebody.ground.drain(
      {},
      {
        after: async (progress) => {
          if (progress.state !== 'running' || progress.next.kind !== 'when') return;
          if (waits.has(tries())) return;
          waits.set(tries(), progress.next.orAfter);
          if (tries() === 2) await api.patch(path, { spec: { minAvailable: 0 } });
        },
      },
    );
    expect(end).toMatchObject({ state: 'succeeded', result: { evicted: 1 } });
    // The pass came back at once and said when to look again: as asked, then until the budget changes, ten minutes at most.
    expect(waits.get(1)).toBeGreaterThan(1);
    expect(waits.get(1)).toBeLessThanOrEqual(3);
    expect(waits.get(2)).toBeGreaterThan(300);
    expect(waits.get(2)).toBeLessThanOrEqual(600);
    expect(tries()).toBe(3);
  });

  it('K25: a pod that came back elsewhere under its name while its budget said no is left alone, where kubectl evicts it', async () => {
    const ours = await on.ground('came-back');
    const theirs = await on.ground('came-back-kubectl');
    /** Moves the pod to another node and lets it be evicted from then on. */
    const prepare = async (ground: Ground) => {
      const metadata = { ...(await createOwner(ground)), labels: { app: 'app' } };
      await ground.pod('app', { metadata });
      const budget = await createBudget(ground, 'app', { ...select('app'), minAvailable: 1 });
      await waitFor(() => on.live.cluster.view.budgets(ground.t.namespace)[0]?.observed, { what: 'the budget is counted' });
      const [elsewhere = ''] = await ground.t.createNodes(1);
      return async () => {
        await api.remove(pathOf(ground, 'app'), { gracePeriodSeconds: 0 });
        const isGone = async () => (await api.call('GET', pathOf(ground, 'app'))).status === 404;
        await waitFor(isGone, { what: 'the pod is gone' });
        // kwok may take a pod for its namesake that has just gone, and leave it pending.
        await ground.pod('app', { metadata, spec: { nodeName: elsewhere } }, 'there');
        await api.remove(budget.path);
      };
    };
    const [move, moveTheirs] = await Promise.all([prepare(ours), prepare(theirs)]);
    const kubectl = kubectlDrain(theirs.node, ['--timeout=30s']);
    const isRefused = async () =>
      (await controlPlane.auditEvents()).some(
        ({ objectRef, responseStatus }) =>
          objectRef?.subresource === 'eviction' && objectRef.namespace === theirs.t.namespace && responseStatus?.code === 429,
      );
    await waitFor(isRefused, { what: 'kubectl was refused' });
    await moveTheirs();
    let moved = false;
    const after = async () => {
      if (moved || evictionsOf(ours, 'app').length === 0) return;
      moved = true;
      await move();
    };
    const { end } = await ours.drain({}, { after });
    expect(end).toMatchObject({ state: 'succeeded' });
    expect(evictionsOf(ours, 'app')).toHaveLength(1);
    expect(await api.get(pathOf(ours, 'app'))).not.toHaveProperty('metadata.deletionTimestamp');
    await kubectl;
    expect((await api.call('GET', pathOf(theirs, 'app'))).status).toBe(404);
  });

  it('K28: there is no way around the eviction API in a drain; DeletePod deletes the one pod that is named, and says so', async () => {
    const ground = await on.ground('delete');
    const { namespace } = ground.t;
    const owner = await createOwner(ground);
    await Promise.all(['a', 'b', 'c'].map((name) => ground.pod(name, { metadata: { ...owner, labels: { app: 'held' } } })));
    await createBudget(ground, 'held', { ...select('held'), minAvailable: 3 });
    await waitFor(() => on.live.cluster.view.budgets(namespace)[0]?.observed, { what: 'the budget is counted' });
    const refused = await ground.drain({ force: true, timeoutSeconds: 3 });
    expect(refused.end).toMatchObject({ reason: 'Timeout', result: { remaining: 3 } });
    expect(ground.writes().filter((line) => line.startsWith('delete '))).toEqual([]);
    const uidOf = (name: string) => on.live.cluster.view.pod(namespace, name)?.uid ?? '';
    const results = await Promise.all([
      on.live.run(deletePod, { namespace, podName: 'a' }, { targetUID: uidOf('a') }),
      on.live.run(deletePod, { namespace, podName: 'b', uid: 'another' }, { targetUID: uidOf('b') }),
      on.live.run(evict, { namespace, podName: 'c', timeoutSeconds: 1 }, { targetUID: uidOf('c') }),
    ]);
    expect(results.map(({ end }) => end)).toMatchObject([
      { state: 'succeeded', result: { changed: true, gone: true } },
      { state: 'succeeded', result: { changed: false } },
      { state: 'failed', reason: 'Timeout', result: { gone: false } },
    ]);
    expect(await ground.left()).toEqual(['b', 'c']);
    expect(ground.writes().filter((line) => line.startsWith('delete '))).toEqual([`delete ${namespace}/a`]);
    // The reference asks no budget once it was told so.
    expect(await kubectlDrain(ground.node, ['--disable-eviction', '--timeout=20s'])).toMatchObject({ code: 0 });
    expect(await ground.left()).toEqual([]);
  });
});
