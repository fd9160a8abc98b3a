import { expect, test } from 'vitest';
import { ApiError, ApiUnreachable } from '../../operator/kube/error.ts';
import type { KubeObject } from '../../operator/kube/object.ts';
import { StreamSpaceActivity } from '../../operator/sessions/stream-space-activity.ts';
import { before, NOON } from './life-session.ts';

const { signal } = new AbortController();

/** A cluster that answers like this. */
function cluster(answer: (name: string) => unknown) {
  const asked: string[] = [];
  const clock = { steady: 0 };
  const client = {
    get: async (ref: { name: string }) => {
      asked.push(ref.name);
      const status = answer(ref.name);
      if (status instanceof Error) throw status;
      return { status } as unknown as KubeObject;
    },
  };
  const activity = new StreamSpaceActivity({ client: client as never, steady: () => clock.steady });
  const read = (name = 'anna') => activity.read('desks', name, NOON, signal);
  return { activity, read, asked, clock };
}

const notFound = (name: string) => new ApiError({ status: 404, reason: 'NotFound', message: `sessions.stream.space "${name}" not found` });

test.each([
  ['there', { lastActivity: before(5).toISOString() }, { kind: 'used', signal: 'StreamSpaceSession', at: before(5) }],
  ['no status', undefined, { kind: 'unknown', reason: 'SignalMissing', message: expect.stringContaining('is not there') }],
  ['no text', { lastActivity: 5 }, { kind: 'unknown', message: expect.stringContaining('is not there') }],
  [
    'no time',
    { lastActivity: 'soon' },
    { kind: 'unknown', message: expect.stringMatching(/sessions.stream.space anna is "soon".*RFC 3339/) },
  ],
  ['yet to come', { lastActivity: before(-9).toISOString() }, { kind: 'unknown', message: expect.stringContaining('yet to come') }],
  ['no object', notFound('anna'), { kind: 'unknown', message: 'sessions.stream.space "anna" not found' }],
  [
    'no CRD',
    new ApiError({ status: 404, reason: '', message: '404 page not found' }),
    { kind: 'unknown', message: expect.stringContaining('CRD') },
  ],
  [
    'no right',
    new ApiError({ status: 403, reason: 'Forbidden', message: 'may not' }),
    { kind: 'unknown', message: expect.stringMatching(/^may not: apply config\/rbac-stream-space/) },
  ],
  ['no answer', new ApiUnreachable('gone'), { kind: 'unknown', message: 'gone' }],
])('%s', async (_, status, expected) => {
  expect(await cluster(() => status).read()).toMatchObject(expected);
});

test('it is asked for anew before each decision, but not for each pass', async () => {
  const { read, asked, clock } = cluster(() => ({ lastActivity: before(5).toISOString() }));
  for (let pass = 0; pass < 10; pass++) await read();
  expect(asked).toHaveLength(1);
  clock.steady = 5001;
  await read();
  expect(asked).toHaveLength(2);
});

test('an object that is not there is looked for every ten minutes; where the kind is not there, nobody asks for others', async () => {
  const one = cluster(notFound);
  expect(await one.read('anna')).toMatchObject({ askAgainAfter: 600 });
  one.clock.steady = 599_999;
  await one.read('anna');
  await one.read('bert');
  one.clock.steady = 600_000;
  await one.read('anna');
  expect(one.asked).toEqual(['anna', 'bert', 'anna']);
  one.activity.forget('anna');
  await one.read('anna');
  expect(one.asked).toHaveLength(4);

  const none = cluster(() => new ApiError({ status: 404, reason: '', message: '404 page not found' }));
  for (let index = 0; index < 200; index++) await none.read(`s${index}`);
  expect(none.asked).toEqual(['s0']);
});

test('a mistake is not hidden', async () => {
  await expect(cluster(() => new TypeError('a mistake')).read()).rejects.toThrow('a mistake');
});
