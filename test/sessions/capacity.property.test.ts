import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Session } from '../../operator/api/session.ts';
import { keyOf } from '../../operator/kube/controller.ts';
import { Capacity } from '../../operator/sessions/capacity.ts';
import { demandOf } from '../../operator/sessions/demand.ts';
import { makeSession } from './phased-session.ts';

const USERS = ['ada', 'ben', 'cleo'];
const LIMITS = { maxSessions: 4, cpu: 9000 };
const MAX_STARTING = 2;

const FAILED = { phase: 'Failed', ready: ['False', 'ImagePullFailed'], conditions: [['Stalled', 'True', 'ImagePullFailed']] } as const;

type Step =
  | { readonly do: 'create'; readonly user: string; readonly cpu: number }
  | { readonly do: 'pass' | 'ready' | 'hibernate' | 'settle' | 'wake' | 'remove' | 'fail' | 'touch' | 'land'; readonly which: number }
  | { readonly do: 'restart' };

const which = fc.nat(30);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('create' as const), user: fc.constantFrom(...USERS), cpu: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('pass' as const), which }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom('ready', 'hibernate', 'settle', 'wake', 'remove', 'fail', 'touch', 'land'), which }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'restart' as const }) },
);

/** The sessions as the API server has them, and a reconciler that writes the phase before it does anything, which takes a while. */
class World {
  readonly sessions = new Map<string, Session>();
  capacity = this.#fresh();
  readonly turns = new Set<string>();
  readonly #landing = new Set<string>();
  #made = 0;

  play(step: Step): void {
    if (step.do === 'create') this.#create(step.user, step.cpu);
    else if (step.do === 'restart') this.restart();
    else {
      const session = [...this.sessions.values()][step.which % Math.max(this.sessions.size, 1)];
      if (session) this.act(step.do, session);
    }
  }

  /** What is on its way has landed, or never will. */
  restart(): void {
    this.turns.clear();
    this.#landing.clear();
    this.capacity = this.#fresh();
    this.capacity.open(this.sessions.values());
    for (const key of this.sessions.keys()) this.turns.add(key);
  }

  act(what: Exclude<Step['do'], 'create' | 'restart'>, session: Session): void {
    const phase = session.status?.phase;
    const state = session.spec?.state;
    const isStarting = phase === 'Starting' || phase === 'Waking';
    if (what === 'pass') this.pass(session);
    else if (what === 'land') this.land(session);
    else if (what === 'touch')
      this.#write(session, session.status?.phase ? { phase: session.status.phase, state: state ?? 'Running', ...readyOf(session) } : {});
    else if (what === 'ready' && isStarting) this.#write(session, { phase: 'Running' });
    else if (what === 'fail' && isStarting) this.#write(session, FAILED);
    else if (what === 'hibernate' && phase === 'Running') this.#write(session, { phase: 'Hibernating', state: 'Hibernated' });
    else if (what === 'settle' && phase === 'Hibernating' && state === 'Hibernated') this.#write(session, { phase: 'Hibernated', state });
    else if (what === 'wake' && state === 'Hibernated') this.#write(session, { ...(phase ? { phase } : {}), state: 'Running' });
    else if (what === 'remove') {
      this.#landing.delete(keyOf(session));
      this.sessions.delete(keyOf(session));
      this.capacity.notice(session, undefined);
    }
  }

  pass(session: Session): void {
    const phase = session.status?.phase;
    this.turns.delete(keyOf(session));
    if (session.spec?.state !== 'Running' || phase === 'Running' || phase === 'Starting' || phase === 'Waking') return;
    if (phase === 'Failed') return;
    const admission = this.capacity.admission(session);
    if (admission.kind === 'waits') {
      this.#write(session, { phase: phase ?? 'Pending', ready: ['Unknown', admission.reason] });
      return;
    }
    this.#landing.add(keyOf(session));
  }

  /** A write is for the spec that the pass has seen. */
  land(session: Session): void {
    const { spec, status } = session;
    if (!this.#landing.delete(keyOf(session)) || spec?.state !== 'Running') return;
    this.#write(session, { phase: status?.phase === undefined || status.phase === 'Pending' ? 'Starting' : 'Waking' });
  }

  get taken() {
    const active = [...this.sessions.values()].filter(({ status }) => /Starting|Running|Waking/.test(status?.phase ?? ''));
    const present = [...this.sessions.values()].filter(({ status }) => /Starting|Running|Waking|Hibernating/.test(status?.phase ?? ''));
    return {
      sessions: active.length,
      starting: active.filter(({ status }) => status?.phase !== 'Running').length,
      cpu: present.reduce((sum, { spec }) => sum + demandOf(spec ?? {}, undefined).cpu, 0),
    };
  }

  #create(user: string, cpu: number): void {
    const name = `s${this.#made++}`;
    const created = new Date(Date.UTC(2026, 0, 1) + this.#made * 1000).toISOString().replace('.000', '');
    const session = makeSession(name, { user, cpu: String(cpu), created });
    this.sessions.set(keyOf(session), session);
    this.turns.add(keyOf(session));
    this.capacity.notice(undefined, session);
  }

  #write(session: Session, traits: Parameters<typeof makeSession>[1]): void {
    const { user = '', resources } = session.spec ?? {};
    const created = session.metadata.creationTimestamp ?? '';
    const after = makeSession(session.metadata.name, { user, cpu: resources?.cpu ?? '1', created, since: created, ...traits });
    this.sessions.set(keyOf(after), after);
    this.capacity.notice(session, after);
  }

  #fresh(): Capacity {
    return new Capacity({
      limits: LIMITS,
      maxStarting: MAX_STARTING,
      desired: ({ spec }) => spec?.state ?? 'Running',
      demand: (request) => demandOf(request, undefined),
      isUp: () => false,
      onTurn: (key) => this.turns.add(key),
    });
  }
}

function readyOf({ status }: Session): Parameters<typeof makeSession>[1] {
  const all = (status?.conditions ?? []).map(({ type, status: value, reason }) => [type, value, reason] as const);
  return { conditions: all };
}

const waits = ({ spec, status }: Session) => spec?.state === 'Running' && !/Starting|Running|Waking|Failed/.test(status?.phase ?? '');

it('never lets in more than the limits, whatever happens and whenever it starts anew', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const world = new World();
      for (const each of steps) {
        world.play(each);
        const { sessions, starting, cpu } = world.taken;
        expect(sessions).toBeLessThanOrEqual(LIMITS.maxSessions);
        expect(starting).toBeLessThanOrEqual(MAX_STARTING);
        expect(cpu).toBeLessThanOrEqual(LIMITS.cpu);
      }
    }),
    { numRuns: 1000 },
  );
});

it('counts the same from every change as from a fresh look', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const world = new World();
      for (const each of steps) world.play(each);
      for (const session of world.sessions.values()) if (world.turns.has(keyOf(session))) world.pass(session);
      const { active, waiting } = world.capacity;
      world.restart();
      expect([world.capacity.active, world.capacity.waiting]).toEqual([active, waiting]);
    }),
  );
});

it('lets in everybody in the end, as long as sessions end', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const world = new World();
      for (const each of steps) world.play(each);
      for (let rounds = 0; [...world.sessions.values()].some(waits); rounds++) {
        expect(rounds).toBeLessThan(200);
        // Only those are looked at that are told to, as in the operator.
        for (const key of [...world.turns]) world.pass(world.sessions.get(key) ?? makeSession('gone', { state: 'Stopped' }));
        for (const phase of ['land', 'ready', 'hibernate', 'settle'] as const) {
          for (const session of [...world.sessions.values()]) world.act(phase, session);
        }
      }
    }),
  );
});

it('does not let sixty waiting sessions of one user keep out the first one of another', () => {
  const world = new World();
  for (let index = 0; index < 60; index++) world.play({ do: 'create', user: 'ada', cpu: 1 });
  for (const key of [...world.turns]) world.pass(world.sessions.get(key) as Session);
  world.play({ do: 'create', user: 'ben', cpu: 1 });
  for (const session of [...world.sessions.values()]) world.act('land', session);
  const [first] = [...world.sessions.values()].filter(({ status }) => status?.phase === 'Starting');
  world.act('ready', first as Session);
  expect([...world.turns]).toContain('desks/s60');
  for (const key of [...world.turns]) world.pass(world.sessions.get(key) as Session);
  world.act('land', world.sessions.get('desks/s60') as Session);
  expect(world.sessions.get('desks/s60')?.status?.phase).toBe('Starting');
});

it('answers the same to the same sessions, in whatever order they come', () => {
  const session = fc.record({
    name: fc.integer({ min: 0, max: 40 }).map((number) => `s${number}`),
    user: fc.constantFrom(...USERS),
    phase: fc.constantFrom('Pending' as const, 'Running' as const, 'Hibernated' as const),
    cpu: fc.integer({ min: 1, max: 3 }).map(String),
    since: fc.integer({ min: 10, max: 14 }).map((second) => `2026-01-02T03:04:${second}Z`),
  });
  fc.assert(
    fc.property(fc.uniqueArray(session, { selector: ({ name }) => name, maxLength: 20 }), fc.infiniteStream(fc.nat()), (traits, random) => {
      const sessions = traits.map(({ name, ...more }) => makeSession(name, { ready: ['Unknown', 'CapacityReached'], ...more }));
      const granted = (order: readonly Session[]) => {
        const turns: string[] = [];
        const capacity = new Capacity({
          limits: { ...LIMITS, maxSessions: 7 },
          desired: () => 'Running',
          demand: (request) => demandOf(request, undefined),
          isUp: () => false,
          onTurn: (key) => turns.push(key),
        });
        capacity.open(order);
        return turns;
      };
      const shuffled = sessions.map((each) => [random.next().value, each] as const).toSorted(([a], [b]) => a - b);
      expect(granted(shuffled.map(([, each]) => each))).toEqual(granted(sessions));
    }),
  );
});

it('looks at each session a few times only, however many there are', () => {
  let looks = 0;
  const capacity = new Capacity({
    limits: { maxSessions: 100 },
    maxStarting: 100,
    desired: ({ spec }) => spec?.state ?? 'Running',
    demand: (request) => {
      looks++;
      return demandOf(request, undefined);
    },
    isUp: () => false,
    onTurn: () => undefined,
  });
  const all = Array.from({ length: 2000 }, (_, index) => makeSession(`s${index}`, { user: `u${index % 700}` }));
  for (const each of all) capacity.notice(undefined, each);
  for (const each of all) capacity.admission(each);
  for (const each of all) capacity.notice(each, undefined);
  expect([capacity.active, capacity.waiting]).toEqual([0, 0]);
  expect(looks).toBeLessThan(all.length * 8);
});
