import { expect, test } from 'vitest';
import type { OptimizationAction } from '../../operator/api/optimization-action.ts';
import { Graveyard } from '../../operator/reconcilers/graveyard.ts';
import { getNode } from '../cluster/nodes.ts';
import { controlPlane } from '../cluster/shared.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { clientOf } from '../kube/clients.ts';
import { condition, inPhase, type Stored } from './objects.ts';
import { eventually, useScene } from './scene.ts';

const scene = useScene('retention');

const cordon = (nodeName: string, more: object = {}) => ({ action: 'Cordon', cordon: { nodeName }, ...more });
const ARGO = { annotations: { 'argocd.argoproj.io/tracking-id': 'app:cloudoptim.io/OptimizationAction:x/y' } };

function apply(name: string, spec: object, metadata: object = {}): Promise<Stored> {
  return scene.cp.api.create<Stored>(scene.actions.path, {
    apiVersion: 'cloudoptim.io/v1alpha1',
    kind: 'OptimizationAction',
    metadata: { name, ...metadata },
    spec,
  });
}

/** The tombstones that are written, by the name of the object. */
async function tombstones(): Promise<Record<string, string>> {
  const path = `/api/v1/namespaces/${scene.namespace}/configmaps/cloudoptim-tombstones-0`;
  const { status, body } = await scene.cp.api.call<{ data?: Record<string, string> }>('GET', path);
  return status === 200 ? (body.data ?? {}) : {};
}

const patchesOf = async (node: string) => (await scene.writes()).filter((line) => line === `patch nodes/${node}`);

test('a finished object goes when its time is over, its tombstone written before; a failure without a time of its own stays', async () => {
  const [node = ''] = await scene.tenant.createNodes(1);
  const operator = await scene.operator();
  await scene.actions.create('failed', cordon('no-such-node'));
  await scene.actions.create('kept', cordon(node));
  await scene.actions.create('brief', cordon(node, { ttlSecondsAfterFinished: 1 }));
  await scene.actions.gone('brief');
  expect(Object.keys(await tombstones())).toEqual(['brief']);
  const events = (await scene.cp.auditEvents()).filter(({ objectRef }) => objectRef?.namespace === scene.namespace);
  const at = (verb: string, resource: string) =>
    events.find(
      (each) =>
        each.verb === verb &&
        each.objectRef?.resource === resource &&
        each.stage === 'ResponseComplete' &&
        (each.responseStatus?.code ?? 500) < 300,
    )?.stageTimestamp ?? '';
  const [buried, deleted] = [at('create', 'configmaps'), at('delete', 'optimizationactions')];
  expect(buried).not.toBe('');
  expect(buried < deleted).toBe(true);
  await scene.actions.until('failed', inPhase('Failed'));
  expect((await scene.actions.get('failed')).spec).not.toHaveProperty('ttlSecondsAfterFinished');
  expect((await operator.fetch('/metrics')).body).toMatch(/cloudoptim_actions_removed_total\{why="ttl"\} 1/);
  // Given a time, it counts for every end, from then.
  await scene.actions.patch('failed', { ttlSecondsAfterFinished: 0 });
  await scene.actions.gone('failed');
  expect(await scene.actions.get('kept')).toMatchObject({ status: { phase: 'Succeeded' } });
  await operator.stop();
});

test('a task that comes again after its object went is answered with the same result, over a restart, and nothing is done again', async () => {
  const [node = ''] = await scene.tenant.createNodes(1);
  const backend = await scene.backend({ redelivery: 'always' });
  let operator = await scene.operator();
  await scene.connect('prod', backend);
  backend.addTask({ task_id: 'late', task_type: 'cordon_node', parameters: { node_name: node } });
  backend.addTask({ task_id: 'late-failure', task_type: 'cordon_node', parameters: { node_name: 'no-such-node' } });
  const firsts = await Promise.all(['late', 'late-failure'].map((id) => backend.result(id)));
  for (const id of ['late', 'late-failure']) {
    const { metadata } = await scene.actions.untilTask(id, (object) => condition(object, 'Reported').status === 'True');
    await scene.actions.patch(metadata.name, { ttlSecondsAfterFinished: 0 });
    await scene.actions.gone(metadata.name);
  }
  await controlPlane.api.patch(`/api/v1/nodes/${node}`, { spec: { unschedulable: null } });
  const again = async () => {
    const known = backend.heard.results.length;
    await backend.waitFor(() => backend.heard.results.length >= known + 4, 'the stored results once more');
  };
  await again();
  await operator.stop('SIGKILL');
  operator = await scene.operator();
  await again();
  const bodies = (id: string) => backend.heard.results.filter(({ taskID }) => taskID === id).map(({ body }) => body);
  for (const { taskID, body } of firsts) for (const each of bodies(taskID)) expect(each).toEqual(body);
  expect((await scene.actions.list()).filter(({ spec }) => spec.source)).toEqual([]);
  expect((await getNode(controlPlane, node)).spec.unschedulable).toBeUndefined();
  expect(await patchesOf(node)).toHaveLength(1);
  expect(backend.violations).toEqual([]);
  await scene.backends.remove('prod');
  await operator.stop();
});

test('an object that a GitOps tool makes anew ends as the one before and runs no second time; another spec or name does', async () => {
  const [node = '', other = ''] = await scene.tenant.createNodes(2);
  let operator = await scene.operator();
  await apply('tracked', cordon(node, { ttlSecondsAfterFinished: 0 }), ARGO);
  await apply('broken', cordon('no-such-node'), ARGO);
  const first = await scene.actions.until('tracked', inPhase('Succeeded'));
  await scene.actions.until('broken', inPhase('Failed'));
  expect(first.metadata.finalizers).toEqual(['cloudoptim.io/operator']);
  await controlPlane.api.patch(`/api/v1/nodes/${node}`, { spec: { unschedulable: null } });

  // Deleted and made anew while no operator runs: the finalizer holds the object until its run is remembered.
  await operator.stop('SIGKILL');
  await Promise.all([scene.actions.remove('tracked'), scene.actions.remove('broken')]);
  operator = await scene.operator();
  await Promise.all([scene.actions.gone('tracked'), scene.actions.gone('broken')]);
  await operator.stop();
  await apply('tracked', cordon(node, { ttlSecondsAfterFinished: 0, suspend: true }), ARGO);
  await apply('broken', cordon('no-such-node'), ARGO);
  operator = await scene.operator();
  const anew = await scene.actions.until('tracked', inPhase('Succeeded'));
  expect(anew.metadata.uid).not.toBe(first.metadata.uid);
  expect(condition(anew, 'Ready')).toMatchObject({ status: 'True', reason: 'AlreadyExecuted' });
  expect(condition(anew, 'Ready').message).toMatch(new RegExp(`ended Succeeded at ${first.status?.finishedAt}; .*another name`));
  expect(anew.status?.result).toEqual(first.status?.result);
  const broken = await scene.actions.until('broken', inPhase('Failed'));
  expect([condition(broken, 'Ready').reason, condition(broken, 'Stalled')]).toMatchObject([
    'AlreadyExecuted',
    { status: 'True', reason: 'AlreadyExecuted' },
  ]);
  expect((await getNode(controlPlane, node)).spec.unschedulable).toBeUndefined();
  expect(await patchesOf(node)).toHaveLength(1);

  await scene.actions.remove('tracked');
  await scene.actions.gone('tracked');
  await apply('tracked', cordon(other), ARGO);
  await apply('tracked-2', cordon(node), ARGO);
  await scene.actions.until('tracked', (object) => condition(object, 'Ready').reason === 'Done');
  await scene.actions.until('tracked-2', (object) => condition(object, 'Ready').reason === 'Done');
  expect([await patchesOf(node), await patchesOf(other)].map(({ length }) => length)).toEqual([2, 1]);
  await operator.stop();
});

test('deleted by a user without any finalizer and made anew at once, it does not run again; what never started does', async () => {
  const [node = ''] = await scene.tenant.createNodes(1);
  const operator = await scene.operator();
  await apply('plain', cordon(node));
  const first = await scene.actions.until('plain', inPhase('Succeeded'));
  expect(first.metadata.finalizers).toBeUndefined();
  await apply('waiting', cordon(node, { suspend: true }));
  await scene.actions.until('waiting', inPhase('Suspended'));
  await Promise.all(['plain', 'waiting'].map((name) => scene.actions.remove(name)));
  await apply('plain', cordon(node));
  await apply('waiting', cordon(node));
  const anew = await scene.actions.until('plain', inPhase('Succeeded'));
  expect(condition(anew, 'Ready').reason).toBe('AlreadyExecuted');
  expect(condition(await scene.actions.until('waiting', inPhase('Succeeded')), 'Ready').reason).toBe('Done');
  await eventually(async () => Object.keys(await tombstones())).toContain('plain');
  await operator.stop();
});

test('killed between the tombstone and the deletion, the next process deletes, and nothing runs twice', async () => {
  const [node = ''] = await scene.tenant.createNodes(1);
  const first = await scene.operator();
  await apply('torn', cordon(node, { ttlSecondsAfterFinished: 5 }));
  await scene.actions.until('torn', inPhase('Succeeded'));
  await first.stop('SIGKILL');
  // What the process wrote last.
  const client = clientOf(controlPlane);
  const graveyard = new Graveyard({ client, namespace: scene.namespace, clock: () => new Date(), onError: () => undefined });
  await graveyard.load(new AbortController().signal);
  await graveyard.bury((await scene.actions.get('torn')) as unknown as OptimizationAction);
  const { torn } = await tombstones();
  expect(torn).toMatch(/"phase":"Succeeded"/);
  const second = await scene.operator();
  await scene.actions.gone('torn');
  expect((await tombstones()).torn).toBe(torn);
  expect(await patchesOf(node)).toHaveLength(1);
  await second.stop();
});

test('without the right to write the tombstone the object stays as it ended, and goes once the right is there', async () => {
  const path = `/apis/rbac.authorization.k8s.io/v1/namespaces/${scene.namespace}/roles/cloudoptim-operator`;
  const { rules } = await scene.cp.api.get<{ rules: { resources: string[]; verbs: string[] }[] }>(path);
  const forbidden = rules.filter(({ resources, verbs }) => !(resources.includes('configmaps') && /patch|create/.test(verbs.join())));
  const [node = ''] = await scene.tenant.createNodes(1);
  const operator = await scene.operator();
  await operator.ready();
  await scene.cp.api.patch(path, {
    rules: [...forbidden, { ...rules.find(({ resources }) => resources.includes('configmaps')), verbs: ['get'] }],
  });
  await apply('stays', cordon(node, { ttlSecondsAfterFinished: 0 }));
  const refusals = () => operator.log.filter((line) => line.level === 'ERROR' && line.object === `${scene.namespace}/stays`);
  await eventually(() => refusals().length).toBeGreaterThan(3);
  expect(refusals()[0]?.message).toMatch(/configmaps ".*" is forbidden/);
  const kept = await scene.actions.get('stays');
  expect([kept.status?.phase, condition(kept, 'Ready').reason]).toEqual(['Succeeded', 'Done']);
  await scene.cp.api.patch(path, { rules });
  await scene.actions.gone('stays');
  await operator.stop();
});

test('a burst of finished objects goes, each with its tombstone', async () => {
  const [node = ''] = await scene.tenant.createNodes(1);
  const operator = await scene.operator();
  const names = Array.from({ length: 60 }, (_, index) => `burst-${index}`);
  const brief = cordon(node, { deadline: '2020-01-01T00:00:00Z', ttlSecondsAfterFinished: 0 });
  for (let index = 0; index < names.length; index += 10)
    await Promise.all(names.slice(index, index + 10).map((name) => apply(name, brief)));
  const left = async () => (await scene.actions.list()).filter(({ metadata }) => metadata.name.startsWith('burst-')).length;
  await waitFor(async () => (await left()) === 0, { within: 30_000, what: 'all are gone' });
  expect(names.filter((name) => !operator.log.some((line) => line.object === `${scene.namespace}/${name}` && line.why === 'ttl'))).toEqual(
    [],
  );
  const written = await tombstones();
  expect(names.filter((name) => !(name in written))).toEqual([]);
  await operator.stop();
});
