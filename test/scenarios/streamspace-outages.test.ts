import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { condition } from './objects.ts';
import type { OperatorProcess } from './operator-process.ts';
import { eventually } from './scene.ts';
import { AGENT, useStreamSpace } from './streamspace-scene.ts';

const place = useStreamSpace('streamspace-outages');
let operator: OperatorProcess;

beforeAll(async () => {
  const { scene, cp, variables } = place;
  cp.administrator.add(AGENT);
  operator = await scene.operator(variables);
  await operator.ready();
  await cp.connected(AGENT);
});

let size = 2_000_000;

/** A session that cannot start until `room` has made a node for it. */
async function half() {
  size += 1_000_000;
  const cpu = String(size);
  const order = place.order({ user: `half${size}`, cpu });
  await eventually(() => place.pods(order.id)).toHaveLength(1);
  const room = () => place.scene.tenant.createNodes(1, { cpu: String(size + 500_000), memory: '64Gi' });
  return { ...order, room };
}

/** The answers to a command so far. */
function finals(commandId: string | undefined): string[] {
  const { messages } = place.cp.heard;
  return messages.filter(({ type, payload }) => /complete|failed/.test(type) && payload.commandId === commandId).map(({ type }) => type);
}

test('a start that is half done when the control plane restarts is finished and told', async () => {
  const { cp } = place;
  const { id, command, room } = await half();
  await cp.waitFor(() => command?.status === 'ack');
  await cp.crash();
  await room();
  await place.session(id, ({ status }) => status?.phase === 'Running');
  expect(cp.session(id).state).toBe('pending');
  await cp.restart();
  await cp.connected(AGENT, 15_000);
  await cp.state(id, 'running', 15_000);
  expect((await cp.ended(command, 15_000)).status).toBe('completed');
  expect(cp.violations).toEqual([]);
});

test('what happens while the agent is away for 12 s is told when it is back, and nothing stays mute', { timeout: 90_000 }, async () => {
  const { cp, scene } = place;
  const { id, command } = place.order({ user: 'away' });
  await cp.ended(command, 30_000);
  const ends = cp.heard.sockets.length;
  cp.cut();
  await cp.disconnected(AGENT);
  await scene.cp.kubectl([
    'patch',
    'sessions.cloudoptim.io',
    id,
    '-n',
    scene.namespace,
    '--type=merge',
    '-p',
    '{"spec":{"state":"Hibernated"}}',
  ]);
  await place.session(id, ({ status }) => status?.phase === 'Hibernated');
  // The length of the outage is what is tried.
  await sleep(12_000);
  cp.heal();
  await cp.connected(AGENT, 10_000);
  await cp.state(id, 'hibernated', 10_000);
  expect(cp.heard.sockets.length).toBe(ends + 1);
  expect((await cp.ended(cp.users.wake(id).command, 30_000)).status).toBe('completed');
  cp.users.delete(id);
  await cp.state(id, 'terminated', 30_000);
  expect(cp.violations).toEqual([]);
});

test('an operator that is killed while a start is half done finishes it in its next life, and answers once', {
  timeout: 90_000,
}, async () => {
  const { cp, scene, variables } = place;
  const { id, command, room } = await half();
  await cp.waitFor(() => command?.status === 'ack');
  await operator.stop('SIGKILL');
  await cp.disconnected(AGENT);
  await room();
  operator = await scene.operator(variables);
  await cp.connected(AGENT, 30_000);
  await cp.state(id, 'running', 30_000);
  expect((await cp.ended(command, 30_000)).status).toBe('completed');
  cp.users.delete(id);
  await cp.state(id, 'terminated', 30_000);
  expect(finals(command?.id)).toEqual(['complete']);
  expect(cp.violations).toEqual([]);
});

test('a stop that was lost in a crash is repeated by the control plane and answered', { timeout: 90_000 }, async () => {
  const { cp } = place;
  const { id, command } = place.order({ user: 'lost' });
  await cp.ended(command, 30_000);
  cp.dispatcher.hold(true);
  cp.users.delete(id);
  await cp.crash();
  await cp.restart({ lose: true });
  cp.dispatcher.hold(false);
  await cp.connected(AGENT, 15_000);
  const repeated = cp.administrator.command(AGENT, 'stop_session', { sessionId: id, deletePVC: false });
  expect((await cp.ended(repeated, 30_000)).status).toBe('completed');
  expect(cp.session(id).state).toBe('terminated');
  // And once more, as it does while it has not seen the status.
  const again = cp.administrator.command(AGENT, 'stop_session', { sessionId: id, deletePVC: false });
  expect((await cp.ended(again, 30_000)).status).toBe('completed');
  expect(cp.violations).toEqual([]);
});

test('the same command twice has one effect and one answer', async () => {
  const { cp } = place;
  const { id, command } = place.order({ user: 'twice' });
  await cp.ended(command, 30_000);
  await place.scene.actions.untilTask(command?.id ?? '', (each) => condition(each, 'Reported').status === 'True');
  const { podName } = cp.session(id);
  cp.hub.get(AGENT)?.send({ type: 'command', payload: { commandId: command?.id, action: 'start_session', payload: command?.payload } });
  await cp.waitFor(() => finals(command?.id).length === 2, 'the answer from the stored result', 15_000);
  expect(finals(command?.id)).toEqual(['complete', 'complete']);
  expect(cp.session(id)).toMatchObject({ state: 'running', podName });
  expect(await place.pods(id)).toEqual([podName]);
});
