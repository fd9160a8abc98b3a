import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { IntentOutcome, SessionIntent } from '../../operator/api/session-desk.ts';
import { SESSION_STATES, type SessionState } from '../../operator/api/session-spec.ts';
import type { KubeClient } from '../../operator/kube/client.ts';
import { desiredOf } from '../../operator/sessions/desired.ts';
import { controlPlane, tenant } from '../cluster/shared.ts';
import { clientOf } from '../kube/clients.ts';
import { AT, deskOf, intentOf, REQUEST, sessionsIn } from './desk-rig.ts';

const { namespace } = await tenant('intents');
const sessions = sessionsIn(namespace);
const { signal } = new AbortController();

type Verb = 'Start' | 'Wake' | 'Hibernate' | 'Stop';
const STATE: Readonly<Record<Verb, SessionState>> = { Start: 'Running', Wake: 'Running', Hibernate: 'Hibernated', Stop: 'Stopped' };
const verb = fc.constantFrom<Verb>('Start', 'Wake', 'Hibernate', 'Stop');

const intent = (which: Verb, by: string, at: Date): SessionIntent => {
  const restarts = which === 'Start';
  return intentOf(STATE[which], by, at, restarts ? { restarts, request: REQUEST } : {});
};

/** What two intents come to, whichever is written first: a stop beats all but a later start, else the later one counts. */
function winnerOf(earlier: Verb, later: Verb): 'earlier' | 'later' {
  return earlier === 'Stop' && later !== 'Start' && later !== 'Stop' ? 'earlier' : 'later';
}

test('of two actions the same one stands in the end, whatever order their calls are carried out in, and the other one says so', async () => {
  const client = clientOf(controlPlane);
  let count = 0;
  const property = fc.asyncProperty(
    fc.record({ earlier: verb, later: verb, sameTime: fc.boolean(), before: fc.constantFrom(...SESSION_STATES), foreign: fc.boolean() }),
    fc.scheduler(),
    async ({ earlier, later, sameTime, before, foreign }, scheduler) => {
      const name = `s-${count++}`;
      if (foreign) await sessions.make(name, before);
      else await deskOf(client, namespace).desk.intend(name, { ...intentOf(before, 'maker', AT[0]), request: REQUEST }, signal);
      // At the same time the name decides.
      const intents = [intent(earlier, 'a', AT[1]), intent(later, 'b', sameTime ? AT[1] : AT[2])] as const;
      const outcomes: IntentOutcome['kind'][] = [];
      const both = intents.map((each, index) =>
        deskOf(stepwise(client, scheduler, String(index)), namespace)
          .desk.intend(name, each, signal)
          .then((outcome) => {
            outcomes[index] = outcome.kind;
          }),
      );
      await scheduler.waitFor(Promise.all(both));
      const session = await sessions.get(name);
      const isRefused = (which: Verb) => before === 'Stopped' && (which === 'Wake' || which === 'Hibernate');
      if (isRefused(later) || isRefused(earlier)) return expectRefused(outcomes, desiredOf(session));
      const winner = winnerOf(earlier, later);
      const stands = winner === 'earlier' ? earlier : later;
      expect(desiredOf(session)).toBe(STATE[stands]);
      const loser = winner === 'earlier' ? 1 : 0;
      expect(outcomes[1 - loser]).toBe('recorded');
      // One that was written first has been recorded, and hears of it at its next look.
      const overruled = deskOf(client, namespace).desk.overruled(session, intents[loser]);
      if (STATE[earlier] === STATE[later]) expect(outcomes[loser]).toBe('recorded');
      else if (outcomes[loser] === 'recorded') expect(overruled).toBe(`actions/${winner === 'earlier' ? 'a' : 'b'}`);
      else expect(['superseded', 'stopped']).toContain(outcomes[loser]);
    },
  );
  await fc.assert(property, { numRuns: 100 });
});

/** What was stopped before anybody came can only be started. */
function expectRefused(outcomes: readonly string[], state: SessionState): void {
  expect(outcomes.every((kind) => ['recorded', 'stopped', 'superseded'].includes(kind))).toBe(true);
  if (!outcomes.includes('recorded')) expect(state).toBe('Stopped');
}

/** A client every call of which waits for its turn. */
function stepwise(client: KubeClient, scheduler: fc.Scheduler, who: string): KubeClient {
  const inTurn = async <T>(what: string, call: () => Promise<T>): Promise<T> => {
    await scheduler.schedule(Promise.resolve(), `${who} ${what}`);
    return call();
  };
  return {
    get: (...args: Parameters<KubeClient['get']>) => inTurn('get', () => client.get(...args)),
    patch: (...args: Parameters<KubeClient['patch']>) => inTurn('patch', () => client.patch(...args)),
    list: (...args: Parameters<KubeClient['list']>) => inTurn('list', () => client.list(...args)),
    create: (...args: Parameters<KubeClient['create']>) => inTurn('create', () => client.create(...args)),
  } as unknown as KubeClient;
}
