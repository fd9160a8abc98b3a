import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { inPhase } from '../scenarios/objects.ts';
import { isNodePatch, useFaultyServer } from './rig.ts';

const rig = useFaultyServer('slow');
const { scene } = rig;

const EVERY_ANSWER_MS = 2000;
/** Longer than the 30 s that a request is waited for. */
const TOO_LATE_MS = 31_000;

test('every answer takes seconds, and one longer than a request waits: nothing is done twice', { timeout: 90_000 }, async () => {
  const [node = ''] = await scene.tenant.createNodes(1);
  const drain = await rig.heldDrain('slowly', 2);
  let late = 0;
  rig.proxy.fault((request) => {
    // The server has done it; the answer comes when nobody waits any more.
    if (isNodePatch(request) && request.path.includes(node) && late++ === 0) return { kind: 'after', run: () => sleep(TOO_LATE_MS) };
    return request.watch ? undefined : { kind: 'delay', milliseconds: EVERY_ANSWER_MS };
  });
  await scene.actions.create('late', { action: 'Cordon', cordon: { nodeName: node } });
  await drain.letGo();
  await drain.finished();
  expect((await rig.operator.fetch('/healthz')).status).toBe(200);
  await scene.actions.until('late', inPhase('Succeeded'), 60_000);
  expect(rig.operator.log.some(({ message }) => /^PATCH \/api\/v1\/nodes\/.*: no answer within 30 s$/.test(message))).toBe(true);
  expect(await rig.metric('cloudoptim_api_requests_total', { method: 'PATCH', code: 'unanswered' })).toBe(1);
  expect((await scene.writes()).filter((line) => line.endsWith(node))).toEqual([`patch nodes/${node}`]);
});
