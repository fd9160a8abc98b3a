import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { controlPlane } from '../cluster/shared.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { condition, inPhase } from '../scenarios/objects.ts';
import { isNodePatch, statusBody, useFaultyServer } from './rig.ts';

/** Longer than the timeout of a drain, shorter than the hour after which a task is not begun any more. */
const JUMP = 1_800_000;
const file = join(controlPlane.dir, `clock-${process.pid}`);

const rig = useFaultyServer('clock', {
  env: { TEST_CLOCK_FILE: file },
  nodeFlags: ['--import', new URL('./clock/main.ts', import.meta.url).href],
});
const { scene } = rig;

/** Sets the operator's wall clock to so many milliseconds from the real one, and waits until a line of its log shows it. */
async function setClock(milliseconds: number): Promise<void> {
  await writeFile(file, String(milliseconds));
  process.kill(rig.operator.pid, 'SIGUSR2');
  const { length } = rig.operator.log;
  // A reload says so in the log, with the time.
  process.kill(rig.operator.pid, 'SIGHUP');
  await waitFor(() =>
    rig.operator.log.slice(length).some(({ timestamp }) => Math.abs(Date.parse(String(timestamp)) - Date.now() - milliseconds) < JUMP / 4),
  );
}

afterEach(() => setClock(0));

test.each([
  ['forward', JUMP],
  ['back', -JUMP],
] as const)(
  'the clock jumps %s in the middle of a drain: no timeout is over early, nothing waits longer, nothing is done twice',
  async (way, shift) => {
    const drain = await rig.heldDrain(`jump-${way}`);
    await setClock(shift);
    // What comes in from now on runs as ever.
    const [node = ''] = await scene.tenant.createNodes(1);
    rig.task(`after-${way}`, 'cordon_node', node);
    expect((await rig.backend.result(`after-${way}`, 30_000)).body).toMatchObject({ status: 'success', metadata: { changed: true } });
    expect(await scene.actions.untilTask(`jump-${way}`, inPhase('Running'))).toBeDefined();
    await drain.letGo();
    await drain.finished();
    expect(await rig.metric('cloudoptim_action_duration_seconds_sum', { action: 'Cordon' })).toBeLessThan(60);
    await setClock(0);
  },
);

test('a step back between two tries does not freeze the tries, and the last one is the only one that counts', async () => {
  const [node = ''] = await scene.tenant.createNodes(1);
  const refusedAt = rig.refuse(isNodePatch, { status: 500, body: statusBody(500, 'InternalError', 'etcdserver: no leader') });
  await scene.actions.create('stepped', { action: 'Cordon', cordon: { nodeName: node } });
  await waitFor(() => refusedAt.length >= 3);
  await setClock(-JUMP);
  const { length } = refusedAt;
  await waitFor(() => refusedAt.length >= length + 1);
  rig.heal();
  const done = await scene.actions.until('stepped', inPhase('Succeeded'));
  expect(condition(done, 'Ready').status).toBe('True');
  expect((await scene.writes()).filter((line) => line.endsWith(node))).toEqual([`patch nodes/${node}`]);
});

test('a deadline is a time of day: a clock that is set past it ends what waits for it', async () => {
  const drain = await rig.heldDrain('holder');
  const deadline = new Date(Date.now() + JUMP / 2).toISOString();
  await scene.actions.create('deadline', { action: 'Uncordon', deadline, uncordon: { nodeName: drain.name } });
  await scene.actions.until('deadline', inPhase('Queued'));
  await setClock(JUMP);
  const { status } = await scene.actions.until('deadline', inPhase('Expired'));
  expect(status?.conditions).toContainEqual(expect.objectContaining({ type: 'Stalled', reason: 'DeadlineExceeded' }));
  await drain.letGo();
  await drain.finished();
});
