import { describe, expect, it } from 'vitest';
import { drain } from '../../operator/actions/drain/drain.ts';
import { controlPlane } from '../cluster/shared.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { planContext, useLive } from './ground.ts';
import { kubectlDrain } from './kubectl-drain.ts';
import { behindProxy } from './restricted.ts';

const on = useLive();
const { kubectl } = controlPlane;

describe.concurrent('how drains end, and what is only tried, beside the real kubectl', () => {
  it('K26 K32: the deadline counts from the recorded start, and the end names the pods that are left and why, where kubectl names the pods', async () => {
    const ground = await on.ground('deadline');
    const pods = await ground.t.createDeployment({ name: 'held', replicas: 2, budget: { minAvailable: 2 } });
    const names = pods.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).sort();
    const { end } = await ground.drain({ timeoutSeconds: 3 });
    const blocker = { cause: 'PDBNeverSatisfiable', budget: 'held' };
    expect(end).toMatchObject({ state: 'failed', reason: 'Timeout', blockers: names.map((pod) => ({ pod, ...blocker })) });
    expect(end).toMatchObject({ result: { evicted: 0, remaining: 2, remainingPods: names } });
    expect(end.message).toContain('which never allows a disruption: all 2 expected pods are healthy and all are needed');
    // Another process goes on with the same request: nothing is tried any more.
    const before = ground.writes().length;
    const startedAt = new Date(Date.now() - 600_000);
    const late = await ground.drain({}, { startedAt });
    expect(late.end).toMatchObject({ reason: 'Timeout', message: expect.stringContaining('600 s') });
    expect(ground.writes()).toHaveLength(before);
    const theirs = await kubectlDrain(ground.node, ['--timeout=2s']);
    expect(theirs).toMatchObject({ code: 1, stderr: expect.stringContaining('global timeout reached: 2s') });
    for (const { metadata } of pods) expect(theirs.stderr).toContain(metadata.name);
    expect(theirs.stderr).not.toMatch(/never|healthy/);
  });

  it('K29: a plan sends nothing that changes anything, no more than kubectl with --dry-run=client', async () => {
    const ground = await on.ground('plan');
    const pods = await ground.t.createDeployment({ name: 'app', replicas: 2 });
    await using somebody = await behindProxy(ground);
    await waitFor(() => somebody.live.cluster.view.podsOn(ground.node).length === 2, { what: 'the watch shows the pods' });
    expect(await somebody.ground.plan()).toMatchObject({ change: 2, blocked: [] });
    const kubeconfig = await somebody.proxy.kubeconfig(somebody.kubeconfig);
    const theirs = await kubectlDrain(ground.node, ['--dry-run=client'], kubeconfig);
    expect(theirs.stdout.match(/^evicting pod /gm)).toHaveLength(2);
    expect(new Set(somebody.proxy.requests.map(({ method }) => method))).toEqual(new Set(['GET']));
    expect(await ground.left()).toEqual(pods.map(({ metadata }) => metadata.name).sort());
  });

  it('K30: a plan waits for nobody, neither for a pod that does not end nor for a budget, where a dry run of kubectl waits for that', async () => {
    const ground = await on.ground('no-wait');
    const slow = { terminatesAfter: '60s', budget: { minAvailable: 1 } };
    const [pod] = await ground.t.createDeployment({ name: 'slow', replicas: 1, ...slow });
    const { namespace } = ground.t;
    await using somebody = await behindProxy(ground);
    await waitFor(() => somebody.live.cluster.view.budgets(namespace)[0]?.observed, { what: 'the watch shows the budget' });
    const from = somebody.proxy.requests.length;
    const params = drain.params.parse({ nodeName: ground.node });
    const blocked = await drain.plan(params, planContext(somebody.live, ground.uid));
    expect(blocked).toMatchObject({ change: 1, blocked: [expect.stringContaining(`${namespace}/slow`)] });
    await controlPlane.api.remove(`/api/v1/namespaces/${namespace}/pods/${pod?.metadata.name}`);
    await drain.plan(params, planContext(somebody.live, ground.uid));
    // The node and its pods are read once per plan: nothing is looked at twice.
    const asked = somebody.proxy.requests.slice(from).filter(({ watch }) => !watch);
    expect(asked.map(({ method }) => method)).toEqual(['GET', 'GET', 'GET', 'GET']);
    // Even a dry run of kubectl asks the budget again and again.
    const theirs = await kubectlDrain(ground.node, ['--dry-run=server', '--timeout=2s']);
    expect(theirs).toMatchObject({ code: 1, stderr: expect.stringContaining('will retry after 5s') });
  });

  it('K31: every attempt is one request, and a pod counts once, however often it was tried', async () => {
    const ground = await on.ground('attempts');
    await ground.t.createDeployment({ name: 'app', replicas: 3, budget: { minAvailable: 3 } });
    await ground.t.createNodes(1);
    await using somebody = await behindProxy(ground);
    const { namespace } = ground.t;
    await waitFor(() => somebody.live.cluster.view.budgets(namespace)[0]?.observed, { what: 'the watch shows the budget' });
    const tries = () => somebody.ground.writes().filter((line) => line.startsWith('evict ')).length;
    const path = `/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets/app`;
    let opened = false;
    const after = async () => {
      if (opened || tries() === 0) return;
      opened = true;
      await controlPlane.api.patch(path, { spec: { minAvailable: 2 } });
    };
    const { end, passes } = await somebody.ground.drain({}, { after });
    expect(end).toMatchObject({ state: 'succeeded', done: 3, total: 3, result: { evicted: 3 } });
    const done = passes.map((progress) => progress.done ?? 0);
    expect(done).toEqual(done.toSorted((a, b) => a - b));
    expect(passes.every(({ total }) => total === 3)).toBe(true);
    const posts = somebody.proxy.requests.filter(({ method, path: asked }) => method === 'POST' && asked.includes('/eviction'));
    expect(posts).toHaveLength(tries());
    expect(tries()).toBeGreaterThan(3);
  });

  it('K26: the default is 600 s, where kubectl waits for ever', async () => {
    expect(drain.params.parse({ nodeName: 'any' }).timeoutSeconds).toBe(600);
    expect((await kubectl(['drain', '--help'])).stdout).toMatch(/--timeout=0s:\n.*zero means infinite/);
  });
});
