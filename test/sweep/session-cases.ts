import type { Case, Ending } from './case.ts';
import type { Stage } from './stage.ts';

/** No node has that much. */
const HUGE = { template: { image: 'example.invalid/desk', resources: { cpu: '1000' } } };

type Verb = 'Start' | 'Stop' | 'Hibernate' | 'Wake';

const sessionOf = ({ id }: Stage) => `s-${id}`;

/** What keeps the objects of a session as they should be; the same again changes nothing. */
const kept = (stage: Stage, ...lines: readonly string[]) => lines.map((line) => `${line} ${stage.lane.namespace}/${sessionOf(stage)}`);

async function ask(stage: Stage, verb: Verb, params: Readonly<Record<string, unknown>> = {}): Promise<void> {
  const member = `session${verb}`;
  await stage.object({ action: `Session${verb}`, [member]: { sessionRef: { name: sessionOf(stage) }, ...params } });
}

/** Whoever killed it, the Session was not as asked for before. */
const didNothing: NonNullable<Ending['lie']> = ({ changed, created, before }) => {
  if (changed === false) return 'the result says that nothing was changed';
  return before === 'Absent' && created === false ? 'the result says that somebody else made the session' : undefined;
};

/** One action on a session that is in the state before, or is not there. */
function reaches(verb: Verb, before: 'Running' | 'Hibernated' | undefined, lines: readonly string[], owner?: 'gitops'): Case {
  const phase = { Start: 'Running', Wake: 'Running', Hibernate: 'Hibernated', Stop: 'Stopped' }[verb];
  return {
    name: `session-${verb.toLowerCase()}${owner ? '-foreign' : ''}`,
    play: async (stage) => {
      if (before) await stage.session(sessionOf(stage), before, owner);
      await ask(stage, verb, before ? {} : { session: { user: 'ada', template: { image: 'example.invalid/desk' } } });
      await stage.ended();
      const session = { name: sessionOf(stage), phase, workload: phase !== 'Stopped' };
      return { phase: 'Succeeded', writes: [kept(stage, ...lines)], mayRepeat: true, cordoned: false, session, lie: didNothing };
    },
  };
}

/** A start of a session for which there is no node, ended by `end`: what it made is stopped. */
function gives(name: string, params: object, end: (stage: Stage) => Promise<unknown>, ending: Pick<Ending, 'phase' | 'reason'>): Case {
  return {
    name,
    play: async (stage) => {
      await ask(stage, 'Start', { session: { user: 'ada', ...HUGE }, ...params });
      await end(stage);
      const lines = ['patch services', 'patch deployments', 'delete deployments', 'delete services'];
      const session = { name: sessionOf(stage), phase: 'Stopped', workload: false };
      // A process that comes too late finds that the time is over before it has begun.
      return { ...ending, writes: [kept(stage, ...lines), []], mayRepeat: true, cordoned: false, session };
    },
  };
}

const waits = (stage: Stage) =>
  stage.until(({ status }) => status?.conditions?.some(({ reason }) => reason === 'Unschedulable'), 'waits for a node');

/** Session actions, each with its intent in the Session and its wait for the controller of Sessions. */
export const sessionCases: readonly Case[] = [
  reaches('Start', undefined, ['patch services', 'patch deployments']),
  reaches('Hibernate', 'Running', ['patch deployments']),
  reaches('Hibernate', 'Running', ['patch deployments'], 'gitops'),
  reaches('Wake', 'Hibernated', ['patch deployments']),
  reaches('Stop', 'Running', ['delete deployments', 'delete services']),
  gives('session-fails', { timeoutSeconds: 3 }, (stage) => stage.ended(), { phase: 'Failed', reason: 'Timeout' }),
  gives(
    'session-cancel',
    {},
    async (stage) => {
      await waits(stage);
      await stage.patch({ cancel: true });
      await stage.ended();
    },
    { phase: 'Cancelled', reason: 'Cancelled' },
  ),
];
