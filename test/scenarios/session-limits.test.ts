import { beforeAll, expect, test } from 'vitest';
import { MAX_STARTING } from '../../operator/sessions/capacity.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { condition, inPhase as hasPhase } from './objects.ts';
import { useScene } from './scene.ts';
import { claimOf, inSessionPhase, SessionRig, type StoredSession } from './session-objects.ts';

const scene = useScene('session-limits');
const rig = new SessionRig(scene);

beforeAll(async () => {
  await scene.tenant.createNodes(2);
  await rig.template('firefox', { resources: { cpu: '10m', memory: '16Mi' } });
});

/** As long as it takes on a machine that has other things to do. */
const until: SessionRig['until'] = (name, look) => rig.until(name, look, 60_000);
const waits = (session: StoredSession) => ['CapacityReached', 'StartQueued'].includes(claimOf(session, 'Ready')?.reason ?? '');
const list = async () => (await scene.cp.api.get<{ items: StoredSession[] }>(rig.path('sessions'))).items;
const inPhase = async (...phases: readonly string[]) => (await list()).filter(inSessionPhase(...phases)).length;

async function clear(): Promise<void> {
  await scene.cp.api.remove(rig.path('sessions'));
  await waitFor(async () => (await list()).length === 0, { what: 'no session is left', within: 120_000 });
}

test('of three sessions of two users two run, the third waits and says why, and the next place is for who has fewest', async () => {
  {
    await using _operator = await scene.operator({ MAX_SESSIONS: '2' });
    for (const name of ['ada-1', 'ada-2']) {
      await rig.create(name);
      await until(name, inSessionPhase('Running'));
    }
    await rig.create('ada-3');
    const waiting = await until('ada-3', waits);
    expect(waiting.status?.phase).toBe('Pending');
    expect(claimOf(waiting, 'Ready')).toMatchObject({
      status: 'Unknown',
      reason: 'CapacityReached',
      message: '2 of 2 sessions (MAX_SESSIONS) are active; it goes on as soon as another session is hibernated or stopped',
    });
    await rig.create('ben-1', { user: 'ben' });
    await until('ben-1', waits);
  }
  // Nothing of this is remembered by a process.
  await using _operator = await scene.operator({ MAX_SESSIONS: '2' });
  await rig.edit('ada-1', { state: 'Hibernated' });
  await until('ben-1', inSessionPhase('Running'));
  await until('ada-1', inSessionPhase('Hibernated'));
  expect(waits(await rig.get('ada-3'))).toBe(true);
  await rig.edit('ada-1', { state: 'Running' });
  const asleep = await until('ada-1', waits);
  expect(asleep.status?.phase).toBe('Hibernated');
  await scene.cp.api.remove(rig.path('sessions', 'ben-1'));
  await until('ada-3', inSessionPhase('Running'));
  await rig.edit('ada-2', { state: 'Stopped' });
  await until('ada-1', inSessionPhase('Running'));
  await clear();
}, 300_000);

test('fifty sessions at once all run, not too many start together, and the API server refuses nothing', async () => {
  await using _operator = await scene.operator();
  const names = Array.from({ length: 50 }, (_, index) => `crowd-${index}`);
  const before = (await scene.requests()).length;
  await Promise.all(names.map((name, index) => rig.create(name, { user: `user-${index % 7}` })));
  let most = 0;
  await waitFor(
    async () => {
      most = Math.max(most, await inPhase('Starting'));
      return (await inPhase('Running')) === names.length;
    },
    { what: 'all run', within: 120_000 },
  );
  expect(most).toBeLessThanOrEqual(MAX_STARTING);
  const refused = (await scene.requests()).slice(before).filter(({ responseStatus }) => {
    const code = responseStatus?.code ?? 500;
    return code === 409 || code === 429 || code >= 500;
  });
  expect(refused.map(({ verb, requestURI, responseStatus }) => `${verb} ${requestURI}: ${responseStatus?.code}`)).toEqual([]);
  await clear();
}, 300_000);

test('of a hundred starts at once with fifty places exactly fifty are refused, in words that the control plane reads', async () => {
  await using _operator = await scene.operator({ MAX_SESSIONS: '50' });
  const names = Array.from({ length: 100 }, (_, index) => `start-${index}`);
  await Promise.all(
    names.map((name, index) =>
      scene.actions.create(name, {
        action: 'SessionStart',
        sessionStart: { sessionRef: { name }, session: { user: `user-${index % 9}`, templateRef: { name: 'firefox' } } },
      }),
    ),
  );
  const ended = await Promise.all(names.map((name) => scene.actions.until(name, hasPhase('Succeeded', 'Failed'), 150_000)));
  const refused = ended.filter(({ status }) => status?.phase === 'Failed').map((action) => condition(action, 'Ready'));
  expect(refused.filter(({ reason, message }) => reason !== 'CapacityReached' || !message.includes('capacity 50/50'))).toEqual([]);
  expect(refused).toHaveLength(50);
  expect((await list()).length).toBe(50);
  await clear();
}, 300_000);
