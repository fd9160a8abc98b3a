import { describe, expect, test } from 'vitest';
import { DELETE_HOME, INTENT, SESSION_FINALIZER, WAKE_REQUESTED } from '../../operator/api/session.ts';
import type { SessionDesk } from '../../operator/api/session-desk.ts';
import type { KubeClient } from '../../operator/kube/client.ts';
import { desiredOf } from '../../operator/sessions/desired.ts';
import { controlPlane, tenant } from '../cluster/shared.ts';
import { clientOf } from '../kube/clients.ts';
import { AT, deskOf, intentOf, REQUEST, sessionsIn } from './desk-rig.ts';

const { namespace } = await tenant('desk');
const sessions = sessionsIn(namespace);
const { signal } = new AbortController();
const desk = () => deskOf(clientOf(controlPlane), namespace).desk;
const desired = async (name: string) => desiredOf(await sessions.get(name));
const START = intentOf('Running', 'start', AT[1], { request: REQUEST, restarts: true });

describe('a Session that an action makes', () => {
  test('has the whole request, the mark of the action and the finalizer; asked once more nothing is written', async () => {
    const { desk, store } = deskOf(clientOf(controlPlane), namespace);
    expect(await desk.intend('made', START, signal)).toMatchObject({ kind: 'recorded', did: 'Create' });
    const made = await sessions.get('made');
    expect(made).toMatchObject({
      metadata: {
        labels: { app: 'streamspace-session', session: 'made', user: 'ada', template: 'inline' },
        annotations: { [INTENT]: '2026-11-21T10:00:01.000Z actions/start Start' },
        finalizers: [SESSION_FINALIZER],
      },
      spec: { ...REQUEST, state: 'Running' },
    });
    expect(store.get(`${namespace}/made`)?.metadata).not.toHaveProperty('managedFields');
    expect(await desk.intend('made', START, signal)).toMatchObject({ kind: 'recorded', did: 'Nothing' });
    expect((await sessions.get('made')).metadata.resourceVersion).toBe(made.metadata.resourceVersion);
  });

  test('keeps what people have changed of it, and stays theirs, when it is started again', async () => {
    await desk().intend('changed', START, signal);
    await sessions.edit('changed', { idleTimeout: '10m', tags: ['mine'] });
    await desk().intend('changed', intentOf('Hibernated', 'sleep', AT[2]), signal);
    const again = { ...REQUEST, user: 'ada', idleTimeout: '1h', maxDuration: '8h' };
    await desk().intend('changed', intentOf('Running', 'again', AT[3], { request: again, restarts: true }), signal);
    const { spec } = await sessions.get('changed');
    expect(spec).toEqual({ ...REQUEST, state: 'Running', idleTimeout: '10m', tags: ['mine'] });
  });

  test('is the same for two who make it at once: one makes it, the later one has its mark', async () => {
    const earlier = intentOf('Running', 'a', AT[1], { request: REQUEST, restarts: true });
    const later = intentOf('Running', 'b', AT[2], { request: REQUEST, restarts: true });
    const outcomes = await Promise.all([desk().intend('twins', later, signal), desk().intend('twins', earlier, signal)]);
    expect(outcomes.map((each) => each.kind)).toEqual(['recorded', 'recorded']);
    expect(outcomes.filter((each) => each.kind === 'recorded' && each.did === 'Create')).toHaveLength(1);
    expect(await sessions.intent('twins')).toContain('actions/b');
  });
});

test('none is made for an action that makes none', async () => {
  expect(await desk().intend('nobody', intentOf('Running'), signal)).toEqual({ kind: 'absent' });
  expect(await desk().read('nobody', signal)).toBeUndefined();
});

describe('spec.state of somebody else', () => {
  test.each([
    ['a GitOps tool', (name: string) => sessions.make(name)],
    ['kubectl create', (name: string) => created(name)],
  ])('of %s is left alone: the intent stands as an override, and nobody is in the way of the owner', async (_, make) => {
    const name = `owned-${_.length}`;
    await make(name);
    const { metadata, spec } = await sessions.get(name);
    expect(await desk().intend(name, intentOf('Hibernated'), signal)).toMatchObject({ kind: 'recorded', did: 'Write' });
    const after = await sessions.get(name);
    expect(after.spec).toEqual(spec);
    expect(after.metadata.generation).toBe(metadata.generation);
    expect(after.status?.override).toEqual({
      state: 'Hibernated',
      reason: 'Asked',
      by: 'actions/one',
      at: '2026-11-21T10:00:01.000Z',
      generation: metadata.generation,
    });
    expect(desiredOf(after)).toBe('Hibernated');
  });

  test('a sync of the same text fights nothing; another text wins, and the action knows', async () => {
    await sessions.make('synced');
    const intent = intentOf('Hibernated');
    await desk().intend('synced', intent, signal);
    expect(await sessions.apply('synced', { ...REQUEST, state: 'Running' }, 'gitops')).toMatchObject({ code: 0, stderr: '' });
    expect(await desired('synced')).toBe('Hibernated');
    expect(desk().overruled(await sessions.get('synced'), intent)).toBeUndefined();
    expect(await sessions.apply('synced', { ...REQUEST, state: 'Running', idleTimeout: '1h' }, 'gitops')).toMatchObject({ code: 0 });
    expect(await desired('synced')).toBe('Running');
    expect(desk().overruled(await sessions.get('synced'), intent)).toBe('an edit of its spec');
    expect(await desk().intend('synced', intent, signal)).toEqual({ kind: 'superseded', by: 'an edit of its spec' });
  });

  test('is what is wanted already: only the mark is written, and the owner can change it without a conflict', async () => {
    await sessions.make('same');
    await desk().intend('same', intentOf('Running', 'wake'), signal);
    expect((await sessions.get('same')).status?.override).toBeUndefined();
    expect(await sessions.apply('same', { ...REQUEST, state: 'Hibernated' }, 'gitops')).toMatchObject({ code: 0, stderr: '' });
  });

  test('the way there and back ends without an override that is of no use', async () => {
    await sessions.make('back');
    await desk().intend('back', intentOf('Hibernated', 'sleep', AT[1]), signal);
    await desk().intend('back', intentOf('Running', 'wake', AT[2]), signal);
    expect(await desired('back')).toBe('Running');
    await desk().intend('back', intentOf('Stopped', 'stop', AT[3]), signal);
    expect(await desired('back')).toBe('Stopped');
    expect(await sessions.intent('back')).toBe('2026-11-21T10:00:03.000Z actions/stop Stopped');
  });

  test('F1 a crash between the override and the mark is made good by the next process', async () => {
    await sessions.make('crash');
    await expect(deskOf(dying(clientOf(controlPlane)), namespace).desk.intend('crash', intentOf('Hibernated'), signal)).rejects.toThrow(
      'died',
    );
    expect(await sessions.intent('crash')).toBeUndefined();
    expect(await desired('crash')).toBe('Hibernated');
    expect(await desk().intend('crash', intentOf('Hibernated'), signal)).toMatchObject({ kind: 'recorded' });
    expect(await sessions.intent('crash')).toContain('actions/one');
  });

  test('F1 an edit between the override and the mark wins over what the next process is about to do', async () => {
    await sessions.make('crash-edit');
    await expect(
      deskOf(dying(clientOf(controlPlane)), namespace).desk.intend('crash-edit', intentOf('Hibernated'), signal),
    ).rejects.toThrow();
    await sessions.edit('crash-edit', { idleTimeout: '1h' });
    expect(await desk().intend('crash-edit', intentOf('Hibernated'), signal)).toEqual({ kind: 'superseded', by: 'an edit of its spec' });
    expect(await desired('crash-edit')).toBe('Running');
  });
});

describe('decisions of others', () => {
  test('the operator hibernated it for idleness: a later wake ends that, an earlier one is overruled by it', async () => {
    for (const [name, at] of [
      ['idle-later', AT[2]],
      ['idle-earlier', AT[0]],
    ] as const) {
      await desk().intend(name, { ...START, at: AT[0] }, signal);
      const { metadata } = await sessions.get(name);
      const override = {
        state: 'Hibernated',
        reason: 'Idle',
        by: 'operator',
        at: AT[1].toISOString(),
        generation: metadata.generation ?? 0,
      } as const;
      await sessions.status(name, { override });
      const outcome = await desk().intend(name, intentOf('Running', 'wake', at), signal);
      if (at === AT[2]) expect(outcome).toMatchObject({ kind: 'recorded' });
      else expect(outcome).toEqual({ kind: 'superseded', by: 'the operator (Idle)' });
      expect(await desired(name)).toBe(at === AT[2] ? 'Running' : 'Hibernated');
    }
  });

  test('a wake request of a user overrules a hibernation that stands as an override', async () => {
    await sessions.make('asked');
    await desk().intend('asked', intentOf('Hibernated'), signal);
    await sessions.annotate('asked', { [WAKE_REQUESTED]: AT[2].toISOString() });
    expect(desk().overruled(await sessions.get('asked'), intentOf('Hibernated'))).toBe('a wake request');
  });

  test('somebody edits spec.state: the action that stood there is overruled', async () => {
    await desk().intend('edited', START, signal);
    await sessions.edit('edited', { state: 'Hibernated' });
    expect(await desk().intend('edited', START, signal)).toEqual({ kind: 'superseded', by: 'an edit of its spec' });
  });

  test('a mark that nobody can read is no mark', async () => {
    await desk().intend('scribbled', START, signal);
    await sessions.annotate('scribbled', { [INTENT]: 'yesterday, me' });
    expect(await desk().intend('scribbled', intentOf('Hibernated', 'x', AT[0]), signal)).toMatchObject({ kind: 'recorded', did: 'Write' });
  });
});

describe('the Session that is meant', () => {
  test('a namesake is not touched, but for one that this action made', async () => {
    await desk().intend('meant', START, signal);
    expect(await desk().intend('meant', intentOf('Stopped', 'stop', AT[2], { uid: 'another' }), signal)).toMatchObject({
      kind: 'replaced',
    });
    expect(await desk().intend('meant', intentOf('Stopped', 'stop', AT[2], { uid: '' }), signal)).toMatchObject({ kind: 'replaced' });
    expect(await desk().intend('meant', { ...START, uid: '' }, signal)).toMatchObject({ kind: 'recorded', did: 'Nothing' });
  });

  test('one that is being deleted is not touched', async () => {
    await desk().intend('leaving', START, signal);
    await controlPlane.api.remove(sessions.path('leaving'));
    expect(await desk().intend('leaving', intentOf('Hibernated', 'x', AT[2]), signal)).toMatchObject({ kind: 'leaving' });
    await controlPlane.api.patch(sessions.path('leaving'), { metadata: { finalizers: null } });
  });
});

describe('undoing', () => {
  const undo = (more: Partial<typeof START> = {}) => ({ ...intentOf('Stopped', 'start', AT[1]), insteadOf: 'Running' as const, ...more });

  test('takes back what the same action asked for, once', async () => {
    await desk().intend('undone', START, signal);
    expect(await desk().intend('undone', undo(), signal)).toMatchObject({ kind: 'recorded', did: 'Write' });
    expect(await desk().intend('undone', undo(), signal)).toMatchObject({ kind: 'recorded', did: 'Nothing' });
    expect(await desired('undone')).toBe('Stopped');
  });

  test.each<[string, (name: string, other: SessionDesk) => Promise<unknown>, string]>([
    ['an edit', (name) => sessions.edit(name, { state: 'Hibernated' }), 'Hibernated'],
    ['a later action', (name, other) => other.intend(name, intentOf('Hibernated', 'sleep', AT[2]), signal), 'Hibernated'],
    [
      'a later action that wants the same',
      (name, other) => other.intend(name, { ...START, by: 'actions/z', at: AT[2] }, signal),
      'Running',
    ],
  ])('leaves alone what %s wants', async (what, meanwhile, left) => {
    const name = `kept-${what.length}`;
    await desk().intend(name, START, signal);
    await meanwhile(name, desk());
    expect(await desk().intend(name, undo(), signal)).toMatchObject({ kind: 'superseded' });
    expect(await desired(name)).toBe(left);
  });

  test('works where it stands as an override as well', async () => {
    await sessions.make('undone-foreign', 'Hibernated');
    await desk().intend('undone-foreign', START, signal);
    expect(await desired('undone-foreign')).toBe('Running');
    expect(await desk().intend('undone-foreign', { ...undo(), state: 'Hibernated' }, signal)).toMatchObject({ kind: 'recorded' });
    expect(await desired('undone-foreign')).toBe('Hibernated');
  });
});

test('the home goes with a stop that says so, also when another stop follows; a start takes the mark away', async () => {
  await desk().intend('home', START, signal);
  const mark = async () => (await sessions.get('home')).metadata.annotations?.[DELETE_HOME];
  await desk().intend('home', intentOf('Stopped', 'a', AT[2], { deleteHome: true }), signal);
  expect(await mark()).toBe('true');
  await desk().intend('home', intentOf('Stopped', 'b', AT[2]), signal);
  expect(await mark()).toBe('true');
  await desk().intend('home', intentOf('Running', 'c', AT[3], { restarts: true }), signal);
  expect(await mark()).toBeUndefined();
});

async function created(name: string): Promise<void> {
  const object = { apiVersion: 'cloudoptim.io/v1alpha1', kind: 'Session', metadata: { name, namespace }, spec: REQUEST };
  const { code, stderr } = await controlPlane.kubectl(['create', '--filename=-'], { input: JSON.stringify(object) });
  if (code !== 0) throw new Error(stderr);
}

/** A client whose process ends after its first write. */
function dying(client: KubeClient): KubeClient {
  let written = false;
  return {
    get: client.get.bind(client),
    patch: (...args: Parameters<KubeClient['patch']>) => {
      if (written) return Promise.reject(new Error('the process died'));
      written = true;
      return client.patch(...args);
    },
  } as unknown as KubeClient;
}
