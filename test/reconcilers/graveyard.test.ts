import { expect, test } from 'vitest';
import { Graveyard } from '../../operator/reconcilers/graveyard.ts';
import { controlPlane, tenant } from '../cluster/shared.ts';
import { clientOf } from '../kube/clients.ts';
import { finished } from './objects.ts';

const signal = new AbortController().signal;
const DAY = 86_400_000;

/** A graveyard in a namespace of its own, as one process after another has it, and a clock that the test moves. */
async function start() {
  const { namespace } = await tenant('graveyard');
  let now = Date.parse('2026-11-21T13:00:00Z');
  return {
    namespace,
    pass: (milliseconds: number) => {
      now += milliseconds;
    },
    next: async () => {
      const graveyard = new Graveyard({ client: clientOf(controlPlane), namespace, clock: () => new Date(now), onError: () => undefined });
      await graveyard.load(signal);
      return graveyard;
    },
  };
}

test('an object that is made anew with the same name and spec has run, whoever asks and whatever else differs', async () => {
  const { next } = await start();
  const first = await next();
  const gone = finished({ uid: 'first' });
  await first.bury(gone);
  for (const graveyard of [first, await next()]) {
    const anew = finished({ uid: 'second', spec: { suspend: true, ttlSecondsAfterFinished: 5 }, status: { phase: 'Pending' } });
    expect(graveyard.earlierRun(anew)).toMatchObject({ phase: 'Succeeded', uid: 'first', result: { changed: true } });
    expect(graveyard.earlierRun(gone), 'itself').toBeUndefined();
    expect(graveyard.earlierRun(finished({ uid: 'second', name: 'b' })), 'another name').toBeUndefined();
    expect(graveyard.earlierRun(finished({ uid: 'second', spec: { cordon: { nodeName: 'n2' } } })), 'another spec').toBeUndefined();
  }
});

test('what is not finished leaves nothing, and what never started may run under its name', async () => {
  const graveyard = await (await start()).next();
  await graveyard.bury(finished({ uid: 'first', status: { phase: 'Running', finishedAt: undefined } }));
  expect(graveyard.find('a')).toBeUndefined();
  await graveyard.bury(finished({ uid: 'first', status: { phase: 'Cancelled', startedAt: undefined } }));
  expect(graveyard.find('a')).toMatchObject({ phase: 'Cancelled' });
  expect(graveyard.earlierRun(finished({ uid: 'second' }))).toBeUndefined();
});

test('made anew over and over, the one that really ran is remembered, and for 30 days more each time', async () => {
  const { next, pass } = await start();
  const graveyard = await next();
  await graveyard.bury(finished({ uid: 'first' }));
  for (const uid of ['second', 'third']) {
    pass(29 * DAY);
    expect(graveyard.earlierRun(finished({ uid }))).toMatchObject({ reason: 'Done', message: 'node n1 cordoned' });
    await graveyard.bury(
      finished({ uid, status: { startedAt: undefined, finishedAt: '2026-12-20T00:00:00Z' }, reason: 'AlreadyExecuted' }),
    );
  }
  pass(30 * DAY - 1);
  expect((await next()).earlierRun(finished({ uid: 'fourth' }))).toMatchObject({
    reason: 'Done',
    finishedAt: finished().status?.finishedAt,
  });
  pass(1);
  expect(graveyard.earlierRun(finished({ uid: 'fourth' }))).toBeUndefined();
});

test('a process that does not lead buries nothing, and knows what the leader buried as soon as it leads itself', async () => {
  const { next } = await start();
  const [leader, standby] = [await next(), await next()];
  standby.close();
  await standby.bury(finished({ name: 'b' }));
  await leader.bury(finished({ uid: 'first' }));
  expect(standby.find('a')).toBeUndefined();
  leader.close();
  await standby.load(signal);
  expect(standby.earlierRun(finished({ uid: 'second' }))).toMatchObject({ uid: 'first' });
  await standby.bury(finished({ name: 'c' }));
  expect(['a', 'b', 'c'].map((name) => standby.find(name) !== undefined)).toEqual([true, false, true]);
});

test('buried once more, as when its deletion is seen after it was asked for, it is not written again', async () => {
  const { next, namespace } = await start();
  const graveyard = await next();
  await graveyard.bury(finished());
  const read = () =>
    controlPlane.api.get<{ metadata: { resourceVersion: string } }>(`/api/v1/namespaces/${namespace}/configmaps/cloudoptim-tombstones-0`);
  const before = (await read()).metadata.resourceVersion;
  await graveyard.bury(finished());
  await (await next()).bury(finished());
  expect((await read()).metadata.resourceVersion).toBe(before);
});
