import { beforeAll, expect, test } from 'vitest';
import { controlPlane, tenant } from '../cluster/shared.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { createWidgetKind, FINALIZER, startFor, user, type WidgetController, type WidgetOptions } from './widgets.ts';

let namespace: string;
let widgets: ReturnType<typeof user>;

beforeAll(async () => {
  await createWidgetKind(controlPlane);
  namespace = (await tenant('fences')).namespace;
  widgets = user(controlPlane, namespace);
});

function start(name: string, options: WidgetOptions): Promise<WidgetController> {
  return startFor(controlPlane, namespace, name, options);
}

const settled = { kind: 'settled' } as const;

test('the finalizer comes before the status, and goes when it is not needed any more', async () => {
  const rig = await start('held', {
    reconcile: async ({ metadata }) =>
      metadata.deletionTimestamp
        ? { status: { phase: 'Undone' }, next: settled, finalizer: false }
        : { status: { phase: 'Ready' }, next: settled, finalizer: true },
  });
  const made = await widgets.create('held');
  await waitFor(() => rig.written.length === 1);
  expect((await widgets.get('held')).metadata.finalizers).toEqual([FINALIZER]);
  await widgets.remove('held');
  await waitFor(() => rig.gone.length === 1);
  expect(rig.gone).toEqual([made.metadata.uid]);
  expect(await widgets.exists('held')).toBe(false);
  expect(rig.errors).toEqual([]);
  // The status and the finalizer of one pass do not stand in each other's way.
  expect(rig.written).toEqual([{ phase: 'Ready' }, { phase: 'Undone' }]);
  expect(await widgets.writes('held')).toEqual(['patch 200', 'patch status 200', 'patch status 200', 'patch 200']);
});

test('a finalizer that somebody else sets meanwhile is not lost', async () => {
  const rig = await start('contested', {
    reconcile: async () => {
      if (rig.passesOf('contested').length === 1) await widgets.patch('contested', { metadata: { finalizers: ['example.com/theirs'] } });
      return { next: settled, finalizer: true };
    },
  });
  await widgets.create('contested');
  await waitFor(async () => (await widgets.get('contested')).metadata.finalizers?.length === 2);
  expect((await widgets.get('contested')).metadata.finalizers).toEqual(['example.com/theirs', FINALIZER]);
  // One conflict is the normal course of things, not worth a line.
  expect(rig.errors).toEqual([]);
  await widgets.patch('contested', { metadata: { finalizers: null } });
});

test('an object that is wanted gone is deleted', async () => {
  const rig = await start('expired', { reconcile: async () => ({ next: settled, remove: true }) });
  const made = await widgets.create('expired');
  await waitFor(() => rig.gone.length === 1);
  expect(rig.gone).toEqual([made.metadata.uid]);
  expect(rig.passesOf('expired')).toHaveLength(1);
});

test('an object that somebody changed since the look is not deleted by it', async () => {
  const rig = await start('kept', {
    reconcile: async ({ spec }) => {
      if (rig.passesOf('kept').length === 1) await widgets.patch('kept', { spec: { size: 7 } });
      return spec?.size === 7 ? { status: { phase: 'Kept' }, next: settled } : { next: settled, remove: true };
    },
  });
  const made = await widgets.create('kept');
  await waitFor(() => rig.written.length === 1);
  expect((await widgets.get('kept')).metadata.uid).toBe(made.metadata.uid);
  expect(rig.errors).toEqual([]);
});

test('an object that was replaced under its name during the pass is not written to', async () => {
  const rig = await start('replaced', {
    reconcile: async ({ metadata }) => {
      if (rig.passesOf('replaced').length === 1) {
        await widgets.remove('replaced');
        await widgets.create('replaced');
      }
      return { status: { message: metadata.uid }, next: settled, finalizer: true };
    },
  });
  const first = await widgets.create('replaced');
  await waitFor(() => rig.written.length === 1);
  const second = await widgets.get('replaced');
  expect(second.metadata.uid).not.toBe(first.metadata.uid);
  expect(second.status).toEqual({ message: second.metadata.uid });
  expect(rig.written).toEqual([{ message: second.metadata.uid }]);
  expect(rig.gone).toEqual([first.metadata.uid]);
  await widgets.patch('replaced', { metadata: { finalizers: null } });
});

test('a status alone is not written to a namesake either', async () => {
  const rig = await start('namesake', {
    reconcile: async ({ metadata }) => {
      if (rig.passesOf('namesake').length === 1) {
        await widgets.remove('namesake');
        await widgets.create('namesake');
      }
      return { status: { message: metadata.uid }, next: settled };
    },
  });
  await widgets.create('namesake');
  await waitFor(() => rig.written.length === 1);
  const second = await widgets.get('namesake');
  expect(rig.written).toEqual([{ message: second.metadata.uid }]);
});

test('F1 the end that another process has recorded meanwhile is not written over', async () => {
  const path = `/apis/test.cloudoptim.io/v1/namespaces/${namespace}/widgets/ended/status`;
  const rig = await start('ended', {
    isFinal: ({ status }) => status?.phase === 'Ended',
    reconcile: async ({ status }) => {
      if (status?.phase === 'Ended') return { next: settled };
      if (rig.passesOf('ended').length === 1) await controlPlane.api.patch(path, { status: { phase: 'Ended', message: 'theirs' } });
      return { status: { phase: 'Ended', message: 'ours' }, next: settled };
    },
  });
  await widgets.create('ended');
  await waitFor(() => rig.passesOf('ended').length === 2);
  await rig[Symbol.asyncDispose]();
  expect((await widgets.get('ended')).status).toEqual({ phase: 'Ended', message: 'theirs' });
  expect([rig.written, rig.errors]).toEqual([[], []]);
});

test('an object that is deleted during the pass is left alone quietly', async () => {
  const rig = await start('deleted', {
    reconcile: async () => {
      await widgets.remove('deleted');
      return { status: { phase: 'Ready' }, next: settled };
    },
  });
  await widgets.create('deleted');
  await waitFor(() => rig.gone.length === 1);
  await widgets.create('deleted-sentinel');
  await waitFor(() => rig.passesOf('deleted-sentinel').length === 1);
  expect(rig.errors).toEqual([]);
  expect(await widgets.exists('deleted')).toBe(false);
});
