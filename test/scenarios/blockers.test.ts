import { expect, test } from 'vitest';
import { getNode } from '../cluster/nodes.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { type HeldNode, heldNode, isHeld } from './held.ts';
import { condition, inPhase, type Stored } from './objects.ts';
import { type Request, useScene } from './scene.ts';

const scene = useScene('blockers');
const drainOf = ({ name }: HeldNode, more: object = {}) => ({ action: 'Drain', drain: { nodeName: name, ...more } });

/** The refused evictions of these pods, oldest first. */
async function refusals(pods: readonly string[]): Promise<Request[]> {
  const isOne = ({ objectRef, responseStatus }: Request) =>
    objectRef?.subresource === 'eviction' &&
    pods.includes(`${objectRef.namespace}/${objectRef.name}`) &&
    (responseStatus?.code ?? 0) >= 400;
  return (await scene.requests()).filter(isOne);
}

/** Status writes of this action and patches of this node, in order. */
async function patches(action: string, node: string): Promise<string[]> {
  const names = [action, node];
  const own = (await scene.requests()).filter(({ verb, objectRef }) => verb === 'patch' && names.includes(objectRef?.name ?? ''));
  return own.map(({ objectRef }) => objectRef?.resource ?? '');
}

/** Whether the drain was told no by the API server, and says so: what it says before is about the cordon. */
const isRefused = (object: Stored) =>
  isHeld(object) && !/^(seen before the cordon|node \S+ cordoned)/.test(condition(object, 'Ready').message);

async function isCordoned({ name }: HeldNode): Promise<boolean> {
  return (await getNode(scene.cp, name)).spec.unschedulable === true;
}

test('F3 A18 while nothing that counts changes nothing is asked or written: the object stays as it is, also over a new process', async () => {
  const held = await heldNode(scene, 'steady', 2);
  const operator = await scene.operator();
  await scene.actions.create('steady', drainOf(held));
  const blocked = await scene.actions.until('steady', isRefused);
  expect(blocked.status?.blockers).toEqual(
    held.pods.map((pod) => ({
      pod,
      uid: expect.any(String),
      cause: 'PDBNeverSatisfiable',
      budget: 'steady',
      currentHealthy: 2,
      desiredHealthy: 2,
      since: expect.any(String),
      retryAt: expect.stringMatching(/Z$/),
    })),
  );
  const [first, ...more] = await refusals(held.pods);
  expect(more).toEqual([]);
  const due = Date.parse(blocked.status?.blockers?.[0]?.retryAt ?? '');
  expect(due).toBeGreaterThan(Date.parse(first?.requestReceivedTimestamp ?? ''));
  for (const touched of ['once', 'twice']) await held.touch(touched);
  // Somebody else's action, from its start to its end: by then the changes of the budget have been looked at.
  const [other = ''] = await scene.tenant.createNodes(1);
  await scene.actions.create('meanwhile', { action: 'Cordon', cordon: { nodeName: other } });
  await scene.actions.until('meanwhile', inPhase('Succeeded'));
  expect(await refusals(held.pods)).toEqual([first]);
  expect(await scene.actions.get('steady')).toEqual(blocked);
  expect(await operator.stop()).toBe(0);
  expect(await scene.actions.get('steady')).toEqual(blocked);
  const asked = (await refusals(held.pods)).length;
  const next = await scene.operator();
  await waitFor(async () => (await refusals(held.pods)).length > asked, { what: 'the next process has asked too' });
  expect(await next.stop()).toBe(0);
  expect(await scene.actions.get('steady')).toEqual(blocked);
});

test('M7 A5 what the budgets would refuse is written before the node is cordoned, and costs nothing where none would', async () => {
  await using _ = await scene.operator();
  const held = await heldNode(scene, 'ahead');
  await scene.actions.create('ahead', drainOf(held));
  await scene.actions.until('ahead', isRefused);
  const status = 'optimizationactions';
  // The finalizer and the start, the blockers, the cordon.
  expect((await patches('ahead', held.name)).slice(0, 4)).toEqual([status, status, status, 'nodes']);
  const [refused] = await refusals(held.pods);
  const [, , told] = (await scene.requests()).filter(({ objectRef, verb }) => verb === 'patch' && objectRef?.name === 'ahead');
  expect(Date.parse(told?.stageTimestamp ?? '')).toBeLessThanOrEqual(Date.parse(refused?.requestReceivedTimestamp ?? ''));

  const free = await heldNode(scene, 'free');
  await free.letGo();
  await waitFor(async () => (await budgetOf('free')).status.disruptionsAllowed === 1, { what: 'the budget allows one' });
  await scene.actions.create('free', drainOf(free));
  await scene.actions.until('free', inPhase('Succeeded'));
  expect((await patches('free', free.name)).slice(0, 3)).toEqual([status, status, 'nodes']);
});

function budgetOf(name: string): Promise<{ status: { disruptionsAllowed: number } }> {
  return scene.cp.api.get(`/apis/policy/v1/namespaces/${scene.namespace}/poddisruptionbudgets/${name}`);
}

test('F3 E11 an admission policy that refuses evictions is a blocker with its words, which go when it does', async () => {
  const held = await heldNode(scene, 'guarded');
  await held.letGo();
  const admission = '/apis/admissionregistration.k8s.io/v1';
  const name = `no-evictions-${scene.namespace}`;
  const rule = { apiGroups: [''], apiVersions: ['v1'], resources: ['pods/eviction'], operations: ['CREATE'] };
  const validations = [{ expression: 'false', message: 'not on Fridays' }];
  const matchResources = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': scene.namespace } } };
  const policy = `${admission}/validatingadmissionpolicies`;
  const binding = `${admission}/validatingadmissionpolicybindings`;
  try {
    await scene.cp.api.create(policy, { metadata: { name }, spec: { matchConstraints: { resourceRules: [rule] }, validations } });
    await scene.cp.api.create(binding, { metadata: { name }, spec: { policyName: name, validationActions: ['Deny'], matchResources } });
    const [, pod = ''] = held.pods[0]?.split('/') ?? [];
    const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: pod }, deleteOptions: { dryRun: ['All'] } };
    const path = `/api/v1/namespaces/${scene.namespace}/pods/${pod}/eviction`;
    await waitFor(async () => (await scene.cp.api.call('POST', path, eviction)).status === 422, { what: 'the policy works' });
    await using _ = await scene.operator();
    await scene.actions.create('guarded', drainOf(held));
    const { status } = await scene.actions.until('guarded', isHeld);
    expect(status?.blockers).toMatchObject([
      { pod: held.pods[0], cause: 'WebhookDenied', detail: expect.stringContaining('not on Fridays') },
    ]);
    expect(status?.conditions).toContainEqual(expect.objectContaining({ type: 'Ready', reason: 'WebhookDenied' }));
    await scene.cp.api.remove(`${binding}/${name}`);
    expect((await scene.actions.until('guarded', inPhase('Succeeded'))).status).not.toHaveProperty('blockers');
  } finally {
    await scene.cp.api.remove(`${binding}/${name}`);
    await scene.cp.api.remove(`${policy}/${name}`);
  }
});

test('A9 F3 whatever ends a drain, its status keeps which pods are left and what held them', { timeout: 120_000 }, async () => {
  await using _ = await scene.operator();
  const soon = () => new Date(Date.now() + 4000).toISOString();
  const ends: Record<string, { spec?: object; drain?: object; end: (name: string) => Promise<unknown>; phase: string; reason: string }> = {
    cancelled: { end: (name) => scene.actions.patch(name, { cancel: true }), phase: 'Cancelled', reason: 'Cancelled' },
    expired: { spec: { deadline: soon() }, end: async () => undefined, phase: 'Expired', reason: 'DeadlineExceeded' },
    timeout: { drain: { timeoutSeconds: 4 }, end: async () => undefined, phase: 'Failed', reason: 'Timeout' },
    deleted: {
      end: async (name) => {
        // So that it can be looked at afterwards.
        const path = `${scene.actions.path}/${name}`;
        const { metadata } = await scene.actions.get(name);
        await scene.cp.api.patch(path, { metadata: { finalizers: [...(metadata.finalizers ?? []), 'example.com/hold'] } });
        await scene.actions.remove(name);
      },
      phase: 'Cancelled',
      reason: 'Deleted',
    },
    uncordoned: {
      end: async () => scene.cp.api.patch(`/api/v1/nodes/${nodes.get('uncordoned')?.name}`, { spec: { unschedulable: null } }),
      phase: 'Failed',
      reason: 'Uncordoned',
    },
    bare: {
      end: async () =>
        scene.cp.api.create(`/api/v1/namespaces/${scene.namespace}/pods`, {
          metadata: { name: 'bare' },
          spec: { nodeName: nodes.get('bare')?.name, containers: [{ name: 'main', image: 'example.invalid/none' }] },
        }),
      phase: 'Failed',
      reason: 'DrainBlocked',
    },
  };
  const nodes = new Map<string, HeldNode>();
  await Promise.all(Object.keys(ends).map(async (name) => nodes.set(name, await heldNode(scene, name, 2))));
  await Promise.all(
    Object.entries(ends).map(async ([name, { spec, drain, end, phase, reason }]) => {
      const held = nodes.get(name) as HeldNode;
      const renewed = spec ? { ...spec, deadline: soon() } : {};
      await scene.actions.create(name, { ...drainOf(held, drain), ...renewed });
      const { status: before } = await scene.actions.until(name, isRefused);
      await end(name);
      const ended = await scene.actions.until(name, inPhase(phase));
      expect(condition(ended, 'Ready').reason, name).toBe(reason);
      const kept = (before?.blockers ?? []).map(({ retryAt: __, ...blocker }) => blocker);
      const refused = { pod: `${scene.namespace}/bare`, cause: 'NoController', detail: expect.any(String) };
      const blockers = name === 'bare' ? [expect.objectContaining(refused), ...kept] : kept;
      expect(ended.status?.blockers, name).toEqual(blockers);
      const left = blockers.map(({ pod }: { pod?: string }) => pod ?? refused.pod);
      expect(ended.status?.result, name).toMatchObject({ evicted: 0, remainingPods: left, remaining: left.length });
    }),
  );
  await scene.cp.api.patch(`${scene.actions.path}/deleted`, { metadata: { finalizers: null } });
});

test('A9 E10 a right that is missing in the middle ends it, with the blockers as they were', async () => {
  const held = await heldNode(scene, 'forbidden');
  await using _ = await scene.operator();
  await scene.actions.create('forbidden', drainOf(held));
  const { status: before } = await scene.actions.until('forbidden', isRefused);
  await scene.forbid('pods/eviction');
  await held.letGo();
  const ended = await scene.actions.until('forbidden', inPhase('Failed'));
  expect(condition(ended, 'Ready')).toMatchObject({ reason: 'Forbidden', message: expect.stringContaining('pods/eviction') });
  expect(ended.status?.blockers).toMatchObject((before?.blockers ?? []).map(({ pod, uid }) => ({ pod, uid })));
  expect(ended.status?.result).toMatchObject({ remainingPods: held.pods });
  expect(await isCordoned(held)).toBe(true);
});
