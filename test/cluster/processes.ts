import type { ControlPlaneAccess } from './access.ts';
import type { BinaryName } from './binary-names.ts';
import { type Component, startComponent } from './component.ts';
import { apiServerFlags, controllerFlags, etcdFlags, kwokFlags, type Layout, schedulerFlags } from './flags.ts';
import { createForwardKind } from './forwards.ts';
import type { Reaper } from './reaper.ts';
import { waitFor } from './wait-for.ts';

/** The processes of one control plane. */
export interface Processes {
  /** Starts all; rejects, with the end of its log, when one dies, and when they are not ready within a minute. */
  start(): Promise<void>;
  stopApiServer(): Promise<void>;
  /** Resolves when it is ready again; throws when it is running. */
  startApiServer(): Promise<void>;
  pauseApiServer(): Promise<void>;
  resumeApiServer(): Promise<void>;
  /** Kills all. */
  stop(): Promise<void>;
}

const READY_WITHIN_MS = 60_000;

const flags: Record<Exclude<BinaryName, 'kubectl'>, (layout: Layout) => string[]> = {
  etcd: etcdFlags,
  'kube-apiserver': apiServerFlags,
  'kube-controller-manager': controllerFlags,
  'kube-scheduler': schedulerFlags,
  kwok: kwokFlags,
};

/** Prepares the processes of a control plane whose credentials are written; `access` is used to see when they are ready. */
export function createProcesses(access: ControlPlaneAccess, layout: Layout, reaper: Reaper): Processes {
  // Promises, so that a stop during the start does not miss one.
  const running = new Map<string, Promise<Component>>();
  const begin = (name: keyof typeof flags): Promise<never> => {
    const component = startComponent(access.binaries[name], flags[name](layout), layout.dir, reaper);
    running.set(name, component);
    const died = component.then((started) => started.died);
    died.catch(() => {});
    return died;
  };
  const end = async (name: string) => {
    const component = await running.get(name)?.catch(() => undefined);
    running.delete(name);
    await component?.stop();
  };
  return {
    start: async () => {
      const deaths = [begin('etcd'), begin('kube-apiserver')];
      await unlessOneDies(deaths, (signal) => apiServerReady(access, signal));
      await createForwardKind(access);
      deaths.push(begin('kube-controller-manager'), begin('kube-scheduler'), begin('kwok'));
      await unlessOneDies(deaths, (signal) => podsWelcome(access, signal));
    },
    stopApiServer: () => end('kube-apiserver'),
    startApiServer: async () => {
      if (running.has('kube-apiserver')) throw new Error('the API server is running');
      await unlessOneDies([begin('kube-apiserver')], (signal) => apiServerReady(access, signal));
    },
    pauseApiServer: async () => (await running.get('kube-apiserver'))?.pause(),
    resumeApiServer: async () => (await running.get('kube-apiserver'))?.resume(),
    stop: async () => {
      await Promise.all([...running.keys()].map(end));
    },
  };
}

async function unlessOneDies(deaths: readonly Promise<never>[], wait: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
  const over = new AbortController();
  try {
    await Promise.race([wait(over.signal), ...deaths]);
  } finally {
    over.abort();
  }
}

function apiServerReady(access: ControlPlaneAccess, signal: AbortSignal): Promise<unknown> {
  const look = async () => (await access.api.call('GET', '/readyz', undefined, { signal })).status === 200;
  return waitFor(look, { within: READY_WITHIN_MS, signal, what: 'the API server is ready' });
}

function podsWelcome(access: ControlPlaneAccess, signal: AbortSignal): Promise<unknown> {
  // Without it every pod is refused; that it exists also shows that the controllers run.
  const look = () => access.api.get('/api/v1/namespaces/default/serviceaccounts/default');
  return waitFor(look, { within: READY_WITHIN_MS, signal, what: 'the controllers have made the default service account' });
}
