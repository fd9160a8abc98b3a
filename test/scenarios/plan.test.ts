import { beforeAll, expect, test } from 'vitest';
import type { ActionDefinition } from '../../operator/actions/action.ts';
import { actions } from '../../operator/actions/index.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { podsOnNode } from '../cluster/workloads.ts';
import { type HeldNode, heldNode } from './held.ts';
import { condition, inPhase } from './objects.ts';
import { eventually, type Request, useScene } from './scene.ts';
import { claimOf, SessionRig } from './session-objects.ts';

const scene = useScene('plan');
const READS = new Set(['get', 'list', 'watch']);
let held: HeldNode;

beforeAll(async () => {
  held = await heldNode(scene, 'shop', 3);
  await scene.operator();
  const told = async () => (await changes()).some((line) => line.startsWith('create events'));
  await waitFor(told, { what: 'the Event that tells who leads, which is about no action' });
  // What session actions are aimed at, and it holds still.
  const sessions = new SessionRig(scene);
  await sessions.create('ada-vscode', { state: 'Hibernated', templateRef: undefined, template: { image: 'example.invalid/desk' } });
  await sessions.until('ada-vscode', (session) => claimOf(session, 'Ready')?.status === 'True');
});

/** What the operator asked the API server to change, whatever it answered; the lease of the leader is no part of any action. */
async function changes(): Promise<string[]> {
  const told = ({ verb, objectRef = {} }: Request) => {
    const { resource, subresource, name } = objectRef;
    return [verb, [resource, subresource].filter(Boolean).join('/'), name].filter(Boolean).join(' ');
  };
  return (await scene.requests()).filter(({ verb, objectRef }) => !READS.has(verb) && objectRef?.resource !== 'leases').map(told);
}

/** The parameters of the action's example, aimed at what exists here. */
function here({ example }: ActionDefinition): Record<string, unknown> {
  const [, podName = ''] = held.pods[0]?.split('/') ?? [];
  const { namespace } = scene;
  const real: Record<string, unknown> = { nodeName: held.name, namespace, podName };
  const asked = Object.fromEntries(Object.entries(example).map(([key, value]) => [key, real[key] ?? value]));
  if (asked.kind === 'Node') return { ...asked, name: held.name };
  return 'kind' in asked ? { ...asked, namespace, name: 'shop' } : asked;
}

test.each(actions)('F4 K29 a plan of $name writes its own status once, and nothing else', async (definition: ActionDefinition) => {
  const name = `plan-${definition.member.toLowerCase()}`;
  const before = (await changes()).length;
  await scene.actions.create(name, { action: definition.name, mode: 'Plan', [definition.member]: here(definition) });
  const planned = await scene.actions.until(name, inPhase('Planned'));
  expect(planned.status).toMatchObject({ plan: { change: expect.any(Number) }, target: expect.any(String), observedGeneration: 1 });
  expect(planned.status?.plan?.blocked).not.toContainEqual(expect.stringContaining('not found'));
  expect(planned.status).not.toHaveProperty('startedAt');
  expect(planned.metadata.finalizers).toBeUndefined();
  expect(condition(planned, 'Ready')).toMatchObject({ status: 'True', reason: 'Planned' });
  // Something else from start to end: whatever was going to follow has been written by then, and Events are written within a second.
  const other = `after-${name}`;
  await scene.actions.create(other, { action: 'Cordon', mode: 'Plan', cordon: { nodeName: `no-${name}` } });
  await scene.actions.until(other, inPhase('Planned'));
  await eventually(changes).toContain(`patch optimizationactions/status ${other}`);
  expect((await changes()).slice(before)).toEqual([
    `patch optimizationactions/status ${name}`,
    `patch optimizationactions/status ${other}`,
  ]);
});

test('A10 A11 M26 a plan of a drain has a verdict per pod, counted-down budgets, volumes and a time, and waits for nobody', async () => {
  const [node = ''] = await scene.tenant.createNodes(1);
  const { namespace } = scene;
  const podSpec = {
    nodeSelector: { 'kubernetes.io/hostname': node },
    terminationGracePeriodSeconds: 7,
    volumes: [{ name: 'cache', emptyDir: {} }],
  };
  const pods = await scene.tenant.createDeployment({ name: 'cart', replicas: 3, budget: { maxUnavailable: 1 }, podSpec });
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const containers = [{ name: 'main', image: 'example.invalid/none' }];
  const lone = (name: string, metadata: object, spec: object) =>
    scene.cp.api.create(path, { metadata: { name, ...metadata }, spec: { nodeName: node, containers, ...spec } });
  const claim = { name: 'data', persistentVolumeClaim: { claimName: 'data-db' } };
  await lone('db', {}, { volumes: [claim], terminationGracePeriodSeconds: 60 });
  // It shuts down for ever: kubectl's dry run by the server waits for it (K30).
  await lone('stuck', { finalizers: ['example.com/hold'] }, { terminationGracePeriodSeconds: 11 });
  await scene.cp.api.remove(`${path}/stuck`);
  await eventually(async () => (await podsOnNode(scene.cp, node)).map(({ status }) => status.phase)).toEqual(Array(5).fill('Running'));
  await scene.actions.create('whole', {
    action: 'Drain',
    mode: 'Plan',
    drain: { nodeName: node, force: true, deleteEmptyDirData: true },
  });
  const { status } = await scene.actions.until('whole', inPhase('Planned'));
  const names = pods.map(({ metadata }) => `${namespace}/${metadata.name}`).sort();
  const waits = (index: number) => ({
    pod: names[index],
    verdict: 'Wait',
    reason: 'DisruptionBudget',
    budget: `${namespace}/cart`,
    round: index + 1,
  });
  expect(status?.plan).toMatchObject({
    change: 5,
    skip: [],
    blocked: [expect.stringMatching(/waits for budget .*; it would go in round 2$/), expect.stringMatching(/round 3$/)],
    pods: [
      waits(1),
      waits(2),
      { pod: `${namespace}/stuck`, verdict: 'Wait', reason: 'Terminating', round: 1 },
      { pod: names[0], verdict: 'Evict', budget: `${namespace}/cart`, round: 1 },
      { pod: `${namespace}/db`, verdict: 'Evict', round: 1 },
    ],
    budgets: [{ budget: `${namespace}/cart`, pods: 3, allowedNow: 1, rounds: 3 }],
    volumes: [
      { pod: names[0], kind: 'EmptyDir', name: 'cache' },
      { pod: names[1], kind: 'EmptyDir', name: 'cache' },
      { pod: names[2], kind: 'EmptyDir', name: 'cache' },
      { pod: `${namespace}/db`, kind: 'PersistentVolumeClaim', name: 'data-db' },
    ].sort((a, b) => ((a.pod ?? '') < (b.pod ?? '') ? -1 : 1)),
    // Three rounds of 7 s, and 30 s for the replacements between two; the others are done by then.
    estimateSeconds: 81,
  });
  const { stdout } = await scene.cp.kubectl(['get', 'oa', 'whole', '-n', namespace, '-o', 'wide']);
  expect(stdout).toMatch(
    /\nwhole +Drain +node\/\S+ +Planned +Planned +\d+s .*would change 5, leave 0 alone; 2 in the way; takes about 81 s\n/,
  );
  await scene.cp.api.patch(`${path}/stuck`, { metadata: { finalizers: null } });
});

test('a plan shows budgets that never allow it and pods that forbid it; nothing would go then', async () => {
  await scene.cp.api.create(`/api/v1/namespaces/${scene.namespace}/pods`, {
    metadata: { name: 'bare' },
    spec: { nodeName: held.name, containers: [{ name: 'main', image: 'example.invalid/none' }] },
  });
  await eventually(async () => (await podsOnNode(scene.cp, held.name)).length).toBe(4);
  await scene.actions.create('refused', { action: 'Drain', mode: 'Plan', drain: { nodeName: held.name } });
  const { status } = await scene.actions.until('refused', inPhase('Planned'));
  const never = { verdict: 'Wait', reason: 'PDBNeverSatisfiable', budget: `${scene.namespace}/shop` };
  expect(status?.plan).toMatchObject({
    change: 0,
    pods: [{ pod: `${scene.namespace}/bare`, verdict: 'Refuse', reason: 'NoController' }, ...held.pods.map((pod) => ({ pod, ...never }))],
    budgets: [{ budget: `${scene.namespace}/shop`, pods: 3, allowedNow: 0 }],
  });
  expect(status?.plan).not.toHaveProperty('estimateSeconds');
  expect(await scene.writes()).toEqual([]);
});
