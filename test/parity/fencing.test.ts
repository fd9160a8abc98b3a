import { beforeAll, describe, expect, it } from 'vitest';
import type { ActionDefinition } from '../../operator/actions/action.ts';
import { cordon } from '../../operator/actions/cordon.ts';
import { deletePod } from '../../operator/actions/delete-pod.ts';
import { drain } from '../../operator/actions/drain/drain.ts';
import { evict } from '../../operator/actions/evict.ts';
import { label } from '../../operator/actions/label.ts';
import { uncordon } from '../../operator/actions/uncordon.ts';
import type { Cluster } from '../../operator/kube/cluster.ts';
import { createNodes, deleteNodes, getNode } from '../cluster/nodes.ts';
import { controlPlane } from '../cluster/shared.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { heldNode, isHeld } from '../scenarios/held.ts';
import { condition, inPhase } from '../scenarios/objects.ts';
import { useScene } from '../scenarios/scene.ts';
import { type Ground, useLive } from './ground.ts';
import { createOwner } from './zoo.ts';

const scene = useScene('fencing');
const on = useLive();
const { api } = controlPlane;

beforeAll(() => scene.operator());

/** Another node under the same name. */
async function replaceNode(name: string, labels: Record<string, string>, annotations: Record<string, string> = {}): Promise<string> {
  await deleteNodes(controlPlane, [name]);
  await createNodes(controlPlane, [name], { labels, annotations });
  return (await getNode(controlPlane, name)).metadata.uid;
}

const setProviderID = (node: string, providerID: string) => api.call('PATCH', `/api/v1/nodes/${node}`, { spec: { providerID } });

/** What our actions could have written to the node. */
async function stateOf(node: string): Promise<unknown> {
  const { spec, metadata } = await getNode(controlPlane, node);
  return {
    unschedulable: spec.unschedulable,
    labels: metadata.labels,
    ours: Object.keys(metadata.annotations ?? {}).filter((key) => key.startsWith('cloudoptim.io/')),
  };
}

const nodeActions: readonly (readonly [ActionDefinition, (node: string) => Record<string, unknown>])[] = [
  [cordon as unknown as ActionDefinition, (nodeName) => ({ nodeName })],
  [uncordon as unknown as ActionDefinition, (nodeName) => ({ nodeName })],
  [label as unknown as ActionDefinition, (name) => ({ kind: 'Node', name, set: { 'example.com/a': 'b' } })],
  [drain as unknown as ActionDefinition, (nodeName) => ({ nodeName })],
];

describe.concurrent('a namesake is never touched', () => {
  it('F2 M10: a node recreated under its name is left alone by requests that run, wait, are paused, or are pinned to the one before', async () => {
    const held = await heldNode(scene, 'swapped');
    const pinned = (await getNode(controlPlane, held.name)).metadata.uid;
    const providerID = `test:///${held.name}`;
    await setProviderID(held.name, providerID);
    const specs = {
      drains: { action: 'Drain', drain: { nodeName: held.name } },
      cordons: { action: 'Cordon', cordon: { nodeName: held.name } },
      labels: { action: 'Label', label: { kind: 'Node', name: held.name, set: { 'example.com/a': 'b' } } },
    };
    await scene.actions.create('runs', { action: 'Drain', drain: { nodeName: held.name, uncordonOnFailure: true } });
    const running = await scene.actions.until('runs', isHeld);
    expect(running.status).toMatchObject({ targetUID: pinned, targetProviderID: providerID });
    for (const [name, spec] of Object.entries(specs)) {
      await scene.actions.create(`paused-${name}`, { ...spec, suspend: true });
      const paused = await scene.actions.until(`paused-${name}`, inPhase('Suspended'));
      expect(paused.status).toMatchObject({ targetUID: pinned, targetProviderID: providerID });
      await scene.actions.create(`queued-${name}`, spec);
      await scene.actions.until(`queued-${name}`, inPhase('Queued'));
      await scene.actions.create(`pinned-${name}`, { ...spec, suspend: true, targetUID: pinned });
      await scene.actions.until(`pinned-${name}`, inPhase('Suspended'));
    }
    const writesOn = async () => (await scene.writes()).filter((line) => line.endsWith(held.name));
    const before = await writesOn();
    // As if the drain that runs had cordoned it: what it undoes at its end must still not be this one.
    const own = { 'cloudoptim.io/cordoned-by': `${scene.namespace}/runs` };
    await replaceNode(held.name, scene.tenant.nodeSelector, own);
    await api.patch(`/api/v1/nodes/${held.name}`, { spec: { unschedulable: true } });
    for (const name of Object.keys(specs)) {
      await scene.actions.patch(`paused-${name}`, { suspend: false });
      await scene.actions.patch(`pinned-${name}`, { suspend: false });
    }
    const runs = await scene.actions.until('runs', inPhase('Failed'));
    // It may have met the moment without a node.
    expect(['TargetReplaced', 'TargetNotFound']).toContain(condition(runs, 'Ready').reason);
    for (const name of Object.keys(specs).flatMap((each) => [`queued-${each}`, `paused-${each}`, `pinned-${each}`])) {
      const ended = await scene.actions.until(name, inPhase('Failed', 'Succeeded'));
      expect([name, condition(ended, 'Ready').reason]).toEqual([name, 'TargetReplaced']);
    }
    expect(await stateOf(held.name)).toMatchObject({ unschedulable: true, ours: Object.keys(own) });
    expect(await writesOn()).toEqual(before);
  });

  it('F2 M10: a cancelled drain does not undo its cordon on another node of that name', async () => {
    const held = await heldNode(scene, 'cancelled');
    await scene.actions.create('cancels', { action: 'Drain', drain: { nodeName: held.name, uncordonOnFailure: true } });
    await scene.actions.until('cancels', isHeld);
    await scene.actions.patch('cancels', { suspend: true });
    await scene.actions.until('cancels', inPhase('Suspended'));
    await replaceNode(held.name, scene.tenant.nodeSelector, { 'cloudoptim.io/cordoned-by': `${scene.namespace}/cancels` });
    await api.patch(`/api/v1/nodes/${held.name}`, { spec: { unschedulable: true } });
    await scene.actions.patch('cancels', { cancel: true });
    await scene.actions.until('cancels', inPhase('Cancelled'));
    expect(await stateOf(held.name)).toMatchObject({ unschedulable: true, ours: ['cloudoptim.io/cordoned-by'] });
  });

  it('F2 M10: a node under the same UID but on another machine is refused by every action, and one that is named later is not', async () => {
    const { node, uid } = await on.ground('machine');
    const started = await on.live.run(cordon, { nodeName: node }, { targetUID: uid });
    expect(started.end).toMatchObject({ state: 'succeeded' });
    expect(await setProviderID(node, 'test:///one')).toMatchObject({ status: 200 });
    // The API server itself lets it be named once only.
    expect((await setProviderID(node, 'test:///two')).status).toBeGreaterThanOrEqual(400);
    const before = await stateOf(node);
    const begun = { result: { total: 1, cordon: { changed: true } }, blockers: [] };
    for (const [definition, params] of nodeActions) {
      const { end } = await on.live.run(definition, params(node), { targetUID: uid, targetProviderID: 'test:///two' });
      expect(end).toMatchObject({ state: 'failed', reason: 'TargetReplaced', message: expect.stringContaining('provider ID') });
    }
    const context = { now: new Date(), startedAt: new Date(), signal: new AbortController().signal, actor: 'cloudoptim/test' };
    const midway = { ...context, cluster: on.live.cluster, targetUID: uid, targetProviderID: 'test:///two', before: begun };
    expect(await drain.execute(drain.params.parse({ nodeName: node }), midway)).toMatchObject({ reason: 'TargetReplaced' });
    const params = drain.params.parse({ nodeName: node, uncordonOnFailure: true });
    expect(await drain.compensate?.(params, midway)).toBeUndefined();
    expect(await stateOf(node)).toEqual(before);
    // Recorded and unchanged; and not recorded, because it had none at the start.
    for (const recorded of [{ targetProviderID: 'test:///one' }, {}]) {
      const { end } = await on.live.run(drain, { nodeName: node }, { targetUID: uid, ...recorded });
      expect(end).toMatchObject({ state: 'succeeded' });
    }
  });

  it('F2: a pod on a namesake of the node is not evicted, though the watch still shows the node that was', async () => {
    const ground = await on.ground('lagging');
    await ground.pod('old', { metadata: await createOwner(ground) });
    const { node } = ground;
    const seen = on.live.cluster.view.node(node);
    // A watch that lags cannot be had at will: the view of the nodes is the one from before.
    const port = (cluster: Cluster): Cluster => {
      const cordoned = seen && { ...seen, unschedulable: true };
      const lagging = new Proxy(cluster.view, {
        get: (view, member) => (member === 'node' ? () => cordoned : Reflect.get(view, member).bind(view)),
      });
      return { ...cluster, view: lagging };
    };
    let replaced = false;
    const after = async () => {
      if (replaced) return;
      replaced = true;
      await api.remove(`/api/v1/namespaces/${ground.t.namespace}/pods/old`, { gracePeriodSeconds: 0 });
      await replaceNode(node, ground.t.nodeSelector);
      await ground.pod('new', { metadata: await createOwner(ground) });
    };
    const { end } = await ground.drain({}, { port, after });
    expect(end).toMatchObject({ state: 'failed', reason: 'TargetReplaced' });
    expect(ground.writes()).toEqual([`patch nodes/${node}`]);
    expect(await ground.left()).toEqual(['new']);
  });

  it('F2 E6: a pod recreated between the look and the eviction or deletion stays', async () => {
    const ground = await on.ground('pods');
    const { namespace } = ground.t;
    const owner = await createOwner(ground);
    for (const [definition, name] of [[evict, 'evicted'] as const, [deletePod, 'deleted'] as const]) {
      await ground.pod(name, { metadata: owner });
      const uid = on.live.cluster.view.pod(namespace, name)?.uid ?? '';
      let calls = 0;
      const swap = async () => {
        if (++calls > 1) return;
        await api.remove(`/api/v1/namespaces/${namespace}/pods/${name}`, { gracePeriodSeconds: 0 });
        const isGone = async () => (await api.call('GET', `/api/v1/namespaces/${namespace}/pods/${name}`)).status === 404;
        await waitFor(isGone, { what: `${name} is gone` });
        await ground.pod(name, { metadata: owner });
      };
      const port = (cluster: Cluster): Cluster => ({
        ...cluster,
        evict: (...call) => swap().then(() => cluster.evict(...call)),
        deletePod: (...call) => swap().then(() => cluster.deletePod(...call)),
      });
      const { end } = await on.live.run(definition, { namespace, podName: name }, { targetUID: uid, port });
      expect(end).toMatchObject({ state: 'succeeded', result: { gone: true, uid } });
      expect(calls).toBe(1);
    }
    expect(await standing(ground)).toEqual(['deleted', 'evicted']);
  });
});

/** The pods on the node that are not on their way out. */
async function standing(ground: Ground): Promise<readonly string[]> {
  const { items } = await api.get<{ items: { metadata: { name: string; deletionTimestamp?: string } }[] }>(
    `/api/v1/namespaces/${ground.t.namespace}/pods?fieldSelector=spec.nodeName%3D${ground.node}`,
  );
  return items.flatMap(({ metadata }) => (metadata.deletionTimestamp ? [] : [metadata.name])).sort();
}
