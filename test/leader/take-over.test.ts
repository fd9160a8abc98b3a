import { expect, test } from 'vitest';
import { isStopped } from '../cluster/stopped.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { heldNode, isHeld } from '../scenarios/held.ts';
import { inPhase } from '../scenarios/objects.ts';
import { seedVariables, useScene } from '../scenarios/scene.ts';
import { type Replica, startReplica } from './replicas.ts';
import { evictionsIn, writesBy } from './writes.ts';

/** Generous: a killed leader is followed after its lease of 10 s, one that stopped at once. */
const TAKEN_OVER_WITHIN = 40_000;

const scene = useScene('leader');

/** Two that were started at the same moment: who leads, and who stands by. */
async function startPair(name: string, env: Readonly<Record<string, string>>): Promise<{ leader: Replica; standby: Replica }> {
  const { cp, namespace } = scene;
  const both = await Promise.all(['a', 'b'].map((each) => startReplica(cp, namespace, `${name}-${each}`, env)));
  await Promise.all(both.map((each) => each.ready()));
  // Who leads may still be one of a test that failed.
  const leads = await waitFor(
    async () => {
      const each = await Promise.all(both.map((replica) => replica.leads()));
      return each.includes(true) && each;
    },
    { within: TAKEN_OVER_WITHIN, what: 'one of the two leads' },
  );
  const leader = both[leads.indexOf(true)];
  const standby = both[leads.indexOf(false)];
  if (!leader || !standby) throw new Error('both lead');
  await standby.said(`standby; ${leader.pod} leads`);
  return { leader, standby };
}

const names = (pods: readonly string[]) => pods.map((pod) => pod.split('/')[1]);

test.each(['SIGKILL', 'SIGTERM'] as const)(
  '%s of the leader in the middle of a drain: the standby ends it',
  { timeout: 120_000 },
  async (signal) => {
    const name = signal.toLowerCase();
    const held = await heldNode(scene, name, 4);
    const backend = await scene.backend();
    const { leader, standby } = await startPair(name, seedVariables(backend));
    await backend.socketOpen();
    expect(backend.stream.size).toBe(1);
    backend.pushTask({ task_id: `${name}-drain`, task_type: 'drain_node', parameters: { node_name: held.name } });
    await scene.actions.untilTask(`${name}-drain`, isHeld);
    await held.letGo(2);
    const { status } = await scene.actions.untilTask(`${name}-drain`, (object) => object.status?.progress?.done === 2 && isHeld(object));

    const stoppedAt = performance.now();
    await leader.stop(signal);
    backend.addTask({
      task_id: `${name}-between`,
      task_type: 'label_node',
      parameters: { node_name: held.name, labels: { between: name } },
    });
    await held.letGo();
    await standby.said('this process leads', TAKEN_OVER_WITHIN);
    process.stdout.write(`${signal}: taken over after ${((performance.now() - stoppedAt) / 1000).toFixed(1)} s\n`);

    expect((await backend.result(`${name}-drain`, TAKEN_OVER_WITHIN)).body).toMatchObject({
      status: 'success',
      logs: 'Successfully drained 4 pods',
    });
    expect((await backend.result(`${name}-between`, TAKEN_OVER_WITHIN)).body).toMatchObject({ status: 'success' });
    const writes = await writesBy(scene.cp, [leader.user, standby.user]);
    expect(evictionsIn(writes)).toEqual(names(held.pods));
    expect((await scene.actions.untilTask(`${name}-drain`, inPhase('Succeeded'))).status?.startedAt).toBe(status?.startedAt);
    for (const task of ['drain', 'between']) {
      expect(backend.heard.results.filter(({ taskID }) => taskID === `${name}-${task}`)).toHaveLength(1);
    }
    expect(backend.stream.size).toBe(1);
    expect(backend.violations).toEqual([]);
    // What the leader before has written last is looked up before anything is written.
    // By the time of arrival: the log has them in the order of their answers' ends.
    const requests = (await scene.cp.auditEvents())
      .filter(({ user, stage }) => user.username === standby.user && stage === 'ResponseComplete')
      .sort((one, other) => one.requestReceivedTimestamp.localeCompare(other.requestReceivedTimestamp));
    const is = (verb: string, resource: string) => (request: (typeof requests)[number]) =>
      request.verb === verb && request.objectRef?.resource === resource;
    const taken = requests.findIndex((each) => is('patch', 'leases')(each) && each.responseStatus?.code === 200);
    const listed = requests.findLastIndex(is('list', 'optimizationactions'));
    const wrote = requests.findIndex(
      ({ verb, objectRef }) => ['create', 'patch', 'delete'].includes(verb) && objectRef?.resource === 'optimizationactions',
    );
    expect(taken).toBeGreaterThanOrEqual(0);
    expect(taken).toBeLessThan(listed);
    expect(listed).toBeLessThan(wrote);
    // The Lease says who leads, and so does an Event.
    const events = await scene.cp.kubectl(['get', 'events', `--namespace=${scene.namespace}`, '-o', 'jsonpath={.items[*].message}']);
    expect(events.stdout).toContain(`${standby.pod}_uid-of-${standby.pod}_`);
    expect(await standby.stop()).toBe(0);
  },
);

test('a leader that is frozen for longer than its lease and goes on writes nothing any more', { timeout: 120_000 }, async () => {
  const held = await heldNode(scene, 'frozen', 3);
  const backend = await scene.backend();
  const { leader, standby } = await startPair('frozen', seedVariables(backend));
  await backend.socketOpen();
  backend.pushTask({ task_id: 'frozen', task_type: 'drain_node', parameters: { node_name: held.name } });
  await scene.actions.untilTask('frozen', isHeld);

  process.kill(leader.pid, 'SIGSTOP');
  await waitFor(() => isStopped(leader.pid), { what: 'the leader is stopped' });
  await standby.said('this process leads', TAKEN_OVER_WITHIN);
  // Both see work at the same moment: pods that may go, new objects, and one that was stopped in the middle of waiting for them.
  await held.letGo();
  const label = (task: string) => ({ action: 'Label', label: { kind: 'Namespace', name: scene.namespace, set: { [task]: 'done' } } });
  await Promise.all(['one', 'two', 'three'].map((task) => scene.actions.create(task, label(task))));
  process.kill(leader.pid, 'SIGCONT');
  await leader.said(`standby; ${standby.pod} leads`);
  expect((await backend.result('frozen', TAKEN_OVER_WITHIN)).body).toMatchObject({ status: 'success' });
  await Promise.all(['one', 'two', 'three'].map((task) => scene.actions.until(task, inPhase('Succeeded'))));

  const writes = await writesBy(scene.cp, [leader.user, standby.user]);
  const taken = writes.find(({ user, what }) => user === standby.user && what === 'patch leases cloudoptim-operator');
  const late = writes.filter(({ user, answeredAt }) => user === leader.user && answeredAt > (taken?.receivedAt ?? ''));
  expect(late.map(({ what }) => what)).toEqual([]);
  expect(evictionsIn(writes)).toEqual(names(held.pods));
  await backend.waitFor(() => backend.stream.size === 1, 'the one socket of the new leader');
  expect(leader.output()).toContain('this process leads no longer');
  // And it is a good standby.
  expect(await standby.stop()).toBe(0);
  await leader.said('this process leads');
  expect(await leader.stop()).toBe(0);
});

test('a drain of the node that the leader runs on evicts its pod last; the other replica ends it', { timeout: 120_000 }, async () => {
  const { cp, namespace, tenant } = scene;
  const [node = ''] = await tenant.createNodes(1);
  const podSpec = { nodeSelector: { 'kubernetes.io/hostname': node } };
  const pods = await tenant.createDeployment({ name: 'own-work', replicas: 2, podSpec });
  // Its pod goes as slowly as a real one: the process has time to stop.
  const [own] = await tenant.createDeployment({ name: 'own-operator', terminatesAfter: '5s', podSpec });
  const ownName = own?.metadata.name ?? '';
  const leader = await startReplica(cp, namespace, ownName, {});
  await leader.said('this process leads');
  const standby = await startReplica(cp, namespace, 'own-other', {});
  await standby.said(`standby; ${ownName} leads`);
  await scene.actions.create('own', { action: 'Drain', drain: { nodeName: node } });

  // As the kubelet does it.
  const path = `/api/v1/namespaces/${namespace}/pods/${ownName}`;
  const leaves = async () => (await cp.api.get<{ metadata: { deletionTimestamp?: string } }>(path)).metadata.deletionTimestamp;
  await waitFor(leaves, { what: 'the pod of the leader is asked to go' });
  expect(await leader.stop()).toBe(0);
  await scene.actions.until('own', inPhase('Succeeded'));
  expect(await standby.leads()).toBe(true);
  const evicted = [...pods, ...(own ? [own] : [])].map(({ metadata }) => metadata.name);
  const writes = await writesBy(cp, [leader.user, standby.user]);
  expect(evictionsIn(writes)).toEqual(evicted.toSorted());
  expect(writes.filter(({ what }) => what.startsWith('create pods/eviction')).at(-1)?.what).toContain(ownName);
});
