import { describe, expect, it } from 'vitest';
import { cordon } from '../../operator/actions/cordon.ts';
import { uncordon } from '../../operator/actions/uncordon.ts';
import { contextFor, FakeCluster, makeNode, refusal } from './fake-cluster.ts';

const BY = 'cloudoptim.io/cordoned-by';
const REASON = 'cloudoptim.io/cordon-reason';
const BEFORE = 'cloudoptim.io/before-cordon';

function withNode(more: Parameters<typeof makeNode>[0]): FakeCluster {
  const cluster = new FakeCluster();
  cluster.node = makeNode(more);
  return cluster;
}

const doCordon = (cluster: FakeCluster, reason?: string) =>
  cordon.execute({ nodeName: 'n1', ...(reason === undefined ? {} : { reason }) }, contextFor(cluster));
const doUncordon = (cluster: FakeCluster) => uncordon.execute({ nodeName: 'n1' }, contextFor(cluster));
const patches = (cluster: FakeCluster) => cluster.calls.filter((call) => call.startsWith('patch'));

describe('Cordon', () => {
  it('K34 M13 writes the minimal patch, fenced by UID and version, with owner and reason', async () => {
    const cluster = withNode({});
    expect(await doCordon(cluster, 'disk')).toEqual({
      state: 'succeeded',
      message: 'node n1 cordoned',
      result: { changed: true, previouslyUnschedulable: false, cordonedBy: 'cloudoptim/a' },
    });
    const metadata = {
      annotations: { [BY]: 'cloudoptim/a', [BEFORE]: 'schedulable', [REASON]: 'disk' },
      uid: 'node-uid',
      resourceVersion: '1',
    };
    expect(cluster.calls).toEqual(['get node', `patch ${JSON.stringify({ metadata, spec: { unschedulable: true } })}`]);
  });

  it('takes away the reason of an older cordon', async () => {
    const cluster = withNode({ annotations: { [REASON]: 'old' } });
    await doCordon(cluster);
    expect(cluster.node?.annotations).toEqual({ [BY]: 'cloudoptim/a', [BEFORE]: 'schedulable' });
  });

  it.each([
    ['of somebody else', {}, { changed: false, previouslyUnschedulable: true, cordonedBy: '' }],
    ['of another action', { [BY]: 'x/y' }, { changed: false, previouslyUnschedulable: true, cordonedBy: 'x/y' }],
    ['of its own, before a crash', { [BY]: 'cloudoptim/a' }, { changed: true, previouslyUnschedulable: false, cordonedBy: 'cloudoptim/a' }],
  ])('K1 writes nothing over a cordon %s', async (_row, annotations, result) => {
    const cluster = withNode({ unschedulable: true, annotations });
    expect(await doCordon(cluster)).toMatchObject({ state: 'succeeded', result });
    expect(patches(cluster)).toEqual([]);
  });

  it.each([
    ['is absent', undefined, 'TargetNotFound', 'node n1 not found'],
    [
      'F2 was replaced',
      makeNode({ uid: 'new' }),
      'TargetReplaced',
      'node n1 was replaced: its UID is new, the action is meant for node-uid',
    ],
  ] as const)('fails when the node %s', async (_row, node, reason, message) => {
    const cluster = new FakeCluster();
    cluster.node = node;
    expect(await doCordon(cluster)).toEqual({ state: 'failed', reason, message });
  });

  it('A36 reads again after a conflict', async () => {
    const cluster = withNode({});
    cluster.failNextPatch(refusal(409));
    expect(await doCordon(cluster)).toMatchObject({ state: 'succeeded' });
    expect(cluster.calls.map((call) => call.split(' ')[0])).toEqual(['get', 'patch', 'get', 'patch']);
  });

  it('leaves an unending conflict to the backoff of the controller', async () => {
    const cluster = withNode({});
    for (let i = 0; i < 5; i++) cluster.failNextPatch(refusal(409));
    await expect(doCordon(cluster)).rejects.toMatchObject({ status: 409 });
  });

  it('F2 a node replaced between read and write is not touched', async () => {
    const cluster = withNode({});
    const refuse = cluster.mergePatch.bind(cluster);
    cluster.mergePatch = async (...args) => {
      cluster.node = makeNode({ uid: 'new' });
      cluster.failNextPatch(refusal(422));
      return refuse(...args);
    };
    expect(await doCordon(cluster)).toMatchObject({ state: 'failed', reason: 'TargetReplaced' });
    expect(cluster.node?.unschedulable).toBe(false);
  });

  it.each([
    [403, 'User "x" cannot patch resource "nodes"', 'Forbidden'],
    [403, 'admission webhook "g" denied the request: no', 'WebhookDenied'],
    [422, 'Node "n1" is invalid', 'InvalidSpec'],
  ])('a %i is a failure in words: %s', async (status, message, reason) => {
    const cluster = withNode({});
    cluster.failNextPatch(refusal(status, { message }));
    expect(await doCordon(cluster)).toMatchObject({ state: 'failed', reason });
  });

  it('a server error is no outcome', async () => {
    const cluster = withNode({});
    cluster.failNextPatch(refusal(500));
    await expect(doCordon(cluster)).rejects.toMatchObject({ status: 500 });
  });

  it('plans a change, or none', async () => {
    expect(await cordon.plan({ nodeName: 'n1' }, contextFor(withNode({})))).toEqual({ change: 1, skip: [], blocked: [] });
    const cordoned = contextFor(withNode({ unschedulable: true }));
    expect(await cordon.plan({ nodeName: 'n1' }, cordoned)).toEqual({ change: 0, skip: ['node/n1: already cordoned'], blocked: [] });
  });
});

describe('Uncordon', () => {
  it.each([
    ['a first attempt', {}, { changed: false, previouslyUnschedulable: false, cordonedBy: '' }, 'node n1 already schedulable'],
    [
      'F1 A50 one after an attempt without a record',
      { resumed: true },
      { changed: 'Unknown', previouslyUnschedulable: 'Unknown', cordonedBy: 'Unknown' },
      'node n1 is schedulable; whether by this action or by others is unknown: an earlier attempt ended without a record',
    ],
  ])('writes nothing to a schedulable node: %s', async (_row, more, result, message) => {
    const cluster = withNode({});
    expect(await uncordon.execute({ nodeName: 'n1' }, contextFor(cluster, more))).toEqual({ state: 'succeeded', message, result });
    expect(patches(cluster)).toEqual([]);
  });

  it('K33 undoes a foreign cordon when asked for by name, and says whose it was', async () => {
    const cluster = withNode({ unschedulable: true, annotations: { [BY]: 'x/y', [REASON]: 'disk' } });
    expect(await doUncordon(cluster)).toEqual({
      state: 'succeeded',
      message: 'node n1 uncordoned (it was cordoned by x/y)',
      result: { changed: true, previouslyUnschedulable: true, cordonedBy: 'x/y' },
    });
    expect(cluster.node).toMatchObject({ unschedulable: false, annotations: {} });
  });

  it('a schedulable node is left alone', async () => {
    const cluster = withNode({});
    expect(await doUncordon(cluster)).toMatchObject({ message: 'node n1 already schedulable', result: { changed: false } });
    expect(patches(cluster)).toEqual([]);
  });
});
