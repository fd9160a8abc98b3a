import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { ApiError, ApiUnreachable } from '../../operator/kube/error.ts';
import { controlPlane, tenant } from '../cluster/shared.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { createWidgetKind, startFor, user, WidgetController, type WidgetOptions } from './widgets.ts';

let namespace: string;
let widgets: ReturnType<typeof user>;

beforeAll(async () => {
  await createWidgetKind(controlPlane);
  namespace = (await tenant('controller')).namespace;
  widgets = user(controlPlane, namespace);
});

function start(name: string, options: WidgetOptions): Promise<WidgetController> {
  return startFor(controlPlane, namespace, name, options);
}

const settled = { kind: 'settled' } as const;

test('a pass writes its status once, the next ones nothing while nothing changes', async () => {
  const rig = await start('steady', {
    reconcile: async ({ spec }) => ({ status: { phase: 'Ready', done: spec?.size ?? 0 }, next: settled }),
  });
  await widgets.create('steady', { spec: { size: 1 } });
  await waitFor(() => rig.written.length === 1);
  for (let n = 2; n < 7; n++) {
    rig.controller.enqueue(`${namespace}/steady`);
    await waitFor(() => rig.passesOf('steady').length === n);
  }
  await widgets.patch('steady', { spec: { size: 2 } });
  await waitFor(() => rig.written.length === 2);
  expect((await widgets.get('steady')).status).toEqual({ phase: 'Ready', done: 2 });
  expect(await waitFor(async () => (await widgets.writes('steady')).length >= 2 && widgets.writes('steady'))).toEqual([
    'patch status 200',
    'patch status 200',
  ]);
});

test('the next pass sees the status that this one wrote, however late the watch is', async () => {
  const seen: (number | undefined)[] = [];
  const rig = await start('own', {
    reconcile: async ({ status }) => {
      seen.push(status?.done);
      const done = (status?.done ?? 0) + 1;
      return { status: { done }, next: done < 10 ? { kind: 'again', after: 0 } : settled };
    },
  });
  await widgets.create('own');
  await waitFor(() => rig.written.length === 10);
  expect(seen).toEqual([undefined, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(rig.store.get(`${namespace}/own`)?.metadata).not.toHaveProperty('managedFields');
});

test('members that are undefined are no difference', async () => {
  const status = { phase: 'Ready', message: undefined } as unknown as { phase: string };
  const rig = await start('undefined', { reconcile: async () => ({ status, next: settled }) });
  await widgets.create('undefined');
  await waitFor(() => rig.written.length === 1);
  rig.controller.enqueue(`${namespace}/undefined`);
  await waitFor(() => rig.passesOf('undefined').length === 2);
  rig.controller.enqueue(`${namespace}/undefined`);
  await waitFor(() => rig.passesOf('undefined').length === 3);
  expect(rig.written).toHaveLength(1);
});

test('progress is written now and then, a new phase at once, and the last progress is not forgotten', async () => {
  let done = 0;
  const rig = await start('progress', {
    progressEvery: 0.5,
    reconcile: async () => {
      if (done < 60) done++;
      return { status: { phase: done < 30 ? 'First' : 'Second', done }, next: done < 60 ? { kind: 'again', after: 0.01 } : settled };
    },
  });
  const before = performance.now();
  await widgets.create('progress');
  await waitFor(() => rig.written.at(-1)?.done === 60);
  const halfSeconds = (performance.now() - before) / 500;
  expect(rig.written.find(({ phase }) => phase === 'Second')?.done).toBe(30);
  expect(rig.written.length).toBeLessThanOrEqual(halfSeconds + 3);
  expect((await widgets.get('progress')).status).toEqual({ phase: 'Second', done: 60 });
});

test('a change of what it waits for wakes it, nothing else does', async () => {
  const rig = await start('waiting', { reconcile: async () => ({ next: { kind: 'when', changed: ['a', 'b'], orAfter: 3600 } }) });
  await widgets.create('waiting');
  await waitFor(() => rig.passesOf('waiting').length === 1);
  rig.bus.publish('other');
  rig.bus.publish('b');
  await waitFor(() => rig.passesOf('waiting').length === 2);
  rig.bus.publish('a');
  await waitFor(() => rig.passesOf('waiting').length === 3);
  rig.bus.publish('other');
  await widgets.create('waiting-sentinel');
  await waitFor(() => rig.passesOf('waiting-sentinel').length === 1);
  expect(rig.passesOf('waiting')).toHaveLength(3);
});

test('a change between the look and the wait wakes it too, also while the status is written', async () => {
  const rig = await start('between', {
    reconcile: async ({ status }) => {
      if ((status?.done ?? 0) < 2) rig.bus.publish('a');
      return { status: { done: (status?.done ?? 0) + 1 }, next: { kind: 'when', changed: ['a'], orAfter: 3600 } };
    },
    onWritten: (_, before) => before?.done === 2 && rig.bus.publish('a'),
  });
  await widgets.create('between');
  await waitFor(async () => (await widgets.get('between')).status?.done === 4);
});

test('without a change it looks again after the time it said', async () => {
  const rig = await start('timed', {
    reconcile: async () => ({ next: rig.passesOf('timed').length < 3 ? { kind: 'when', changed: ['a'], orAfter: 0.2 } : settled }),
  });
  await widgets.create('timed');
  await waitFor(() => rig.passesOf('timed').length === 3);
  const [first, , third] = rig.passesOf('timed');
  expect((third?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(380);
});

test('Retry-After is waited for, and what the object waited for does not cut it short', async () => {
  const rig = await start('throttled', {
    reconcile: async () => {
      const passes = rig.passesOf('throttled').length;
      if (passes === 2) throw new ApiError({ status: 429, reason: 'TooManyRequests', message: 'slow down', retryAfter: 1.5 });
      return passes === 1 ? { next: { kind: 'when', changed: ['a'], orAfter: 0.1 } } : { status: { phase: 'Ready' }, next: settled };
    },
  });
  await widgets.create('throttled');
  await waitFor(() => rig.errors.length === 1);
  for (let n = 0; n < 5; n++) rig.bus.publish('a');
  await waitFor(() => rig.written.length === 1);
  const [, second, third] = rig.passesOf('throttled');
  expect((third?.at ?? 0) - (second?.at ?? 0)).toBeGreaterThan(1450);
  expect(rig.errors).toEqual([{ message: 'slow down', retryIn: expect.closeTo(1.5) }]);
});

test('a failure is told each time, shows in the object from the third on, and goes when it works again', async () => {
  let broken = true;
  const shown: (string | undefined)[] = [];
  const rig = await start('broken', {
    reconcile: async ({ status }) => {
      shown.push(status?.phase);
      if (broken) throw new Error('no luck');
      return { status: { phase: 'Ready' }, next: settled };
    },
  });
  await widgets.create('broken');
  await waitFor(() => shown.length >= 4);
  expect(shown.slice(0, 4)).toEqual([undefined, undefined, undefined, 'Error']);
  expect(rig.errors.slice(0, 3).map(({ message }) => message)).toEqual(['no luck', 'no luck', 'no luck']);
  expect((await widgets.get('broken')).status).toEqual({ phase: 'Error', message: 'no luck' });
  broken = false;
  await waitFor(async () => (await widgets.get('broken')).status?.phase === 'Ready');
  expect((await widgets.get('broken')).status).toEqual({ phase: 'Ready' });
});

test('requests that are not answered are told, shown where the words are taken, and tried again at once when the server is there', async () => {
  let away = true;
  const rig = await start('away', {
    reconcile: async () => {
      if (away) throw new ApiUnreachable('GET /x: refused');
      return { status: { phase: 'Ready' }, next: settled };
    },
  });
  await widgets.create('away');
  // The pause before the next try is long by now.
  await waitFor(() => rig.errors.length >= 6 && (rig.errors.at(-1)?.retryIn ?? 0) > 1);
  expect((await widgets.get('away')).status).toEqual({ phase: 'Error', message: 'GET /x: refused' });
  away = false;
  const { length } = rig.passesOf('away');
  rig.controller.retryUnanswered();
  await waitFor(() => rig.written.at(-1)?.phase === 'Ready');
  expect(rig.passesOf('away')).toHaveLength(length + 1);
  rig.controller.retryUnanswered();
  await waitFor(() => rig.controller.depth === 0);
  expect(rig.passesOf('away')).toHaveLength(length + 1);
});

test('closing lets the pass under way end and writes what it found, and starts none', async () => {
  const started = Promise.withResolvers<AbortSignal>();
  const go = Promise.withResolvers<void>();
  const rig = await start('closing', {
    width: 1,
    reconcile: async (_, { signal }) => {
      started.resolve(signal);
      await go.promise;
      return { status: { phase: signal.aborted ? 'Stopped' : 'Ready' }, next: { kind: 'again', after: 0 } };
    },
  });
  await widgets.create('closing');
  const signal = await started.promise;
  const closed = rig.controller.close();
  expect(signal.aborted).toBe(true);
  go.resolve();
  await closed;
  expect((await widgets.get('closing')).status).toEqual({ phase: 'Stopped' });
  expect(rig.passesOf('closing')).toHaveLength(1);
});

test('no pass begins before it is opened', async () => {
  const rig = new WidgetController(controlPlane, namespace, { reconcile: async () => ({ next: settled }) });
  onTestFinished(() => rig[Symbol.asyncDispose]());
  await widgets.create('early');
  await waitFor(() => rig.store.get(`${namespace}/early`));
  expect(rig.passes).toEqual([]);
  expect(rig.controller.depth).toBeGreaterThan(0);
  await rig.open();
  await waitFor(() => rig.passesOf('early').length === 1);
});
