import { describe, expect, it } from 'vitest';
import type { Progress } from '../../operator/actions/action.ts';
import { controlPlane } from '../cluster/shared.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { blockersIn, type Ground, useLive } from './ground.ts';
import { kubectlDrain } from './kubectl-drain.ts';
import { breakWebhook, createBudget, denyEviction, oneSeat, tryEviction } from './obstacles.ts';
import { behindProxy, restrict } from './restricted.ts';
import { createOwner, setPhase } from './zoo.ts';

const on = useLive();
const { api } = controlPlane;

const evictionsOf = (ground: Ground, name: string) => ground.writes().filter((line) => line === `evict ${ground.t.namespace}/${name}`);
const isRunning = (progress: Progress) => progress.state === 'running';

/** Pods of one owner, each labelled `app=<name>`. */
async function createPods(ground: Ground, ...names: readonly string[]): Promise<void> {
  const owner = await createOwner(ground);
  await Promise.all(names.map((name) => ground.pod(name, { metadata: { ...owner, labels: { app: name } } })));
}

/** Does something once, after the first pass that tried an eviction. */
function afterFirstTry(ground: Ground, act: () => Promise<unknown>) {
  const tries = () => ground.writes().filter((line) => line.startsWith('evict ')).length;
  const before = tries();
  let done = false;
  return async () => {
    if (done || tries() === before) return;
    done = true;
    await act();
  };
}

const select = (...apps: readonly string[]) => ({ selector: { matchExpressions: [{ key: 'app', operator: 'In', values: apps }] } });

describe.concurrent('what the eviction endpoint answers', () => {
  it('E1: pending and finished pods go whatever the budget says, a running one waits', async () => {
    const ground = await on.ground('unguarded');
    await createPods(ground, 'running', 'finished');
    // No kubelet plays on this node: its pod stays pending, and without a grace period it goes at once.
    const node = `${ground.node}-idle`;
    const { metadata } = await api.create<{ metadata: { uid: string } }>('/api/v1/nodes', { metadata: { name: node } });
    try {
      const idle = { nodeName: node, terminationGracePeriodSeconds: 0 };
      await ground.pod('pending', { metadata: { ...(await createOwner(ground)), labels: { app: 'pending' } }, spec: idle }, 'there');
      await setPhase(ground, 'finished', 'Succeeded');
      await createBudget(ground, 'all', { ...select('running', 'finished', 'pending'), minAvailable: 3 });
      await waitFor(() => on.live.cluster.view.budgets(ground.t.namespace)[0]?.observed, { what: 'the budget is counted' });
      expect(await tryEviction(ground, 'running')).toMatchObject({ status: 429 });
      const pending = await ground.drain({ nodeName: node } as object, { targetUID: metadata.uid });
      expect(pending.end).toMatchObject({ state: 'succeeded', result: { evicted: 1 } });
      const { end } = await ground.drain({ timeoutSeconds: 3 });
      expect(end).toMatchObject({ reason: 'Timeout', result: { evicted: 1, remainingPods: [`${ground.t.namespace}/running`] } });
    } finally {
      await api.remove(`/api/v1/nodes/${node}`);
    }
  });

  it('E2: while the budget allows none the blocker shows needed and current, and its change lets the drain go on', async () => {
    const ground = await on.ground('budget');
    await ground.t.createDeployment({ name: 'guarded', replicas: 3, budget: { maxUnavailable: 0 } });
    const path = `/apis/policy/v1/namespaces/${ground.t.namespace}/poddisruptionbudgets/guarded`;
    await ground.t.createNodes(1);
    const after = afterFirstTry(ground, () => api.patch(path, { spec: { maxUnavailable: 1 } }));
    const { end, passes } = await ground.drain({}, { after });
    expect(end).toMatchObject({ state: 'succeeded', result: { evicted: 3 } });
    expect(blockersIn(passes)[0]).toMatchObject({ budget: 'guarded', currentHealthy: 3, desiredHealthy: 3 });
  });

  it('E3: a budget that its controller has not counted is asked again when it said so, and is no blocker', async () => {
    const ground = await on.ground('uncounted');
    await createPods(ground, 'app');
    // Its controller cannot count pods of an owner without a scale, so that the budget stays unobserved.
    const { path } = await createBudget(ground, 'app', { ...select('app'), maxUnavailable: 1 });
    await waitFor(() => on.live.cluster.view.budgets(ground.t.namespace)[0], { what: 'the watch shows the budget' });
    const after = afterFirstTry(ground, () => api.remove(path));
    const { end, passes } = await ground.drain({}, { after });
    const first = passes.findIndex((progress) => isRunning(progress) && progress.message.includes('to be evicted'));
    expect(passes[first]).toMatchObject({ reason: 'InProgress', blockers: [] });
    const next = passes[first]?.state === 'running' ? passes[first].next : undefined;
    expect(next?.kind === 'when' ? next.orAfter : 0).toBeGreaterThan(8);
    expect(blockersIn(passes)).toEqual([]);
    expect(end).toMatchObject({ state: 'succeeded' });
    expect(evictionsOf(ground, 'app')).toHaveLength(2);
  });

  it('E4: the API server protecting itself is waited for, all evictions together, and is never shown as a budget', async () => {
    const ground = await on.ground('busy');
    const names = ['a', 'b', 'c'];
    await createPods(ground, ...names);
    await ground.pod('seated', { metadata: { labels: { app: 'seated' } } });
    await createBudget(ground, 'all', { ...select(...names), minAvailable: 0 });
    await waitFor(() => on.live.cluster.view.budgets(ground.t.namespace)[0]?.observed, { what: 'the budget is counted' });
    await using somebody = await restrict(ground);
    await using level = await oneSeat(ground);
    await using gate = await breakWebhook(ground, 'seated', 'hangs');
    const { namespace } = ground.t;
    const uid = on.live.cluster.view.pod(namespace, 'seated')?.uid ?? '';
    const signal = new AbortController().signal;
    const seated = { namespace, name: 'seated', uid };
    // The webhook may not be in force yet for the first ones: a stale UID makes them harmless.
    const sit = async () => somebody.live.cluster.evict({ ...seated, uid: '0' }, undefined, signal).catch(() => undefined);
    await waitFor(async () => Promise.race([gate.asked, sit().then(() => false)]), { what: 'the only seat is taken' });
    const tries = () => evictionsOf(somebody.ground, 'a').length;
    const shown: Progress[] = [];
    let closed = true;
    const after = async (progress: Progress) => {
      if (closed) shown.push(progress);
      if (!closed || tries() < 2) return;
      closed = false;
      await gate.remove();
      await level.remove();
    };
    const { end } = await somebody.ground.drain({ podSelector: 'app in (a,b,c)' }, { after });
    expect(end).toMatchObject({ state: 'succeeded', result: { evicted: 3 } });
    expect(shown.slice(1).map(({ message }) => message)).toEqual(Array(shown.length - 1).fill(expect.stringContaining('to be evicted')));
    expect(shown.at(-1)).toMatchObject({ reason: 'InProgress', done: 0 });
    expect(blockersIn(shown)).toEqual([]);
    // Nobody else was sent ahead while the server asked for a pause.
    expect(somebody.ground.writes().indexOf(`evict ${namespace}/b`)).toBeGreaterThan(
      somebody.ground.writes().indexOf(`evict ${namespace}/a`) + 1,
    );
  });

  it('E5: two budgets on one pod are named, without a storm of retries, and when one goes the pod does', async () => {
    const ground = await on.ground('twice');
    await createPods(ground, 'app');
    const { path } = await createBudget(ground, 'one', { ...select('app'), minAvailable: 0 });
    await createBudget(ground, 'two', { selector: {}, minAvailable: 0 });
    await waitFor(() => on.live.cluster.view.budgets(ground.t.namespace).length === 2, { what: 'the watch shows both budgets' });
    const given = await ground.drain({ timeoutSeconds: 3 });
    expect(given.end).toMatchObject({ reason: 'Timeout', blockers: [{ cause: 'MultiplePDBs', budget: 'one, two' }] });
    expect(evictionsOf(ground, 'app')).toHaveLength(1);
    let tries = 0;
    const after = async () => void (evictionsOf(ground, 'app').length === 2 && ++tries === 1 && (await api.remove(path)));
    const { end } = await ground.drain({}, { after });
    expect(end).toMatchObject({ state: 'succeeded' });
    expect(evictionsOf(ground, 'app')).toHaveLength(3);
  });

  it('E6: a conflict is no answer: under another UID the pod has gone, under the same one it is tried again', async () => {
    const ground = await on.ground('conflict');
    await createPods(ground, 'app');
    await using somebody = await behindProxy(ground);
    const lostRace = { kind: 'Status', status: 'Failure', code: 409, reason: 'Conflict', message: 'the object has been modified' };
    let races = 2;
    somebody.proxy.fault(({ path }) =>
      path.includes('/eviction') && races-- > 0 ? { kind: 'answer', status: 409, body: lostRace } : undefined,
    );
    const raced = await somebody.ground.drain();
    expect(raced.end).toMatchObject({ state: 'succeeded', result: { evicted: 1 } });
    expect(evictionsOf(somebody.ground, 'app')).toHaveLength(3);
    expect(blockersIn(raced.passes)).toEqual([]);

    // Now the real thing: the pod is another one, elsewhere, by the time the eviction arrives.
    somebody.proxy.fault(undefined);
    const [elsewhere = ''] = await ground.t.createNodes(1);
    await createPods(ground, 'moved');
    const swap = async () => {
      await api.remove(`/api/v1/namespaces/${ground.t.namespace}/pods/moved`, { gracePeriodSeconds: 0 });
      // kwok may take a pod for its namesake that has just gone, and leave it pending.
      await ground.pod('moved', { spec: { nodeName: elsewhere } }, 'there');
    };
    let swapped = false;
    const { end } = await ground.drain(
      { podSelector: 'app=moved' },
      {
        port: (cluster) => ({
          ...cluster,
          evict: async (...call) => {
            if (!swapped) await swap();
            swapped = true;
            return cluster.evict(...call);
          },
        }),
      },
    );
    expect(end).toMatchObject({ state: 'succeeded' });
    expect(evictionsOf(ground, 'moved')).toHaveLength(1);
    const moved = on.live.cluster.view.pod(ground.t.namespace, 'moved');
    expect(moved).toMatchObject({ nodeName: elsewhere });
    expect(moved).not.toHaveProperty('deletionTimestamp');
  });

  it('E7: a server that gave up updating the budget is asked again when it said so', async () => {
    const ground = await on.ground('gave-up');
    await createPods(ground, 'app');
    await using somebody = await behindProxy(ground);
    const details = { retryAfterSeconds: 1 };
    const body = {
      kind: 'Status',
      status: 'Failure',
      code: 504,
      reason: 'Timeout',
      message: 'couldn\'t update PodDisruptionBudget "x"',
      details,
    };
    let answers = 1;
    const fault = { kind: 'answer', status: 504, headers: { 'retry-after': '1' }, body } as const;
    somebody.proxy.fault(({ path }) => (path.includes('/eviction') && answers-- > 0 ? fault : undefined));
    const { end, passes } = await somebody.ground.drain();
    expect(end).toMatchObject({ state: 'succeeded', result: { evicted: 1 } });
    expect(evictionsOf(somebody.ground, 'app')).toHaveLength(2);
    expect(blockersIn(passes)).toEqual([]);
  });

  it('E8 K23: in a namespace that goes away the pod is waited for, as it goes by itself', async () => {
    const ground = await on.ground('leaving');
    await createPods(ground, 'app');
    await api.remove(`/api/v1/namespaces/${ground.t.namespace}`);
    expect(await tryEviction(ground, 'app')).toMatchObject({ status: 403, message: expect.stringContaining('being terminated') });
    const { end, passes } = await ground.drain({ timeoutSeconds: 40 });
    expect(end).toMatchObject({ state: 'succeeded' });
    expect(blockersIn(passes)).toEqual([]);
    expect(await ground.left()).toEqual([]);
  });

  it('E9: a refusal that names the budget is about its numbers: it is shown, and tried again', async () => {
    const ground = await on.ground('unconfirmed');
    await createPods(ground, 'app');
    const { path } = await createBudget(ground, 'app', { ...select('app'), maxUnavailable: 1 });
    const disruptedPods = Object.fromEntries(Array.from({ length: 2001 }, (_, index) => [`p${index}`, '2030-01-01T00:00:00Z']));
    await api.patch(`${path}/status`, { status: { observedGeneration: 1, disruptedPods } });
    expect(await tryEviction(ground, 'app')).toMatchObject({ status: 403, message: expect.stringContaining('DisruptedPods map too big') });
    await waitFor(() => on.live.cluster.view.budgets(ground.t.namespace)[0]?.observed, { what: 'the watch shows the budget' });
    const after = afterFirstTry(ground, () => api.remove(path));
    const { end, passes } = await ground.drain({}, { after });
    expect(blockersIn(passes)[0]).toMatchObject({ cause: 'DisruptionBudget', budget: 'app' });
    expect(end).toMatchObject({ state: 'succeeded', result: { evicted: 1 } });
  });

  it('E10: a missing right ends the drain at once and is named, as kubectl does', async () => {
    const ground = await on.ground('rightless');
    await createPods(ground, 'app');
    await using somebody = await restrict(ground, 'create pods/eviction');
    const { end } = await somebody.ground.drain();
    const missing = 'cannot create resource "pods/eviction"';
    expect(end).toMatchObject({
      state: 'failed',
      reason: 'Forbidden',
      message: expect.stringContaining(missing),
      result: { remaining: 1 },
    });
    expect(evictionsOf(somebody.ground, 'app')).toHaveLength(1);
    const theirs = await kubectlDrain(ground.node, ['--timeout=20s'], somebody.kubeconfig);
    expect(theirs).toMatchObject({ code: 1, stderr: expect.stringContaining(missing) });
  });

  it('E11 K24: what admission refuses is shown and tried again, and the other pods go on', async () => {
    const ground = await on.ground('denied');
    await createPods(ground, 'denied', 'unheard', 'free');
    await using policy = await denyEviction(ground, 'denied');
    await using webhook = await breakWebhook(ground, 'unheard', 'refuses');
    const cleared = { yet: false };
    const after = async (progress: Progress) => {
      const isShown = blockersIn([progress]).some(({ cause }) => cause === 'WebhookDenied');
      if (cleared.yet || !isShown || progress.done !== 1) return;
      cleared.yet = true;
      expect(await ground.left()).toEqual(['denied', 'unheard']);
      await policy.remove();
      await webhook.remove();
    };
    const { end, passes } = await ground.drain({}, { after });
    const { namespace } = ground.t;
    expect(new Set(blockersIn(passes).map((each) => `${each.pod} ${each.cause}`))).toEqual(
      new Set([`${namespace}/denied WebhookDenied`, `${namespace}/unheard WebhookUnavailable`]),
    );
    expect(end).toMatchObject({ state: 'succeeded', result: { evicted: 3 } });
  });

  it('E12: ten dry runs of the API server pass where one eviction is allowed; our plan counts the budget down', async () => {
    const ground = await on.ground('dry');
    const pods = await ground.t.createDeployment({ name: 'ten', replicas: 10, budget: { maxUnavailable: 1 } });
    const answers = await Promise.all(pods.map(({ metadata }) => tryEviction(ground, metadata.name)));
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(201));
    const theirs = await kubectlDrain(ground.node, ['--dry-run=server', '--timeout=20s']);
    expect(theirs.code).toBe(0);
    expect(theirs.stdout.match(/^evicting pod .* \(server dry run\)$/gm)).toHaveLength(10);
    await waitFor(() => on.live.cluster.view.budgets(ground.t.namespace)[0]?.disruptionsAllowed === 1, {
      what: 'the watch shows the budget',
    });
    const plan = await ground.plan();
    expect(plan.change).toBe(10);
    expect(plan.blocked.filter((line) => line.includes(`waits for budget ${ground.t.namespace}/ten`))).toHaveLength(9);
    expect(ground.writes()).toEqual([]);
  });
});
