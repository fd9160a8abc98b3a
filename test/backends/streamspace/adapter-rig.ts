import { onTestFinished } from 'vitest';
import type { Backend, ContactEvent, Report, SessionFacts, Task } from '../../../operator/backends/backend.ts';
import type { BackendSettings, SessionSettings } from '../../../operator/backends/settings.ts';
import { type StreamSpaceTuning, streamSpace } from '../../../operator/backends/streamspace/streamspace.ts';
import { type StreamSpaceControlPlane, type StreamSpaceOptions, startStreamSpace } from './server.ts';

/** The id of the agent in all rigs. */
export const AGENT = 'k8s-test';

/** What a test changes of a rig. */
export interface AdapterRigOptions {
  readonly server?: StreamSpaceOptions;
  /** What the administrator has done before the adapter starts. Default `approved`: the agent has its own key. */
  readonly agent?: 'approved' | 'unknown';
  readonly settings?: Partial<BackendSettings>;
  readonly sessions?: Partial<SessionSettings>;
  readonly tuning?: StreamSpaceTuning;
  /** False: nobody reads tasks() until the test does. Default true. */
  readonly reading?: boolean;
}

/** A reference control plane and an adapter, with all that the adapter yielded and observed. */
export interface AdapterRig {
  readonly cp: StreamSpaceControlPlane;
  readonly adapter: Backend;
  readonly tasks: Task[];
  readonly contacts: ContactEvent[];
  /** The keys that were kept. */
  readonly kept: string[];
  /** What `sessions.list` answers. */
  readonly sessions: SessionFacts[];
  /** Ends tasks(); resolves when its iteration is over. */
  stop(): Promise<void>;
  close(within?: number): Promise<void> | undefined;
  /** Waits until both ends see an open socket. */
  connected(): Promise<unknown>;
  until<T>(look: () => T | undefined | null | false, what?: string, timeout?: number): Promise<T>;
}

/** Waits of milliseconds instead of seconds. */
const QUICK: StreamSpaceTuning = {
  timeout: 5,
  waits: { pending: 0.02, rejected: 0.02, refused: 0.02 },
  backoff: { first: 0.02, most: 0.05 },
  takeover: 0.02,
};

/** Starts a rig; everything is closed when the test ends. */
export async function startAdapterRig(options: AdapterRigOptions = {}): Promise<AdapterRig> {
  const cp = await startStreamSpace({ rate: 100_000, ...options.server });
  const key = options.agent === 'unknown' ? cp.bootstrapKey : cp.administrator.add(AGENT);
  const tasks: Task[] = [];
  const contacts: ContactEvent[] = [];
  const kept: string[] = [];
  const sessions: SessionFacts[] = [];
  const observe = (event: ContactEvent) => {
    contacts.push(event);
    cp.heard.changed();
  };
  const settings: BackendSettings = {
    name: 'streamspace',
    url: cp.url,
    clusterID: AGENT,
    agentID: AGENT,
    key,
    intervals: { poll: 10, metrics: 60, heartbeat: 10 },
    ...options.settings,
    sessions: {
      namespace: 'streamspace',
      region: 'us-east-1',
      capacity: { maxSessions: 100, cpu: '64 cores', memory: '256Gi' },
      list: () => sessions,
      keepKey: async (issued) => {
        kept.push(issued);
        cp.heard.changed();
      },
      ...options.sessions,
    },
  };
  const adapter = streamSpace(settings, observe, { ...QUICK, ...options.tuning });
  const stopping = new AbortController();
  const read = async () => {
    for await (const task of adapter.tasks(stopping.signal)) {
      tasks.push(task);
      cp.heard.changed();
    }
  };
  const reading = options.reading === false ? Promise.resolve() : read();
  const stop = async () => {
    stopping.abort();
    await reading;
  };
  onTestFinished(async () => {
    await stop();
    await adapter.close?.(1);
    await cp.close();
  });
  const until: AdapterRig['until'] = (look, what, timeout = 5000) => cp.waitFor(look, what, timeout);
  const connected = () =>
    until(() => {
      const last = contacts.findLast((event) => event.kind === 'streaming');
      return cp.hub.get(AGENT)?.open === true && last?.kind === 'streaming' && last.open;
    }, 'an open socket');
  return { cp, adapter, tasks, contacts, kept, sessions, stop, close: (within = 1) => adapter.close?.(within), connected, until };
}

/** The end of a start, with changes. */
export function endOf(taskID: string, changes: Partial<Report> = {}): Report {
  return {
    taskID,
    action: 'SessionStart',
    outcome: 'Succeeded',
    reason: 'Done',
    message: 'the session runs',
    startedAt: new Date('2026-01-15T10:30:00Z'),
    finishedAt: new Date('2026-01-15T10:30:07Z'),
    result: {},
    ...changes,
  };
}
