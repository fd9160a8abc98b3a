import { expect, test } from 'vitest';
import { dial } from '../backends/streamspace/raw-agent.ts';
import { condition } from './objects.ts';
import { AGENT, admit, useStreamSpace } from './streamspace-scene.ts';

const approved = useStreamSpace('streamspace-approval');
const twice = useStreamSpace('streamspace-twice');
const replicas = useStreamSpace('streamspace-replicas');

test('an agent waits for its approval without a socket, connects after it, and a rejection is named', { timeout: 120_000 }, async () => {
  const { cp, scene, variables } = approved;
  // It is not ready before it is connected, so the object tells.
  const operator = await scene.operator(variables);
  await scene.backends.until('streamspace', (object) => condition(object, 'Connected').reason === 'PendingApproval');
  expect(cp.heard.sockets).toEqual([]);
  expect(cp.heard.requests.map(({ route }) => route)).toContain('heartbeat');
  expect(cp.users.create({ user: 'a', template: 'b' }).status).toBe(503);
  await admit(cp);
  await scene.backends.until('streamspace', (object) => condition(object, 'Ready').status === 'True');
  // A key of its own that it was never told: the bootstrap key goes on to work.
  cp.administrator.rotateKey(AGENT);
  await cp.crash();
  await cp.restart();
  await cp.connected(AGENT, 15_000);
  expect(await operator.stop()).toBe(0);
  expect(cp.heard.sockets.at(-1)?.closeCode).toBe(1001);
  cp.administrator.reject(AGENT);
  await scene.operator(variables);
  await scene.backends.until('streamspace', (object) => condition(object, 'Connected').reason === 'Rejected');
  expect(cp.violations).toEqual([]);
});

test('whoever else uses its id is outlived: back within 3 s, as often as it happens', async () => {
  const { cp, scene, variables } = twice;
  cp.administrator.add(AGENT);
  const operator = await scene.operator(variables);
  await operator.ready();
  await cp.connected(AGENT);
  for (const _time of [1, 2]) {
    const intruder = await dial(cp, AGENT);
    const at = performance.now();
    await intruder.end();
    await cp.waitFor(() => cp.hub.settled && cp.hub.get(AGENT), 'the operator to be back', 5000);
    expect(performance.now() - at).toBeLessThan(3000);
  }
  const { id } = twice.order();
  await cp.state(id, 'running', 30_000);
  cp.users.delete(id);
  await cp.state(id, 'terminated', 30_000);
  expect(cp.violations).toEqual([]);
});

test('of two operators one connects, and the other takes over when it ends', { timeout: 120_000 }, async () => {
  const { cp, scene, variables } = replicas;
  cp.administrator.add(AGENT);
  const start = (name: string) => scene.operator({ ...variables, POD_NAME: name, POD_UID: `${scene.namespace}-${name}` });
  const first = await start('first');
  await first.ready();
  await cp.connected(AGENT);
  await start('second');
  const { id, command } = replicas.order();
  await cp.ended(command, 30_000);
  expect(cp.heard.sockets).toHaveLength(1);
  expect(cp.heard.requests.filter(({ route }) => route === 'register')).toHaveLength(1);
  expect(await first.stop()).toBe(0);
  await cp.disconnected(AGENT);
  await cp.connected(AGENT, 45_000);
  expect((await cp.ended(cp.users.hibernate(id).command, 30_000)).status).toBe('completed');
  expect(cp.session(id).state).toBe('hibernated');
  expect(cp.heard.sockets).toHaveLength(2);
  expect(cp.heard.log).toEqual([]);
  cp.users.delete(id);
  await cp.state(id, 'terminated', 30_000);
  expect(cp.violations).toEqual([]);
});
