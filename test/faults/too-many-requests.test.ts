import { expect, test } from 'vitest';
import { waitFor } from '../cluster/wait-for.ts';
import { condition, inPhase } from '../scenarios/objects.ts';
import { isEviction, isNodePatch, useFaultyServer } from './rig.ts';

const rig = useFaultyServer('throttled');
const { scene } = rig;

/** As priority and fairness answers: plain text (FIELD.md E4). */
const busy = { status: 429, body: 'Too many requests, please try again later.\n' };

const isAnything = ({ watch }: { watch: boolean }) => !watch;

function reason(expected: string) {
  return (object: Parameters<typeof condition>[0]) => condition(object, 'Ready').reason === expected;
}

function gaps(times: readonly number[]): number[] {
  return times.slice(1).map((time, index) => time - (times[index] ?? 0));
}

test('evictions wait as long as Retry-After says, the drain says why, and each pod goes once', async () => {
  const drain = await rig.heldDrain('asked-to-wait');
  const refusedAt = rig.refuse(isEviction, { ...busy, headers: { 'retry-after': '1' } });
  await drain.letGo();
  await waitFor(() => refusedAt.length >= 4);
  await scene.actions.untilTask('asked-to-wait', reason('TooManyRequests'));
  rig.heal();
  await drain.finished();
  expect(Math.min(...gaps(refusedAt))).toBeGreaterThan(990);
});

test('a 429 without Retry-After is not answered with a hail of requests', async () => {
  const drain = await rig.heldDrain('unsaid');
  const refusedAt = rig.refuse(isEviction, busy);
  await drain.letGo();
  await waitFor(() => refusedAt.length >= 3);
  rig.heal();
  await drain.finished();
  // A second each, because the server said no time.
  expect(Math.min(...gaps(refusedAt))).toBeGreaterThan(990);
});

test('what one object was told holds for all: nobody asks before the time is over', async () => {
  const nodes = await scene.tenant.createNodes(3);
  const refusedAt = rig.refuse(isNodePatch, { ...busy, headers: { 'retry-after': '1' } });
  const cordon = (name: string, node = '') => scene.actions.create(name, { action: 'Cordon', cordon: { nodeName: node } });
  await cordon('first', nodes[0]);
  await waitFor(() => refusedAt.length === 1);
  await Promise.all([cordon('second', nodes[1]), cordon('third', nodes[2])]);
  const names = ['first', 'second', 'third'];
  for (const name of names) {
    const shown = condition(await scene.actions.until(name, reason('TooManyRequests')), 'Ready');
    expect(shown).toMatchObject({ status: 'Unknown', message: 'Too many requests, please try again later.' });
  }
  rig.heal();
  for (const name of names) await scene.actions.until(name, inPhase('Succeeded'));
  const patched = (await scene.writes()).filter((line) => nodes.some((node) => line === `patch nodes/${node}`));
  expect(patched.sort()).toEqual(nodes.map((node) => `patch nodes/${node}`).sort());
  // The second and third were made after the first was refused.
  expect(gaps(refusedAt)[0]).toBeGreaterThan(990);
  // Those that begin together, when the time is over, are refused together.
  expect(gaps(refusedAt).filter((gap) => gap > 500 && gap < 990)).toEqual([]);
});

test('a storm over everything: it stays alive, and what was on its way ends when the storm does', async () => {
  const [node = ''] = await scene.tenant.createNodes(1);
  const drain = await rig.heldDrain('storm');
  const refusedAt = rig.refuse(isAnything, busy);
  rig.task('storm-cordon', 'cordon_node', node);
  await drain.letGo();
  await waitFor(() => refusedAt.length >= 12);
  expect((await rig.operator.fetch('/healthz')).status).toBe(200);
  expect(await rig.metric('cloudoptim_api_requests_total', { code: '429' })).toBeGreaterThanOrEqual(12);
  rig.heal();
  expect((await rig.backend.result('storm-cordon', 45_000)).body).toMatchObject({ status: 'success', metadata: { changed: true } });
  await drain.finished();
});
