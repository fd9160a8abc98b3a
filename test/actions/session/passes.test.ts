import { describe, expect, test } from 'vitest';
import { sessionHibernate } from '../../../operator/actions/session-hibernate.ts';
import { sessionStart } from '../../../operator/actions/session-start.ts';
import { sessionStop } from '../../../operator/actions/session-stop.ts';
import { sessionWake } from '../../../operator/actions/session-wake.ts';
import { desiredOf } from '../../../operator/sessions/desired.ts';
import { controlPlane, tenant } from '../../cluster/shared.ts';
import { sessionsIn } from '../../sessions/desk-rig.ts';
import { comesTo as comingTo, runnerIn } from './rig.ts';

const { namespace } = await tenant('passes');
const sessions = sessionsIn(namespace);
const run = runnerIn(namespace);
const comesTo = comingTo(namespace);
const desired = async (name: string) => desiredOf(await sessions.get(name));
const version = async (name: string) => (await sessions.get(name)).metadata.resourceVersion;

const session = { user: 'ada', template: { image: 'example.invalid/desk' }, sessionID: 'Ada@desk' };
const ref = (name: string) => ({ sessionRef: { name } });
const POD = { podName: 'ada-7d9', podIP: '10.0.0.7', port: 3000, claimName: 'ada-home' };

/** One that runs, hibernates or is stopped, made by kubectl. */
async function settled(name: string, state: 'Running' | 'Hibernated' | 'Stopped', owner: 'ours' | 'gitops' = 'ours'): Promise<void> {
  if (owner === 'gitops') await sessions.make(name, state);
  else
    await (await run(sessionStart, { ...ref(name), session }, { name: `make-${name}`, startedAt: new Date(Date.now() - 60_000) })).pass();
  if (owner === 'ours') await sessions.edit(name, { state });
  await comesTo(name, state, state === 'Running' ? POD : {});
}

describe('SessionStart', () => {
  test('makes the Session, waits in its words, and ends when its desktop can be reached', async () => {
    const start = await run(sessionStart, { ...ref('life'), session }, { name: 'start' });
    expect(await start.pass()).toEqual({
      state: 'running',
      reason: 'InProgress',
      message: 'session/life was asked to be Running',
      next: { kind: 'when', changed: [`session/${namespace}/life`], orAfter: 60 },
      result: { before: 'Absent', session: 'life', sessionID: 'Ada@desk', uid: expect.any(String), changed: true, created: true },
    });
    await comesTo('life', 'Starting', { ready: ['Unschedulable', 'no node has room'] });
    expect(await start.pass()).toMatchObject({ state: 'running', reason: 'Unschedulable', message: 'no node has room' });
    await comesTo('life', 'Running', { ...POD, conditions: [] });
    expect(await start.pass()).toMatchObject({ state: 'running' });
    await comesTo('life', 'Running', POD);
    expect(await start.pass()).toEqual({
      state: 'succeeded',
      message: 'session/life is Running',
      result: {
        before: 'Absent',
        session: 'life',
        sessionID: 'Ada@desk',
        uid: (await sessions.get('life')).metadata.uid,
        changed: true,
        created: true,
        state: 'Running',
        podName: 'ada-7d9',
        podIP: '10.0.0.7',
        port: 3000,
        service: 'life',
        claim: 'ada-home',
      },
    });
  });

  test('of a running session has succeeded at once, with changed false', async () => {
    await settled('runs', 'Running');
    const start = await run(sessionStart, { ...ref('runs'), session }, { name: 'start' });
    expect(await start.pass()).toMatchObject({
      state: 'succeeded',
      message: 'session/runs is already Running',
      result: { changed: false, created: false, podName: 'ada-7d9' },
    });
  });

  test.each(['Hibernated', 'Stopped'] as const)('of a session that is %s has it run', async (state) => {
    const name = `from-${state.toLowerCase()}`;
    await settled(name, state);
    const start = await run(sessionStart, ref(name), { name: 'start' });
    expect(await start.pass()).toMatchObject({ state: 'running', result: { before: state, changed: true, created: false } });
    expect(await desired(name)).toBe('Running');
    await comesTo(name, 'Running', POD);
    expect(await start.pass()).toMatchObject({ state: 'succeeded' });
  });

  test('without the Session and without what to make it with it fails', async () => {
    const start = await run(sessionStart, ref('nowhere'), { name: 'start' });
    expect(await start.pass()).toMatchObject({ state: 'failed', reason: 'TargetNotFound', message: 'session/nowhere not found' });
    expect(await start.undo()).toBeUndefined();
  });

  test('that comes to nothing fails with the cause, and the Session stays as it is for everybody to see why', async () => {
    const start = await run(sessionStart, { ...ref('fails'), session }, { name: 'start' });
    await start.pass();
    await comesTo('fails', 'Failed', { ready: ['ImagePullFailed', 'example.invalid/desk: no such host'] });
    expect(await start.pass()).toMatchObject({
      state: 'failed',
      reason: 'ImagePullFailed',
      message: 'session/fails failed: example.invalid/desk: no such host',
      result: { state: 'Failed', created: true },
    });
    expect(await start.undo()).toBeUndefined();
    expect(await desired('fails')).toBe('Running');
  });

  test('of one that failed before waits for the next try', async () => {
    await settled('retried', 'Running');
    const at = new Date(Date.now() - 30_000).toISOString();
    await comesTo('retried', 'Failed', { phaseSince: at, ready: ['CrashLoopBackOff', 'it crashes'] });
    const start = await run(sessionStart, ref('retried'), { name: 'start' });
    expect(await start.pass()).toMatchObject({ state: 'running', reason: 'CrashLoopBackOff' });
    await comesTo('retried', 'Failed', { ready: ['CrashLoopBackOff', 'it crashes'] });
    expect(await start.pass()).toMatchObject({ state: 'failed', reason: 'CrashLoopBackOff' });
  });

  test('that takes too long fails with what it waits for; what it made is stopped', async () => {
    const start = await run(sessionStart, { ...ref('late'), session, timeoutSeconds: 60 }, { name: 'start' });
    await start.pass();
    await comesTo('late', 'Starting', { ready: ['Unschedulable', 'no node has room'] });
    expect(await start.pass(59)).toMatchObject({ state: 'running', next: { orAfter: 1 } });
    expect(await start.pass(60)).toMatchObject({
      state: 'failed',
      reason: 'Timeout',
      message: 'session/late is not Running after 60 s: Unschedulable: no node has room',
    });
    expect(await start.undo()).toBe('session/late is stopped, its home kept');
    expect(await start.undo()).toBe('session/late is stopped, its home kept');
    expect(await desired('late')).toBe('Stopped');
  });

  test.each(['Hibernated', 'Stopped'] as const)('that takes too long gives back a session that was %s', async (state) => {
    for (const owner of ['ours', 'gitops'] as const) {
      const name = `${owner}-${state.toLowerCase()}`;
      await settled(name, state, owner);
      const start = await run(sessionStart, ref(name), { name: 'start' });
      await start.pass();
      expect(await desired(name)).toBe('Running');
      expect(await start.undo()).toBe(`session/${name} is to be ${state} again, as before`);
      expect(await desired(name)).toBe(state);
    }
  });

  test('leaves a session that ran alone when it is cancelled', async () => {
    await settled('untouched', 'Running');
    const start = await run(sessionStart, ref('untouched'), { name: 'start' });
    await start.pass();
    expect(await start.undo()).toBeUndefined();
    expect(await desired('untouched')).toBe('Running');
  });

  test('without room fails at once and leaves nothing behind', async () => {
    const refusal = () => 'capacity 1/1: MAX_SESSIONS is reached; stop or hibernate a session';
    const start = await run(sessionStart, { ...ref('full'), session }, { name: 'start', refusal });
    expect(await start.pass()).toMatchObject({ state: 'failed', reason: 'CapacityReached', message: /^session\/full: capacity 1\/1: / });
    expect(await start.undo()).toBeUndefined();
    await expect(sessions.get('full')).rejects.toThrow('404');
    await settled('active', 'Running');
    expect(await (await run(sessionStart, ref('active'), { name: 'start', refusal })).pass()).toMatchObject({ state: 'succeeded' });
  });

  test('F1 killed after it made the Session, the next process knows it for its own, and undoes it', async () => {
    const options = { name: 'start', startedAt: new Date() };
    await (await run(sessionStart, { ...ref('orphan'), session }, options)).pass();
    const uid = (await sessions.get('orphan')).metadata.uid;
    await controlPlane.api.get(sessions.path('orphan'));
    // What it would have recorded is lost; what it recorded with the start is not.
    const next = await run(
      sessionStart,
      { ...ref('orphan'), session },
      { ...options, before: { targetUID: '', result: { before: 'Absent' } } },
    );
    const progress = await next.pass();
    expect(progress).toMatchObject({ state: 'running', result: { uid, changed: true } });
    expect(progress.result).not.toHaveProperty('created');
    expect(await next.undo()).toBe('session/orphan is stopped, its home kept');
  });

  test('makes no other one when its own was deleted while it waited', async () => {
    const start = await run(sessionStart, { ...ref('deleted'), session }, { name: 'start' });
    await start.pass();
    await controlPlane.api.remove(sessions.path('deleted'));
    expect(await start.pass()).toMatchObject({ state: 'failed', reason: 'TargetNotFound', message: 'session/deleted is being deleted' });
    await controlPlane.api.patch(sessions.path('deleted'), { metadata: { finalizers: null } });
    expect(await start.pass()).toMatchObject({
      state: 'failed',
      reason: 'TargetNotFound',
      message: 'session/deleted was deleted meanwhile',
    });
    await expect(sessions.get('deleted')).rejects.toThrow('404');
  });

  test('waits until one that is being deleted is gone, and makes the next', async () => {
    await settled('phoenix', 'Running');
    await controlPlane.api.remove(sessions.path('phoenix'));
    const start = await run(sessionStart, { ...ref('phoenix'), session }, { name: 'start' });
    expect(await start.pass()).toMatchObject({ state: 'running', reason: 'SessionDeleting' });
    await controlPlane.api.patch(sessions.path('phoenix'), { metadata: { finalizers: null } });
    expect(await start.pass()).toMatchObject({ state: 'running', reason: 'InProgress', result: { created: true } });
  });
});

describe('SessionWake', () => {
  test('ends when the desktop can be reached; too late it is hibernated again', async () => {
    await settled('sleeper', 'Hibernated');
    const wake = await run(sessionWake, ref('sleeper'), { name: 'wake' });
    expect(await wake.pass()).toMatchObject({ state: 'running', result: { changed: true } });
    expect(await desired('sleeper')).toBe('Running');
    expect(await wake.undo()).toBe('session/sleeper is to be Hibernated again, as before');
    expect(await desired('sleeper')).toBe('Hibernated');
  });

  test('that fails is hibernated by the operator, which overrules nobody', async () => {
    await settled('feverish', 'Hibernated');
    const wake = await run(sessionWake, ref('feverish'), { name: 'wake' });
    await wake.pass();
    const { metadata } = await comesTo('feverish', 'Waking');
    const at = new Date(Date.now() + 1000).toISOString();
    const override = { state: 'Hibernated', reason: 'WakeFailed', by: 'operator', at, generation: metadata.generation ?? 0 } as const;
    await sessions.status('feverish', { override });
    const conditions = ['Ready', 'Stalled'].map((type) => ({
      type,
      status: type === 'Ready' ? ('False' as const) : ('True' as const),
      reason: 'WakeFailed',
      message: 'no node has room',
      lastTransitionTime: at,
    }));
    await comesTo('feverish', 'Hibernated', { conditions });
    expect(await wake.pass()).toMatchObject({
      state: 'failed',
      reason: 'WakeFailed',
      message: 'session/feverish failed: no node has room',
    });
    expect(await wake.undo()).toBeUndefined();
    // The next one is not told of the failure of this one.
    const next = await run(sessionWake, ref('feverish'), { name: 'wake-2', startedAt: new Date(Date.now() + 2000) });
    expect(await next.pass()).toMatchObject({ state: 'running' });
    expect(await desired('feverish')).toBe('Running');
  });

  test('without room fails at once; of one that runs it has succeeded', async () => {
    await settled('dozer', 'Hibernated');
    const before = await version('dozer');
    const wake = await run(sessionWake, ref('dozer'), { name: 'wake', refusal: () => 'capacity 1/1' });
    expect(await wake.pass()).toMatchObject({ state: 'failed', reason: 'CapacityReached' });
    expect(await wake.undo()).toBeUndefined();
    expect(await version('dozer')).toBe(before);
    await settled('woken', 'Running');
    expect(await (await run(sessionWake, ref('woken'), { name: 'wake' })).pass()).toMatchObject({
      state: 'succeeded',
      result: { changed: false },
    });
  });
});

describe('SessionHibernate', () => {
  test('ends when no pod is left, also where GitOps owns spec.state', async () => {
    for (const owner of ['ours', 'gitops'] as const) {
      const name = `bed-${owner}`;
      await settled(name, 'Running', owner);
      const hibernate = await run(sessionHibernate, ref(name), { name: 'sleep' });
      expect(await hibernate.pass()).toMatchObject({ state: 'running', reason: 'InProgress' });
      await comesTo(name, 'Hibernating', { ...POD, ready: ['WaitingForPods', 'ada-7d9 shuts down'] });
      expect(await hibernate.pass()).toMatchObject({ state: 'running', reason: 'WaitingForPods', message: 'ada-7d9 shuts down' });
      await comesTo(name, 'Hibernated', { port: 3000, claimName: 'ada-home' });
      expect(await hibernate.pass()).toMatchObject({
        state: 'succeeded',
        message: `session/${name} is Hibernated`,
        result: { before: 'Running', changed: true, state: 'Hibernated', claim: 'ada-home' },
      });
      const again = await run(sessionHibernate, ref(name), { name: 'sleep-2' });
      expect(await again.pass()).toMatchObject({
        state: 'succeeded',
        message: `session/${name} is already Hibernated`,
        result: { changed: false },
      });
    }
  });

  test('cancelled it says what stays and how to go back', async () => {
    await settled('half', 'Running');
    const hibernate = await run(sessionHibernate, ref('half'), { name: 'sleep' });
    expect(await hibernate.undo()).toBeUndefined();
    await hibernate.pass();
    expect(await hibernate.undo()).toBe('session/half is still to be Hibernated; to have it run: SessionWake');
  });
});

describe.each([
  ['SessionHibernate', sessionHibernate],
  ['SessionWake', sessionWake],
])('%s', (_, definition) => {
  test('of a stopped session fails, and of none', async () => {
    const name = `${definition.member.toLowerCase()}-stopped`;
    await settled(name, 'Stopped');
    expect(await (await run(definition, ref(name), { name: 'x' })).pass()).toMatchObject({
      state: 'failed',
      reason: 'SessionStopped',
      message: `session/${name} is to be stopped, which only a SessionStart takes back`,
    });
    expect(await (await run(definition, ref('nobody'), { name: 'x' })).pass()).toMatchObject({
      state: 'failed',
      reason: 'TargetNotFound',
      message: 'session/nobody not found',
    });
  });
});

describe('SessionStop', () => {
  test('ends when it is stopped, or gone; a repetition changes nothing', async () => {
    await settled('stopping', 'Running');
    const stop = await run(sessionStop, { ...ref('stopping'), deletePVC: true }, { name: 'stop' });
    expect(await stop.pass()).toMatchObject({ state: 'running' });
    await comesTo('stopping', 'Stopped');
    // Its home is still going.
    expect(await stop.pass()).toMatchObject({ state: 'running' });
    await comesTo('stopping', 'Stopped', { claimName: null as never });
    expect(await stop.pass()).toMatchObject({
      state: 'succeeded',
      message: 'session/stopping is Stopped',
      result: { changed: true, state: 'Stopped' },
    });
    const again = await run(sessionStop, ref('stopping'), { name: 'stop-2' });
    expect(await again.pass()).toMatchObject({ state: 'succeeded', result: { changed: false, state: 'Stopped' } });
    const none = await run(sessionStop, ref('nobody'), { name: 'stop' });
    expect(await none.pass()).toEqual({
      state: 'succeeded',
      message: 'session/nobody is absent',
      result: { before: 'Absent', session: 'nobody', changed: false, state: 'Absent' },
    });
  });

  test('of one that is deleted meanwhile waits until it is gone', async () => {
    await settled('going', 'Running');
    const stop = await run(sessionStop, ref('going'), { name: 'stop' });
    await stop.pass();
    await controlPlane.api.remove(sessions.path('going'));
    expect(await stop.pass()).toMatchObject({ state: 'running', reason: 'SessionDeleting' });
    await controlPlane.api.patch(sessions.path('going'), { metadata: { finalizers: null } });
    expect(await stop.pass()).toMatchObject({ state: 'succeeded', result: { changed: true, state: 'Absent' } });
  });

  test('is superseded by a later start, and a hibernation by it', async () => {
    await settled('raced', 'Running');
    const [early, late] = [new Date(Date.now() - 10_000), new Date()];
    const hibernate = await run(sessionHibernate, ref('raced'), { name: 'sleep', startedAt: late });
    await hibernate.pass();
    const stop = await run(sessionStop, ref('raced'), { name: 'stop', startedAt: early });
    expect(await stop.pass()).toMatchObject({ state: 'running' });
    expect(await hibernate.pass()).toMatchObject({
      state: 'failed',
      reason: 'Superseded',
      message: 'session/raced is not to be Hibernated any more: overruled by actions/stop',
    });
    const start = await run(sessionStart, ref('raced'), { name: 'start', startedAt: late });
    await start.pass();
    expect(await stop.pass()).toMatchObject({ state: 'failed', reason: 'Superseded' });
    expect(await desired('raced')).toBe('Running');
  });
});

test.each([
  ['SessionHibernate', sessionHibernate, 'Running'],
  ['SessionWake', sessionWake, 'Hibernated'],
  ['SessionStop', sessionStop, 'Running'],
  ['SessionStart', sessionStart, 'Stopped'],
] as const)('F2 %s does not touch another Session of the same name', async (what, definition, state) => {
  const name = `twin-${what.toLowerCase()}`;
  await settled(name, state);
  const [fresh, begun] = [await run(definition, ref(name), { name: 'x' }), await run(definition, ref(name), { name: 'y' })];
  await begun.pass();
  await controlPlane.api.remove(sessions.path(name));
  await controlPlane.api.patch(sessions.path(name), { metadata: { finalizers: null } });
  await sessions.make(name, state);
  const before = await version(name);
  for (const each of [fresh, begun]) {
    expect(await each.pass()).toMatchObject({ state: 'failed', reason: 'TargetReplaced', message: /is another one: its UID is / });
    expect(await each.undo()).toBeUndefined();
  }
  expect(await version(name)).toBe(before);
});

describe('a plan', () => {
  const plans = async (definition: typeof sessionStart | typeof sessionStop, raw: never, refusal?: () => string) =>
    (await run(definition as never, raw, { name: 'plan', ...(refusal ? { refusal } : {}) })).plan();

  test('says what would change, and writes nothing', async () => {
    await settled('planned', 'Hibernated');
    const before = await version('planned');
    const table = [
      [sessionStart, { ...ref('new'), session }, { change: 1, changes: ['session/new: absent → Running'], skip: [], blocked: [] }],
      [sessionStart, ref('new'), { change: 0, skip: [], blocked: ['session/new: not found'] }],
      [sessionStart, ref('planned'), { change: 1, changes: ['session/planned: Hibernated → Running'], skip: [], blocked: [] }],
      [sessionWake, ref('planned'), { change: 1, changes: ['session/planned: Hibernated → Running'], skip: [], blocked: [] }],
      [sessionHibernate, ref('planned'), { change: 0, skip: ['session/planned: already to be Hibernated'], blocked: [] }],
      [sessionStop, ref('planned'), { change: 1, changes: ['session/planned: Hibernated → Stopped'], skip: [], blocked: [] }],
      [sessionStop, ref('new'), { change: 0, skip: ['session/new: absent'], blocked: [] }],
    ] as const;
    for (const [definition, raw, plan] of table) expect(await plans(definition as never, raw as never)).toEqual(plan);
    const full = await plans(sessionWake as never, ref('planned') as never, () => 'capacity 1/1');
    expect(full).toEqual({ change: 0, skip: [], blocked: ['session/planned: capacity 1/1'] });
    await sessions.edit('planned', { state: 'Stopped' });
    expect((await plans(sessionWake as never, ref('planned') as never)).blocked).toEqual([
      'session/planned: is to be stopped, which only a SessionStart takes back',
    ]);
    expect((await sessions.get('planned')).metadata.generation).toBe(3);
    expect(before).not.toBe('');
    await expect(sessions.get('new')).rejects.toThrow('404');
  });
});
