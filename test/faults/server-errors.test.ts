import { expect, test } from 'vitest';
import { waitFor } from '../cluster/wait-for.ts';
import { condition, inPhase } from '../scenarios/objects.ts';
import { isEviction, isNodePatch, isPodList, isStatusWrite, statusBody, useFaultyServer } from './rig.ts';

const rig = useFaultyServer('errors');
const { scene } = rig;

const internal = { status: 500, body: statusBody(500, 'InternalError', 'Internal error occurred: etcdserver: leader changed') };
const timedOut = { status: 504, body: statusBody(504, 'Timeout', 'Timeout: request did not complete within the allotted timeout') };

function says(reason: string) {
  return (object: Parameters<typeof condition>[0]) => condition(object, 'Ready').reason === reason;
}

test.each([
  ['500', internal],
  ['504', timedOut],
] as const)('evictions answered %s: the drain says ServerError, asks again, and ends', async (code, answer) => {
  const drain = await rig.heldDrain(`evictions-${code}`);
  const refusedAt = rig.refuse(isEviction, answer);
  await drain.letGo();
  const { status } = await scene.actions.untilTask(`evictions-${code}`, says('ServerError'));
  expect(status).toMatchObject({ phase: 'Running' });
  expect(refusedAt.length).toBeGreaterThanOrEqual(3);
  rig.heal();
  await drain.finished();
});

test.each([
  ['500', internal],
  ['504', timedOut],
] as const)('lists of pods answered %s: the drain says ServerError in the words of the server, and ends', async (code, answer) => {
  const [node = ''] = await scene.tenant.createNodes(1);
  rig.refuse(isPodList, answer);
  rig.task(`lists-${code}`, 'drain_node', node);
  const shown = condition(await scene.actions.untilTask(`lists-${code}`, says('ServerError')), 'Ready');
  expect(shown.message).toBe((answer.body as { message: string }).message);
  rig.heal();
  expect((await rig.backend.result(`lists-${code}`, 45_000)).body).toMatchObject({ status: 'success' });
});

test('status writes answered 500: evictions are not repeated, and the end is told when it can be', async () => {
  const drain = await rig.heldDrain('status');
  const refusedAt = rig.refuse(isStatusWrite, internal);
  await drain.letGo();
  await waitFor(() => refusedAt.length >= 4);
  expect(rig.operator.log.some(({ message }) => message.includes('leader changed'))).toBe(true);
  rig.heal();
  await drain.finished();
});

test('a node patch whose answer is lost after it was made is not made twice', async () => {
  const [node = ''] = await scene.tenant.createNodes(1);
  let lost = 0;
  rig.proxy.fault((request) => (isNodePatch(request) && lost++ === 0 ? { kind: 'drop', when: 'after' } : undefined));
  await scene.actions.create('unheard', { action: 'Cordon', cordon: { nodeName: node } });
  await scene.actions.until('unheard', inPhase('Succeeded'));
  expect((await scene.writes()).filter((line) => line.endsWith(node))).toEqual([`patch nodes/${node}`]);
});
