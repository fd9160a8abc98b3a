import { beforeAll, describe, expect, test } from 'vitest';
import { getNode } from '../cluster/nodes.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { podsOnNode } from '../cluster/workloads.ts';
import { type HeldNode, heldNode, isHeld } from './held.ts';
import { condition, inPhase, type Stored } from './objects.ts';
import type { OperatorProcess } from './operator-process.ts';
import { eventually, useScene } from './scene.ts';

const scene = useScene('endings');

let first: OperatorProcess;

beforeAll(async () => {
  first = await scene.operator();
});

/** How far a drain is when it is stopped. */
const phases = ['Queued', 'Suspended before the start', 'Running', 'Suspended midway', 'WaitingForPods'] as const;
/** How it is stopped; `kept` says what becomes of a drain that had not begun. */
const verbs = {
  cancel: { phase: 'Cancelled', reason: 'Cancelled', why: 'spec.cancel was set' },
  delete: { phase: 'Cancelled', reason: 'Deleted', why: 'the object was deleted before the action ended' },
  deadline: { phase: 'Expired', reason: 'DeadlineExceeded', why: 'the deadline ' },
} as const;

type Phase = (typeof phases)[number];

const finalizer = 'test.cloudoptim.io/look';

/** Brings a drain of a node of its own into a phase; `more` of its spec is made when it is created. */
async function drainIn(
  phase: Phase,
  name: string,
  more: () => Record<string, unknown> = () => ({}),
  params: Record<string, unknown> = {},
): Promise<HeldNode> {
  const node = phase === 'WaitingForPods' ? await slowNode(name) : await heldNode(scene, name);
  const drain = { nodeName: node.name, uncordonOnFailure: true, ...params };
  const { actions } = scene;
  if (phase === 'Queued') {
    await actions.create(`${name}-holder`, { action: 'Drain', drain: { nodeName: node.name } });
    await actions.until(`${name}-holder`, isHeld);
  }
  await actions.create(name, { action: 'Drain', drain, suspend: phase === 'Suspended before the start', ...more() });
  if (phase === 'Queued') await actions.until(name, inPhase('Queued'));
  if (phase === 'Suspended before the start') await actions.until(name, inPhase('Suspended'));
  if (phase === 'Running' || phase === 'Suspended midway') await actions.until(name, isHeld);
  if (phase === 'WaitingForPods') await actions.until(name, (object) => condition(object, 'Ready').reason === 'WaitingForPods');
  if (phase === 'Suspended midway') {
    await actions.patch(name, { suspend: true });
    await actions.until(name, inPhase('Suspended'));
  }
  return node;
}

async function slowNode(name: string): Promise<HeldNode> {
  const [node = ''] = await scene.tenant.createNodes(1);
  const podSpec = { nodeSelector: { 'kubernetes.io/hostname': node } };
  const pods = await scene.tenant.createDeployment({ name, terminatesAfter: '25s', podSpec });
  return {
    name: node,
    pods: pods.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`),
    letGo: async () => undefined,
    touch: async () => undefined,
  };
}

async function nodeEvents(name: string): Promise<string[]> {
  const path = `/api/v1/namespaces/default/events?fieldSelector=involvedObject.kind=Node,involvedObject.name=${name}`;
  const { items } = await scene.cp.api.get<{ items: { reason: string; message: string; source: { component: string } }[] }>(path);
  return items
    .filter(({ source }) => source.component === 'cloudoptim-operator')
    .map(({ reason, message }) => `${reason} ${message}`)
    .sort();
}

/** Waits for the Events of a node; `expect.poll` is not for tests that run side by side. */
async function toldOf(node: string, look: (events: readonly string[]) => boolean): Promise<void> {
  await waitFor(async () => look(await nodeEvents(node)), { what: `the Events of ${node}: ${look}` });
}

const wasStarted = (phase: Phase) => phase !== 'Queued' && phase !== 'Suspended before the start';

describe.concurrent.each(phases)('a drain that is %s', (phase) => {
  test.each(Object.keys(verbs) as (keyof typeof verbs)[])('is stopped by %s, and undoes its own cordon', async (verb) => {
    const name = `${phase}-${verb}`.toLowerCase().replaceAll(/[^a-z]+/g, '-');
    const { reason, why, phase: end } = verbs[verb];
    // Near enough to be waited for, and far enough to get into the phase on a busy machine.
    const deadline = () => (verb === 'deadline' ? { deadline: new Date(Date.now() + 10_000).toISOString() } : {});
    const node = await drainIn(phase, name, deadline);
    if (verb === 'cancel') await scene.actions.patch(name, { cancel: true });
    let ended: Stored;
    if (verb === 'delete') {
      // Somebody else's finalizer lets the end be looked at.
      await scene.cp.api.patch(`${scene.actions.path}/${name}`, {
        metadata: { finalizers: [...((await scene.actions.get(name)).metadata.finalizers ?? []), finalizer] },
      });
      await scene.actions.remove(name);
      ended = await scene.actions.until(name, (object) => object.status?.finishedAt !== undefined);
      await scene.actions.until(name, ({ metadata }) => metadata.finalizers?.length === 1);
      await scene.cp.api.patch(`${scene.actions.path}/${name}`, { metadata: { finalizers: null } });
      await scene.actions.gone(name);
    } else {
      ended = await scene.actions.until(name, inPhase(end));
    }
    const started = wasStarted(phase);
    expect(condition(ended, 'Ready')).toMatchObject({ status: 'False', reason });
    expect(condition(ended, 'Ready').message).toMatch(started ? `stopped: ${why}` : `never started: ${why}`);
    expect(condition(ended, 'Stalled')).toMatchObject({ status: 'True' });
    expect(ended.status).not.toHaveProperty('ending');
    // What holds the node goes on.
    if (phase === 'Queued') return expect(await scene.actions.get(`${name}-holder`)).toMatchObject({ status: { phase: 'Running' } });
    const { spec, metadata } = await getNode(scene.cp, node.name);
    expect(spec.unschedulable).toBeUndefined();
    expect(Object.keys(metadata.annotations ?? {}).filter((key) => key.startsWith('cloudoptim.io/'))).toEqual([]);
    if (!started) return expect(ended.status).not.toHaveProperty('startedAt');
    expect(condition(ended, 'Ready').message).toContain(`node ${node.name} uncordoned again`);
    expect(ended.status?.progress).toEqual({ done: 0, total: 1, text: '0/1' });
    // What was in the way stays to be read (FIELD.md A9).
    if (phase !== 'WaitingForPods') expect(ended.status?.blockers).toMatchObject([{ pod: node.pods[0], budget: name }]);
    expect((await podsOnNode(scene.cp, node.name)).map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)).toContain(node.pods[0]);
  });
});

describe.concurrent('a drain past its timeout', () => {
  test.each(['Running', 'Suspended midway', 'WaitingForPods'] as const)('that is %s fails with what is left', async (phase) => {
    const name = `timeout-${phase}`.toLowerCase().replaceAll(/[^a-z]+/g, '-');
    const node = await drainIn(phase, name, undefined, { timeoutSeconds: 8 });
    if (phase === 'Suspended midway') {
      const { startedAt = '' } = (await scene.actions.get(name)).status ?? {};
      // The time of the suspension counts: a restart or a pause extends no timeout (FIELD.md A21).
      await waitFor(() => Date.now() > Date.parse(startedAt) + 9000, { what: 'the timeout is over' });
      expect(await scene.actions.get(name)).toMatchObject({ status: { phase: 'Suspended' } });
      await scene.actions.patch(name, { suspend: false });
    }
    const ended = await scene.actions.until(name, inPhase('Failed'));
    expect(condition(ended, 'Ready')).toMatchObject({ status: 'False', reason: 'Timeout' });
    expect(condition(ended, 'Ready').message).toMatch(
      new RegExp(`^not done within 8 s; 0 of 1 pod evicted, left: ${node.pods[0]}.*; node ${node.name} uncordoned again$`),
    );
    expect((await getNode(scene.cp, node.name)).spec.unschedulable).toBeUndefined();
    const cordoned = `Cordoned cordoned by ${scene.namespace}/${name}, to drain it`;
    await toldOf(
      node.name,
      (events) => events[0] === cordoned && /^DrainEnded .* ended as Failed: not done within 8 s/.test(events[1] ?? ''),
    );
  });
});

describe.concurrent('a suspended drain', () => {
  test.each(['Suspended before the start', 'Suspended midway'] as const)('%s goes on when it is resumed', async (phase) => {
    const name = `resume-${phase}`.toLowerCase().replaceAll(/[^a-z]+/g, '-');
    const node = await drainIn(phase, name);
    await node.letGo();
    // Suspended is suspended, whatever the budget says.
    expect(await scene.actions.get(name)).toMatchObject({ status: { phase: 'Suspended' } });
    expect((await scene.writes()).filter((line) => line.includes(node.pods[0] ?? ''))).toEqual([]);
    await scene.actions.patch(name, { suspend: false });
    await scene.actions.until(name, inPhase('Succeeded'));
    const drained = `Drained ${scene.namespace}/${name}: node ${node.name} drained: 1 pod evicted`;
    await toldOf(node.name, (events) => events.includes(drained));
  });
});

describe.concurrent('the cordon of a drain that is cancelled', () => {
  const cancelled = async (name: string) => {
    await scene.actions.patch(name, { cancel: true });
    return condition(await scene.actions.until(name, inPhase('Cancelled')), 'Ready').message;
  };

  test("A35: stays where it was somebody else's before", async () => {
    const node = await heldNode(scene, 'foreign');
    await scene.cp.api.patch(`/api/v1/nodes/${node.name}`, { spec: { unschedulable: true } });
    await scene.actions.create('foreign', { action: 'Drain', drain: { nodeName: node.name, uncordonOnFailure: true } });
    await scene.actions.until('foreign', isHeld);
    expect(await cancelled('foreign')).toBe(
      `stopped: spec.cancel was set; node ${node.name} stays cordoned: it was cordoned by someone else`,
    );
    expect((await getNode(scene.cp, node.name)).spec.unschedulable).toBe(true);
  });

  test('K33: stays where somebody uncordoned and cordoned it anew, although our record is still on it', async () => {
    const node = await heldNode(scene, 'anew');
    await scene.actions.create('anew', { action: 'Drain', drain: { nodeName: node.name, uncordonOnFailure: true }, suspend: false });
    await scene.actions.until('anew', isHeld);
    expect((await getNode(scene.cp, node.name)).metadata.annotations).toMatchObject({
      'cloudoptim.io/cordoned-by': `${scene.namespace}/anew`,
      'cloudoptim.io/cordon-reason': 'drain',
      'cloudoptim.io/before-cordon': 'schedulable',
    });
    await scene.actions.patch('anew', { suspend: true });
    await scene.actions.until('anew', inPhase('Suspended'));
    for (const verb of ['uncordon', 'cordon']) expect(await scene.cp.kubectl([verb, node.name])).toMatchObject({ code: 0 });
    expect(await cancelled('anew')).toMatch(/stays cordoned: it was cordoned by someone else$/);
    expect((await getNode(scene.cp, node.name)).spec.unschedulable).toBe(true);
  });
});

test('F9: a node left cordoned by an action that is gone is told of, once, until it is uncordoned', async () => {
  const [node = ''] = await scene.tenant.createNodes(1);
  await scene.actions.create('leaves', { action: 'Cordon', cordon: { nodeName: node, reason: 'disk' } });
  await scene.actions.until('leaves', inPhase('Succeeded'));
  await eventually(() => nodeEvents(node)).toEqual([`Cordoned cordoned by ${scene.namespace}/leaves: disk`]);
  await scene.actions.remove('leaves');
  const orphaned = `CordonOrphaned still cordoned by ${scene.namespace}/leaves, which is gone: kubectl uncordon ${node}, if nobody needs it so`;
  await eventually(() => nodeEvents(node)).toContain(orphaned);

  // A new process finds it as well; the Event is the same one.
  await first.stop();
  const second = await scene.operator();
  await eventually(() => second.log.some((line) => line.node_name === node && line.object === `${scene.namespace}/leaves`)).toBe(true);
  const orphans = async () => Number(/^cloudoptim_orphaned_cordons (\d+)$/m.exec((await second.fetch('/metrics')).body)?.[1]);
  const found = await orphans();
  await scene.actions.create('opens', { action: 'Uncordon', uncordon: { nodeName: node } });
  await scene.actions.until('opens', inPhase('Succeeded'));
  await eventually(orphans).toBe(found - 1);
  expect((await nodeEvents(node)).filter((line) => line === orphaned)).toHaveLength(1);
});
