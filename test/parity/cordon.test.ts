import { describe, expect, it } from 'vitest';
import { cordon } from '../../operator/actions/cordon.ts';
import { drain } from '../../operator/actions/drain/drain.ts';
import { uncordon } from '../../operator/actions/uncordon.ts';
import { getNode } from '../cluster/nodes.ts';
import { controlPlane } from '../cluster/shared.ts';
import { runOperator } from '../scenarios/operator-process.ts';
import { useLive } from './ground.ts';
import { kubectlDrain } from './kubectl-drain.ts';
import { restrict } from './restricted.ts';
import { createOwner } from './zoo.ts';

const on = useLive();
const { api, kubectl } = controlPlane;

const isUnschedulable = async (node: string) => (await getNode(controlPlane, node)).spec.unschedulable === true;

/** Asks the API server to admit a request without keeping it; the answer's status and message, and the object with its defaults. */
async function admit(spec: object) {
  const path = '/apis/cloudoptim.io/v1alpha1/namespaces/default/optimizationactions?dryRun=All&fieldValidation=Strict';
  const object = { apiVersion: 'cloudoptim.io/v1alpha1', kind: 'OptimizationAction', metadata: { name: 'asked' }, spec };
  const { status, body } = await api.call<{ message?: string; spec?: { drain?: object } }>('POST', path, object);
  return { accepted: status === 201, message: body.message ?? '', drain: body.spec?.drain };
}

describe.concurrent('cordoning and what comes before a drain, beside the real kubectl', () => {
  it('K1: "cordoned" and "already cordoned" are told apart, whoever of the two cordoned', async () => {
    const { node, uid, writes } = await on.ground('twice');
    // What the API server took: a heartbeat of the kubelet in between costs another try.
    const taken: string[] = [];
    const port: NonNullable<Parameters<typeof on.live.run>[2]['port']> = (cluster) => ({
      ...cluster,
      view: cluster.view,
      mergePatch: async (ref, patch, signal) => {
        const answer = await cluster.mergePatch(ref, patch, signal);
        taken.push(`patch ${ref.resource.plural}/${ref.name}`);
        return answer;
      },
    });
    const first = await on.live.run(cordon, { nodeName: node, reason: 'disk' }, { targetUID: uid, port });
    const tries = writes().length;
    expect(first.end).toMatchObject({ message: `node ${node} cordoned`, result: { changed: true, previouslyUnschedulable: false } });
    expect((await kubectl(['cordon', node])).stdout).toBe(`node/${node} already cordoned\n`);
    const second = await on.live.run(cordon, { nodeName: node }, { targetUID: uid, actor: 'cloudoptim/other', port });
    expect(second.end).toMatchObject({
      message: `node ${node} already cordoned`,
      result: { changed: false, cordonedBy: 'cloudoptim/test' },
    });
    expect(taken).toEqual([`patch nodes/${node}`]);
    expect(writes()).toHaveLength(tries);
    expect((await kubectl(['uncordon', node])).stdout).toBe(`node/${node} uncordoned\n`);
    expect((await kubectl(['cordon', node])).stdout).toBe(`node/${node} cordoned\n`);
    const third = await on.live.run(cordon, { nodeName: node }, { targetUID: uid, actor: 'cloudoptim/other' });
    expect(third.end).toMatchObject({ result: { changed: false, previouslyUnschedulable: true } });
  });

  it('K2: without a confirmed cordon nothing is evicted, where kubectl goes on', async () => {
    const ground = await on.ground('unconfirmed');
    await ground.pod('app', { metadata: await createOwner(ground) });
    await using somebody = await restrict(ground, 'patch nodes');
    const { end } = await somebody.ground.drain();
    expect(end).toMatchObject({ state: 'failed', reason: 'Forbidden', message: expect.stringContaining('cannot patch resource "nodes"') });
    expect(somebody.ground.writes()).toEqual([`patch nodes/${ground.node}`]);
    expect(await ground.left()).toEqual(['app']);
    const theirs = await kubectlDrain(ground.node, ['--timeout=20s'], somebody.kubeconfig);
    expect(theirs.stderr).toContain('unable to cordon node');
    expect(await isUnschedulable(ground.node)).toBe(false);
    expect(await ground.left()).toEqual([]);
  });

  it('K3: a node that cannot be drained does not keep the others, and each has its own result', async () => {
    const [stuck, fine] = await Promise.all([on.ground('stuck'), on.ground('fine')]);
    const owner = await createOwner(fine);
    await Promise.all([stuck.pod('lone'), fine.pod('app', { metadata: owner })]);
    const [refused, drained] = await Promise.all([stuck.drain(), fine.drain()]);
    expect(refused.end).toMatchObject({
      state: 'failed',
      reason: 'DrainBlocked',
      result: { remainingPods: [`${stuck.t.namespace}/lone`] },
    });
    expect(drained.end).toMatchObject({ state: 'succeeded', result: { evicted: 1 } });
    await fine.pod('again', { metadata: owner });
    const theirs = await kubectl(['drain', stuck.node, fine.node, '--timeout=20s']);
    expect(theirs).toMatchObject({ code: 1, stderr: expect.stringContaining(`There are pending nodes to be drained:\n ${stuck.node}\n`) });
    expect(await fine.left()).toEqual([]);
  });

  it('K4: a drain names exactly one node and only its own parameters, or is refused at admission', async () => {
    const { node } = await on.ground('named');
    const drainOf = (parameters: object) => admit({ action: 'Drain', ...parameters });
    expect(await drainOf({ drain: { nodeName: node } })).toMatchObject({ accepted: true });
    expect(await drainOf({ drain: {} })).toMatchObject({ accepted: false, message: expect.stringContaining('nodeName') });
    expect(await drainOf({})).toMatchObject({ accepted: false, message: expect.stringContaining('spec.drain is missing') });
    expect(await drainOf({ drain: { nodeName: node, nodeSelector: 'a=b' } })).toMatchObject({ accepted: false });
    const two = await drainOf({ drain: { nodeName: node }, cordon: { nodeName: node } });
    expect(two).toMatchObject({ accepted: false, message: expect.stringContaining('does not belong to the action Drain') });
    const theirs = await Promise.all([kubectl(['drain']), kubectl(['drain', node, '--selector=a=b'])]);
    expect(theirs.map(({ code }) => code)).toEqual([1, 1]);
  });

  it('K5: a pod selector that kubectl refuses is refused at admission, and what it takes is taken', async () => {
    const { node } = await on.ground('selectors');
    const both = [
      'a',
      '!a',
      '! a',
      'a=b',
      'a==b',
      'a = b',
      'a!=b',
      'a=',
      'a!=',
      'a in (b)',
      'a in(b)',
      'a in ()',
      'a in (b,)',
      'a notin (b, c),d',
    ];
    const neither = ['a,', ',a', '=a', 'a in b', 'a=b c', 'a gt 1', '-a=1', 'a=-b', 'x/y/z=1', 'a in (b c)', 'a in (-b)', '(a)', 'a=b,'];
    // The eviction of watched pods is decided without a server: numeric comparisons, which no workload uses, are not taken.
    const theirsOnly = ['a>1', 'a<2'];
    const ours = async (podSelector: string) => (await admit({ action: 'Drain', drain: { nodeName: node, podSelector } })).accepted;
    const theirs = async (selector: string) => (await kubectlDrain(node, ['--dry-run=client', `--pod-selector=${selector}`])).code === 0;
    const compared = await Promise.all(
      [...both, ...neither, ...theirsOnly].map(async (text) => [text, await ours(text), await theirs(text)] as const),
    );
    expect(compared).toEqual([
      ...both.map((text) => [text, true, true]),
      ...neither.map((text) => [text, false, false]),
      ...theirsOnly.map((text) => [text, false, true]),
    ]);
  });

  it('K33: a drain undoes its own cordon only; a foreign one goes when asked for by name, where kubectl never asks', async () => {
    const ground = await on.ground('foreign');
    await ground.t.createDeployment({ name: 'held', replicas: 1, budget: { minAvailable: 1 } });
    const params = drain.params.parse({ nodeName: ground.node, timeoutSeconds: 3, uncordonOnFailure: true });
    const giveUp = async () => {
      const { end, context } = await ground.drain(params);
      expect(end).toMatchObject({ reason: 'Timeout' });
      return drain.compensate?.(params, context);
    };
    await kubectl(['cordon', ground.node]);
    expect(await giveUp()).toBe(`node ${ground.node} stays cordoned: it was cordoned by someone else`);
    expect(await isUnschedulable(ground.node)).toBe(true);
    const { end } = await on.live.run(uncordon, { nodeName: ground.node }, { targetUID: ground.uid });
    expect(end).toMatchObject({ state: 'succeeded', result: { changed: true, cordonedBy: '' } });
    expect(await giveUp()).toBe(`node ${ground.node} uncordoned again`);
    expect(await isUnschedulable(ground.node)).toBe(false);
    await on.live.run(cordon, { nodeName: ground.node }, { targetUID: ground.uid });
    expect((await kubectl(['uncordon', ground.node])).stdout).toBe(`node/${ground.node} uncordoned\n`);
  });

  it('K34: the cordon owns spec.unschedulable and the annotations of ours, and nothing that others write at the same time', async () => {
    const { node, uid } = await on.ground('minimal');
    const port: NonNullable<Parameters<typeof on.live.run>[2]['port']> = (cluster) => ({
      ...cluster,
      view: cluster.view,
      mergePatch: async (ref, patch, signal) => {
        await api.patch(`/api/v1/nodes/${node}`, { metadata: { labels: { 'example.com/meanwhile': 'kept' } } });
        return cluster.mergePatch(ref, patch, signal);
      },
    });
    // The version read no longer is the newest: the first patch is refused, and the next look is fresh.
    let writes = 0;
    const once: typeof port = (cluster) => {
      const meddling = port(cluster);
      return { ...meddling, mergePatch: (...call) => (++writes === 1 ? meddling : cluster).mergePatch(...call) };
    };
    const { end } = await on.live.run(cordon, { nodeName: node, reason: 'disk' }, { targetUID: uid, port: once });
    expect(end).toMatchObject({ state: 'succeeded' });
    expect(writes).toBe(2);
    const found = await api.get<{ metadata: { labels: object; managedFields: { manager: string; fieldsV1: object }[] } }>(
      `/api/v1/nodes/${node}`,
    );
    expect(found.metadata.labels).toMatchObject({ 'example.com/meanwhile': 'kept' });
    const own = found.metadata.managedFields.filter(({ manager }) => manager === 'cloudoptim-operator');
    const annotations = {
      'f:cloudoptim.io/before-cordon': {},
      'f:cloudoptim.io/cordoned-by': {},
      'f:cloudoptim.io/cordon-reason': {},
    };
    expect(own.map(({ fieldsV1 }) => fieldsV1)).toEqual([
      { 'f:metadata': { 'f:annotations': annotations }, 'f:spec': { 'f:unschedulable': {} } },
    ]);
  });

  it('K35: without a way to the API server neither starts', async () => {
    const missing = '/nowhere/kubeconfig';
    const ours = await runOperator([], { KUBECONFIG: missing, POD_NAMESPACE: 'cloudoptim', HEALTH_CHECK_PORT: '0' });
    expect(ours.code).toBe(1);
    expect(ours.stderr + ours.stdout).toContain(missing);
    const theirs = await kubectl(['drain', 'any', `--kubeconfig=${missing}`]);
    expect(theirs).toMatchObject({ code: 1, stderr: expect.stringContaining(missing) });
  });

  it("K36: what is not said is as with kubectl, but for the defaults that are better than kubectl's", async () => {
    const { drain: ours } = await admit({ action: 'Drain', drain: { nodeName: 'any' } });
    const { stdout } = await kubectl(['drain', '--help']);
    const theirs = Object.fromEntries([...stdout.matchAll(/^ {4}--([a-z-]+)=(.*):$/gm)].map(([, flag = '', value]) => [flag, value]));
    const same = { force: theirs.force === 'true', deleteEmptyDirData: theirs['delete-emptydir-data'] === 'true' };
    const better = { ignoreDaemonSets: true, timeoutSeconds: 600 };
    expect(ours).toMatchObject({ nodeName: 'any', ...same, ...better });
    expect(theirs).toMatchObject({ 'ignore-daemonsets': 'false', timeout: '0s', 'grace-period': '-1', 'chunk-size': '500' });
    // A pod's own grace, as kubectl's -1: nothing is sent. And no way around budgets to be left on by mistake.
    expect(ours).not.toHaveProperty('gracePeriodSeconds');
    expect(theirs).toMatchObject({ 'disable-eviction': 'false', 'skip-wait-for-delete-timeout': '0' });
  });
});
