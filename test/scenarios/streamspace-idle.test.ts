import { beforeAll, expect, test } from 'vitest';
import { eventually } from './scene.ts';
import { AGENT, useStreamSpace } from './streamspace-scene.ts';

const place = useStreamSpace('streamspace-idle');

beforeAll(async () => {
  const { scene, cp, variables } = place;
  cp.administrator.add(AGENT);
  const operator = await scene.operator(variables);
  await operator.ready();
  await cp.connected(AGENT);
});

test('one connection outlasts every deadline of the control plane while a start takes its time', { timeout: 150_000 }, async () => {
  const { cp, scene } = place;
  const { id, command } = place.order({ cpu: '5000000' });
  await eventually(() => place.pods(id)).toHaveLength(1);
  const [socket] = cp.heard.sockets;
  const { readDeadline, serverPing, staleAfter } = cp.timings;
  const longest = Math.max(readDeadline, serverPing, staleAfter) + 10_000;
  // Heartbeats wake this; after the first deadline nothing but pings and pongs keeps it open.
  await cp.waitFor(() => performance.now() - (socket?.openedAt ?? 0) > longest, 'a long time', longest + 20_000);
  expect(cp.heard.sockets).toHaveLength(1);
  expect(socket?.pongs).toBeGreaterThan(0);
  expect(cp.heard.of('heartbeat').length).toBeGreaterThanOrEqual(longest / 6000);
  // What nothing has changed of was said once at most.
  expect(cp.heard.of('status', { sessionId: id })).toEqual([]);
  await scene.tenant.createNodes(1, { cpu: '6000000', memory: '64Gi' });
  expect((await cp.ended(command, 30_000)).status).toBe('completed');
  cp.users.delete(id);
  await cp.state(id, 'terminated', 30_000);
  expect(cp.heard.sockets).toHaveLength(1);
  expect(cp.violations).toEqual([]);
});
