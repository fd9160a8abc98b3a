import { describe, expect, it } from 'vitest';
import type { Session } from '../../operator/api/session.ts';
import type { SessionRequest } from '../../operator/api/session-spec.ts';
import { keyOf } from '../../operator/kube/controller.ts';
import { Capacity, type CapacityOptions } from '../../operator/sessions/capacity.ts';
import { demandOf } from '../../operator/sessions/demand.ts';
import { makeSession } from './phased-session.ts';

const GIBIBYTE = 2 ** 30;

function capacity(limits: CapacityOptions['limits'], more: Partial<CapacityOptions> = {}) {
  const turns: string[] = [];
  const made = new Capacity({
    limits,
    desired: ({ spec }) => spec?.state ?? 'Running',
    demand: (request) => demandOf(request, undefined),
    isUp: () => false,
    onTurn: (key) => turns.push(key),
    ...more,
  });
  const notice = (...sessions: readonly Session[]) => {
    for (const session of sessions) made.notice(undefined, session);
  };
  /** As a session action does it. */
  const ask = (key: string, request?: SessionRequest) => {
    const refusal = made.refusal(key, request);
    if (refusal === undefined) made.claim(key, request);
    return refusal;
  };
  return { capacity: made, notice, turns, ask };
}

const words = (kind: { readonly kind: string; readonly message?: string }) => kind.message ?? kind.kind;

describe('MAX_SESSIONS', () => {
  it('lets in so many, and names the limit to the others', () => {
    const { capacity: one, notice } = capacity({ maxSessions: 2 });
    notice(makeSession('a', { phase: 'Running' }), makeSession('b', { phase: 'Waking' }));
    expect(one.admission(makeSession('c'))).toMatchObject({
      kind: 'waits',
      reason: 'CapacityReached',
      message: '2 of 2 sessions (MAX_SESSIONS) are active; it goes on as soon as another session is hibernated or stopped',
    });
    expect([one.active, one.waiting]).toEqual([2, 1]);
  });

  it.each(['Hibernating', 'Stopping', 'Hibernated', 'Stopped', 'Failed', 'Pending'] as const)('does not count %s', (phase) => {
    const { capacity: one, notice } = capacity({ maxSessions: 1 });
    notice(makeSession('a', { phase, state: 'Hibernated', conditions: [['Stalled', 'True', 'Error']] }));
    expect(one.admission(makeSession('b'))).toEqual({ kind: 'admitted' });
  });

  it('counts what has lost its pod and is being repaired', () => {
    const { capacity: one, notice } = capacity({ maxSessions: 1 });
    notice(makeSession('a', { phase: 'Failed', ready: ['False', 'PodLost'] }));
    expect(one.admission(makeSession('b')).kind).toBe('waits');
  });

  it('tells who waits when there is room, and only that one', () => {
    const { capacity: one, notice, turns } = capacity({ maxSessions: 1 });
    const a = makeSession('a', { phase: 'Running' });
    const [b, c] = [makeSession('b', { user: 'ben' }), makeSession('c', { user: 'cleo' })];
    notice(a, c, b);
    expect(turns).toEqual([]);
    one.notice(a, makeSession('a', { phase: 'Hibernated', state: 'Hibernated' }));
    expect(turns).toEqual([keyOf(b)]);
    expect(one.admission(b)).toEqual({ kind: 'admitted' });
    expect(one.admission(c).kind).toBe('waits');
  });

  it('keeps a place for whom it was granted to, also when others come before who have a better claim', () => {
    const { capacity: one, notice } = capacity({ maxSessions: 2 });
    const [a, b] = [makeSession('a'), makeSession('b')];
    notice(a, b, makeSession('c', { user: 'cleo' }));
    one.notice(a, makeSession('a', { generation: 2 }));
    expect([a, b].map((each) => one.admission(each).kind)).toEqual(['admitted', 'admitted']);
    expect(one.admission(makeSession('c', { user: 'cleo' })).kind).toBe('waits');
  });

  it('is passed by what is up already: adopted, or without its status', () => {
    const { capacity: one, notice } = capacity({ maxSessions: 1 }, { isUp: ({ metadata }) => metadata.name.startsWith('old') });
    notice(makeSession('old-1'), makeSession('old-2'));
    expect([one.active, one.admission(makeSession('old-2')).kind]).toEqual([2, 'admitted']);
    expect(one.admission(makeSession('new')).kind).toBe('waits');
  });

  it('gives on the place of one that was granted it and goes, or turns out to be wrong', () => {
    const { capacity: one, notice, turns } = capacity({ maxSessions: 1 });
    const [a, b, c] = [makeSession('a'), makeSession('b'), makeSession('c')];
    notice(a, b, c);
    one.notice(a, undefined);
    one.notice(b, makeSession('b', { phase: 'Pending', ready: ['Unknown', 'TemplateMissing'] }));
    expect(turns).toEqual([a, b, c].map(keyOf));
  });

  it('takes it that what is judged and wrong waits for nothing until it is edited', () => {
    const { notice, turns } = capacity({ maxSessions: 9 });
    const failed = { phase: 'Failed', ready: ['False', 'ImagePullFailed'], conditions: [['Stalled', 'True', 'ImagePullFailed']] } as const;
    notice(makeSession('a', failed));
    expect(turns).toEqual([]);
    notice(makeSession('a', { ...failed, generation: 2 }));
    expect(turns).toEqual(['desks/a']);
  });
});

describe('ceilings', () => {
  it('name the amounts', () => {
    const { capacity: one, notice } = capacity({ maxSessions: 100, cpu: 64_000, memory: 100 * GIBIBYTE });
    notice(makeSession('a', { phase: 'Running', cpu: '63', memory: '1Gi' }));
    expect(words(one.admission(makeSession('b', { cpu: '1500m' })))).toBe(
      'cpu 63 of 64 (MAX_CPU) in use, 1500m needed; it goes on as soon as another session is hibernated or stopped',
    );
    expect(words(one.admission(makeSession('c', { user: 'cleo', cpu: '500m', memory: '100Gi' })))).toContain(
      'memory 1Gi of 100Gi (MAX_MEMORY) in use, 100Gi needed',
    );
  });

  it('count what still has its pod', () => {
    const { capacity: one, notice } = capacity({ maxSessions: 9, cpu: 1000 });
    notice(makeSession('a', { phase: 'Hibernating', state: 'Hibernated', cpu: '1' }));
    expect(one.admission(makeSession('b', { cpu: '1' })).kind).toBe('waits');
    expect(one.active).toBe(0);
  });

  it('do not count twice what wakes while its old pod still goes', () => {
    const { capacity: one } = capacity({ maxSessions: 9, cpu: 1000 });
    expect(one.admission(makeSession('a', { phase: 'Hibernating', cpu: '1' }))).toEqual({ kind: 'admitted' });
  });

  it('are not there unless they are set', () => {
    const { capacity: one } = capacity({ maxSessions: 9 });
    expect(one.admission(makeSession('a', { cpu: '10000', memory: '9Ti' }))).toEqual({ kind: 'admitted' });
  });

  it('do not let one that can never fit hold up the others', () => {
    const { capacity: one, notice, turns } = capacity({ maxSessions: 9, cpu: 1000 });
    notice(makeSession('a', { cpu: '2' }), makeSession('b', { cpu: '1' }));
    expect(turns).toEqual(['desks/a', 'desks/b']);
    expect(one.admission(makeSession('a', { cpu: '2' }))).toMatchObject({
      reason: 'CapacityReached',
      message: 'MAX_CPU allows less than the 2 it needs: ask for less, or raise MAX_CPU',
    });
    expect(one.waiting).toBe(0);
  });

  it('let nobody smaller pass who is next', () => {
    const { capacity: one, notice } = capacity({ maxSessions: 9, cpu: 4000 });
    const a = makeSession('a', { phase: 'Running', cpu: '2' });
    notice(a, makeSession('b', { user: 'ben', cpu: '3' }));
    expect(words(one.admission(makeSession('c', { user: 'cleo', cpu: '1' })))).toContain('cpu 2 of 4 (MAX_CPU) in use, 3 needed');
    one.notice(a, undefined);
    expect(one.admission(makeSession('b', { user: 'ben', cpu: '3' }))).toEqual({ kind: 'admitted' });
    expect(one.admission(makeSession('c', { user: 'cleo', cpu: '1' }))).toEqual({ kind: 'admitted' });
  });

  it('take what a template says when its turn comes', () => {
    let cpu = '3';
    const { capacity: one, notice } = capacity(
      { maxSessions: 9, cpu: 4000 },
      {
        demand: (request) =>
          request.resources?.cpu ? demandOf(request, undefined) : demandOf(request, { image: 'x', resources: { cpu } }),
      },
    );
    const a = makeSession('a', { phase: 'Running', cpu: '2' });
    notice(a, makeSession('b'));
    cpu = '2';
    expect(one.admission(makeSession('b'))).toEqual({ kind: 'admitted' });
  });
});

describe('starts under way', () => {
  it('are bounded, and who waits for them says so', () => {
    const { capacity: one, notice } = capacity({ maxSessions: 9 }, { maxStarting: 1 });
    notice(makeSession('a', { phase: 'Starting' }));
    expect(one.admission(makeSession('b'))).toMatchObject({
      kind: 'waits',
      reason: 'StartQueued',
      message: '1 sessions start or wake already (at most so many at once); it goes on when its turn comes',
    });
  });

  it.each(['PodScheduled', 'ImagePulled'])('that wait for the cluster, %s False, hold up nobody', (type) => {
    const { capacity: one, notice } = capacity({ maxSessions: 9 }, { maxStarting: 1 });
    notice(makeSession('a', { phase: 'Starting', conditions: [[type, 'False', 'Waiting']] }));
    expect(one.admission(makeSession('b'))).toEqual({ kind: 'admitted' });
  });
});

describe('refusal', () => {
  it('has the words that the control plane looks for', () => {
    const { capacity: one, notice } = capacity({ maxSessions: 1, cpu: 8000 });
    notice(makeSession('a', { phase: 'Running', cpu: '7' }));
    const { user, template } = makeSession('x').spec ?? {};
    const request = { user: user ?? '', template: template ?? { image: 'x' } };
    expect(one.refusal('desks/x', request)).toBe('capacity 1/1: MAX_SESSIONS is reached; stop or hibernate a session');
    expect(one.refusal('desks/a', request)).toBeUndefined();
    const { capacity: other, notice: tell } = capacity({ maxSessions: 9, cpu: 8000 });
    tell(makeSession('a', { phase: 'Running', cpu: '7' }));
    expect(other.refusal('desks/x', { ...request, resources: { cpu: '2' } })).toBe(
      'capacity 7/8 cpu: MAX_CPU leaves no room for 2 more; stop or hibernate a session',
    );
    expect(other.refusal('desks/x', { ...request, resources: { cpu: '20' } })).toBe(
      'capacity 0/8 cpu: it needs 20, more than MAX_CPU allows at all; ask for less, or raise MAX_CPU',
    );
  });

  it('is told to exactly those for whom there is no place, also while none of the others is seen yet', () => {
    const { capacity: one, notice, ask } = capacity({ maxSessions: 50 });
    const names = Array.from({ length: 100 }, (_, index) => `s${index}`);
    const request = { user: 'ada', template: { image: 'x' } };
    const accepted = names.filter((name) => ask(`desks/${name}`, request) === undefined);
    expect(accepted).toHaveLength(50);
    for (const name of accepted) notice(makeSession(name));
    expect(accepted.filter((name) => one.refusal(`desks/${name}`, request) !== undefined)).toEqual([]);
    expect(one.refusal('desks/late', request)).toBe('capacity 50/50: MAX_SESSIONS is reached; stop or hibernate a session');
    expect([one.active, one.waiting]).toEqual([20, 30]);
  });

  it('counts an accepted start once, and only for as long as it may still come', () => {
    let now = 0;
    const { ask, capacity: one } = capacity({ maxSessions: 1 }, { clock: () => now });
    const request = { user: 'ada', template: { image: 'x' } };
    expect([ask('desks/a', request), ask('desks/a', request)]).toEqual([undefined, undefined]);
    expect(ask('desks/b', request)).toContain('capacity 1/1');
    now = 60;
    expect(one.refusal('desks/b', request)).toBeUndefined();
  });

  it('is for the wake of a hibernated session too', () => {
    const { capacity: one, notice, ask } = capacity({ maxSessions: 1 });
    const asleep = (name: string) => makeSession(name, { phase: 'Hibernated', state: 'Hibernated' });
    notice(asleep('a'), asleep('b'));
    expect(one.refusal('desks/b', undefined)).toBeUndefined();
    expect(ask('desks/a', undefined)).toBeUndefined();
    expect(one.refusal('desks/b', undefined)).toContain('capacity 1/1');
    notice(makeSession('a', { phase: 'Hibernated' }));
    expect(one.refusal('desks/a', undefined)).toBeUndefined();
    notice(makeSession('a', { phase: 'Hibernated', state: 'Hibernated', generation: 2 }));
    expect(one.refusal('desks/b', undefined)).toBeUndefined();
  });
});
