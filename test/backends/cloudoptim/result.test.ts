import { describe, expect, test } from 'vitest';
import type { Report } from '../../../operator/backends/backend.ts';
import { calm, makeReport, startRig } from './rig.ts';

describe('a report as TaskResult', () => {
  const cases: [string, Partial<Report>, Record<string, unknown>][] = [
    [
      'drain done',
      {},
      { status: 'success', logs: 'Successfully drained 4 pods', error: null, metadata: { evicted: 4, action: 'Drain', reason: 'Drained' } },
    ],
    ['drain of an empty node', { result: { evicted: 0 } }, { status: 'success', logs: 'Successfully drained 0 pods', error: null }],
    [
      'a plan drained nothing',
      { reason: 'Planned', result: {}, plan: { change: 4, skip: [], blocked: [] }, message: 'would change 4' },
      {
        status: 'success',
        logs: 'would change 4',
        error: null,
        metadata: { dry_run: true, plan: { change: 4, skip: [], blocked: [] }, action: 'Drain', reason: 'Planned' },
      },
    ],
    [
      'drain failed with pods left',
      { outcome: 'Failed', reason: 'DrainBlocked', message: 'shop/cart-0 has no controller', result: { evicted: 1, remaining: 2 } },
      { status: 'failed', error: 'Drain incomplete', logs: 'Node still has 2 pods: shop/cart-0 has no controller' },
    ],
    [
      'drain timed out with pods left',
      { outcome: 'TimedOut', reason: 'Timeout', message: 'after 600 s', result: { remaining: 1 } },
      { status: 'timeout', error: 'Drain incomplete', logs: 'Node still has 1 pods: after 600 s' },
    ],
    [
      'drain that never started',
      { outcome: 'Failed', reason: 'TargetNotFound', message: 'There is no node worker-9', result: {} },
      { status: 'failed', error: 'There is no node worker-9', logs: 'There is no node worker-9' },
    ],
    [
      'drain cancelled',
      { outcome: 'Cancelled', reason: 'Cancelled', message: 'Cancelled by ada', result: { remaining: 3 } },
      { status: 'cancelled', error: 'Cancelled by ada', logs: 'Node still has 3 pods: Cancelled by ada' },
    ],
    [
      'expired',
      { outcome: 'Expired', reason: 'DeadlineExceeded', message: 'expired before the start', result: {} },
      { status: 'timeout', error: 'expired before the start' },
    ],
    [
      'cordon',
      { action: 'Cordon', message: 'Node w1 is cordoned', result: {} },
      { status: 'success', logs: 'Node w1 is cordoned', error: null },
    ],
    ['clock that went back', { finishedAt: new Date('2025-11-28T09:00:00Z') }, { duration_seconds: 0 }],
    [
      'texts are cut',
      { outcome: 'Failed', result: {}, message: 'x'.repeat(20_000) },
      { error: `${'x'.repeat(1023)}…`, logs: `${'x'.repeat(16_383)}…` },
    ],
  ];
  test.each(cases)('%s', async (_name, changes, expected) => {
    const { backend, adapter } = await startRig({ reading: false });
    expect(await adapter.report(makeReport(changes), calm)).toEqual({ taken: true });
    const result = await backend.result('t1');
    expect(result.body).toMatchObject({ task_id: 't1', executed_at: '2025-11-28T10:00:00Z', duration_seconds: 12.5, ...expected });
    expect(backend.violations).toEqual([]);
  });

  test('a task that never became an action', async () => {
    const { backend, adapter } = await startRig({ reading: false });
    const { action: _action, ...rest } = makeReport({
      outcome: 'Failed',
      reason: 'UnknownTaskType',
      message: 'Unknown task type: resize',
      result: {},
    });
    await adapter.report(rest, calm);
    expect((await backend.result('t1')).body).toMatchObject({
      status: 'failed',
      error: 'Unknown task type: resize',
      metadata: { reason: 'UnknownTaskType' },
    });
  });

  test.each(['a/b', 'a b?c#d', 'ü/%2f', 'x'.repeat(253)])('the id %s reaches the backend as it was', async (taskID) => {
    const { backend, adapter } = await startRig({ reading: false });
    expect(await adapter.report(makeReport({ taskID }), calm)).toEqual({ taken: true });
    expect((await backend.result(taskID)).taskID).toBe(taskID);
    expect(backend.violations).toEqual([]);
  });
});

test('a finished task is handed out no more', async () => {
  const { backend, adapter, tasks, until } = await startRig();
  backend.addTask({ task_id: 't1', task_type: 'cordon_node', parameters: { node_name: 'w1' } });
  await until(() => tasks.length > 0);
  await adapter.report(makeReport(), calm);
  expect(backend.tasks.open).toBe(0);
});
