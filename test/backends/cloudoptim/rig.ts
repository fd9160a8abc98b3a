import { onTestFinished } from 'vitest';
import type { ContactEvent, Report, Task } from '../../../operator/backends/backend.ts';
import { type CloudOptimTuning, cloudOptim } from '../../../operator/backends/cloudoptim/cloudoptim.ts';
import type { BackendSettings } from '../../../operator/backends/settings.ts';
import { type CloudOptimBackend, type CloudOptimBackendOptions, startCloudOptimBackend } from './server.ts';

/** What a test changes of a rig. */
export interface RigOptions {
  readonly backend?: CloudOptimBackendOptions;
  readonly settings?: Partial<BackendSettings>;
  readonly tuning?: CloudOptimTuning;
  /** False: nobody reads tasks() until the test does. Default true. */
  readonly reading?: boolean;
}

/** A reference backend and an adapter that talk over real sockets, with all that the adapter yielded and observed. */
export interface Rig {
  readonly backend: CloudOptimBackend;
  readonly adapter: ReturnType<typeof cloudOptim>;
  readonly tasks: Task[];
  readonly contacts: ContactEvent[];
  readonly signal: AbortSignal;
  /** Waits until both ends see an open socket. */
  connected(): Promise<unknown>;
  /** Ends tasks(); resolves when its iteration is over. */
  stop(): Promise<void>;
  /** Waits for anything that the backend heard or the adapter yielded or observed. */
  until<T>(look: () => T | undefined | null | false, what?: string): Promise<T>;
}

/** Starts a rig with intervals of milliseconds; everything is closed when the test ends. */
export async function startRig(options: RigOptions = {}): Promise<Rig> {
  const backend = await startCloudOptimBackend(options.backend);
  const tasks: Task[] = [];
  const contacts: ContactEvent[] = [];
  const observe = (event: ContactEvent) => {
    contacts.push(event);
    backend.heard.changed();
  };
  const settings: BackendSettings = {
    name: 'test',
    url: backend.url,
    clusterID: backend.clusterID,
    agentID: 'agent',
    key: backend.key,
    intervals: { poll: 0.01, metrics: 60, heartbeat: 30 },
    ...options.settings,
  };
  const adapter = cloudOptim(settings, observe, { backoff: { first: 0.01, most: 0.02 }, timeout: 5, ...options.tuning });
  const stopping = new AbortController();
  const read = async () => {
    for await (const task of adapter.tasks(stopping.signal)) {
      tasks.push(task);
      backend.heard.changed();
    }
  };
  const reading = options.reading === false ? Promise.resolve() : read();
  const stop = async () => {
    stopping.abort();
    await reading;
  };
  onTestFinished(async () => {
    await stop();
    await backend.close();
  });
  const until: Rig['until'] = (look, what) => backend.waitFor(look, what, 4000);
  const connected = () =>
    until(() => {
      const last = contacts.findLast((event) => event.kind === 'streaming');
      return backend.stream.size === 1 && last?.kind === 'streaming' && last.open;
    }, 'an open socket');
  return { backend, adapter, tasks, contacts, signal: stopping.signal, stop, connected, until };
}

/** A signal that nothing aborts. */
export const calm = new AbortController().signal;

/** The end of a drain, with changes. */
export function makeReport(changes: Partial<Report> = {}): Report {
  return {
    taskID: 't1',
    action: 'Drain',
    outcome: 'Succeeded',
    reason: 'Drained',
    message: 'Node worker-1 drained',
    startedAt: new Date('2025-11-28T10:00:00.400Z'),
    finishedAt: new Date('2025-11-28T10:00:12.900Z'),
    result: { evicted: 4 },
    ...changes,
  };
}
