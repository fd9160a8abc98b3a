import { beforeAll, expect, test } from 'vitest';
import { AGENT, useStreamSpace } from './streamspace-scene.ts';

const place = useStreamSpace('streamspace-many');
const COUNT = 50;

beforeAll(async () => {
  const { scene, cp, variables } = place;
  cp.administrator.add(AGENT);
  const operator = await scene.operator({ ...variables, MAX_SESSIONS: String(COUNT) });
  await operator.ready();
  await cp.connected(AGENT);
});

test('50 sessions at once start, hibernate, wake and end; the 51st is told how many there may be', { timeout: 240_000 }, async () => {
  const { cp } = place;
  const orders = Array.from({ length: COUNT }, (_, index) => place.order({ user: `user${index}`, cpu: '9000' }));
  const ids = orders.map(({ id }) => id);
  const all = (state: string) => Promise.all(ids.map((id) => cp.state(id, state, 90_000)));
  await all('running');
  expect(await Promise.all(orders.map(({ command }) => cp.ended(command)))).toEqual(
    orders.map(() => expect.objectContaining({ status: 'completed' })),
  );
  // Several commands came in one frame, or nothing was tried here.
  expect(cp.heard.sockets[0]?.sent.some(({ documents }) => documents > 1)).toBe(true);

  const late = place.order({ user: 'late' });
  expect(await cp.ended(late.command, 30_000)).toMatchObject({ status: 'failed', error: expect.stringMatching(/capacity.*50\/50/i) });
  await cp.state(late.id, 'failed', 30_000);

  for (const id of ids) cp.users.hibernate(id);
  await all('hibernated');
  for (const id of ids) cp.users.wake(id);
  await all('running');
  for (const id of ids) cp.users.delete(id);
  await all('terminated');
  expect(cp.heard.sockets).toHaveLength(1);
  expect(cp.violations).toEqual([]);
});
