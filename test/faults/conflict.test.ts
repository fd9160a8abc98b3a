import { expect, test } from 'vitest';
import { waitFor } from '../cluster/wait-for.ts';
import { condition, inPhase } from '../scenarios/objects.ts';
import { isEviction, isNodePatch, isStatusWrite, statusBody, useFaultyServer } from './rig.ts';

const rig = useFaultyServer('conflicts');
const { scene } = rig;

const conflict = {
  status: 409,
  body: statusBody(409, 'Conflict', 'the object has been modified; please apply your changes to the latest version'),
};

test('a node that others change again and again: the object says so, and the cordon is made once when they let go', async () => {
  const [node = ''] = await scene.tenant.createNodes(1);
  const refusedAt = rig.refuse(isNodePatch, conflict);
  await scene.actions.create('contested', { action: 'Cordon', cordon: { nodeName: node } });
  const shown = await scene.actions.until('contested', (object) => condition(object, 'Ready').reason === 'Conflict');
  expect(condition(shown, 'Reconciling').status).toBe('True');
  expect(condition(shown, 'Ready').message).toContain('the object has been modified');
  expect(refusedAt.length).toBeGreaterThanOrEqual(3);
  rig.heal();
  const { status } = await scene.actions.until('contested', inPhase('Succeeded'));
  expect(status?.conditions?.find(({ type }) => type === 'Reconciling')).toBeUndefined();
  expect((await scene.writes()).filter((line) => line.endsWith(node))).toEqual([`patch nodes/${node}`]);
});

test('conflicts of every status write and eviction in the middle of a drain', async () => {
  const drain = await rig.heldDrain('conflicts');
  const refusedAt = rig.refuse((request) => isStatusWrite(request) || isEviction(request), conflict);
  await drain.letGo();
  // A status write alone tries five times in one pass.
  await waitFor(() => refusedAt.length >= 6);
  rig.heal();
  await drain.finished();
});
