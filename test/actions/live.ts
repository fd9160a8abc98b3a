import { setTimeout as sleep } from 'node:timers/promises';
import { KubeConfig } from '@kubernetes/client-node';
import type { z } from 'zod';
import type { ActionContext, ActionDefinition, Progress } from '../../operator/actions/action.ts';
import { projectBudget } from '../../operator/kube/budget.ts';
import { Bus } from '../../operator/kube/bus.ts';
import { Caches } from '../../operator/kube/caches.ts';
import { KubeClient } from '../../operator/kube/client.ts';
import type { Cluster } from '../../operator/kube/cluster.ts';
import { Credentials } from '../../operator/kube/credentials.ts';
import { LiveCluster } from '../../operator/kube/live-cluster.ts';
import { projectNode } from '../../operator/kube/node.ts';
import { projectPod } from '../../operator/kube/pod.ts';
import { BUDGETS, NODES, PODS } from '../../operator/kube/resources.ts';
import { Watches } from '../../operator/kube/watches.ts';
import type { Next } from '../../operator/lib/next.ts';

/** The cluster port on a real API server with what it needs to run, and the loop that a reconciler would be. */
export interface Live extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly bus: Bus;
  /** Calls of the port that write, in order: `patch nodes/n1`, `evict ns/pod`. */
  readonly writes: string[];
  /** Runs the action to its end, pass by pass, as the reconciler does; every progress is returned. */
  run<Schema extends z.ZodObject>(
    definition: ActionDefinition<Schema>,
    params: z.input<Schema>,
    options: RunOptions,
  ): Promise<{ readonly end: Progress; readonly passes: readonly Progress[]; readonly context: ActionContext }>;
}

/** How one action is run. */
interface RunOptions {
  readonly targetUID: string;
  readonly actor?: string;
  readonly startedAt?: Date;
  readonly ownPod?: ActionContext['ownPod'];
  /** Called after every pass with its progress. */
  readonly after?: (progress: Progress) => Promise<void> | void;
  /** Replaces the port at every pass, as a restart would. */
  readonly restart?: boolean;
  /** Called once, after the port was told to patch a workload and before it does. */
  readonly beforeWrite?: () => Promise<unknown>;
}

/** Connects as cluster administrator and waits until the caches are full. */
export async function connectLive(kubeconfig: string): Promise<Live> {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const client = new KubeClient(new Credentials(config));
  const bus = new Bus();
  const view = new Caches(bus);
  const watches = new Watches(client, 120, () => undefined);
  await Promise.all([
    watches.start({ resource: NODES, project: projectNode, store: view.nodeStore }),
    watches.start({ resource: PODS, project: projectPod, store: view.podStore }),
    watches.start({ resource: BUDGETS, project: projectBudget, store: view.budgetStore }),
  ]);
  const writes: string[] = [];
  const fresh = () => recording(new LiveCluster(client, view), writes);
  const cluster = fresh();
  return {
    cluster,
    bus,
    writes,
    run: (definition, params, options) => runToEnd(definition, definition.params.parse(params) as never, options, { fresh, cluster, bus }),
    [Symbol.asyncDispose]: async () => {
      await watches.close();
      await client.close();
    },
  };
}

/** The port itself, with a record of what it wrote. */
function recording(live: LiveCluster, writes: string[]): Cluster {
  const note = <T>(line: string, result: Promise<T>) => {
    writes.push(line);
    return result;
  };
  return {
    view: live.view,
    get: (ref, signal) => live.get(ref, signal),
    getNode: (name, signal) => live.getNode(name, signal),
    getPod: (namespace, name, signal) => live.getPod(namespace, name, signal),
    listPodsOn: (name, selector, signal) => live.listPodsOn(name, selector, signal),
    listAttachedVolumes: (name, signal) => live.listAttachedVolumes(name, signal),
    mergePatch: (ref, patch, signal) => note(`patch ${ref.resource.plural}/${ref.name}`, live.mergePatch(ref, patch, signal)),
    strategicPatch: (ref, patch, signal) => note(`patch ${ref.resource.plural}/${ref.name}`, live.strategicPatch(ref, patch, signal)),
    patchScale: (ref, patch, signal) => note(`patch ${ref.resource.plural}/scale ${ref.name}`, live.patchScale(ref, patch, signal)),
    list: (resource, namespace, selector, signal) => live.list(resource, namespace, selector, signal),
    evict: (pod, grace, signal) => note(`evict ${pod.name}`, live.evict(pod, grace, signal)),
    deletePod: (pod, grace, signal) => note(`delete ${pod.name}`, live.deletePod(pod, grace, signal)),
  };
}

/** The port, with somebody who does something right before its first patch of a workload. */
function meddling(cluster: Cluster, beforeWrite: () => Promise<unknown>): Cluster {
  let meddled: Promise<unknown> | undefined;
  const first = () => {
    meddled ??= beforeWrite();
    return meddled;
  };
  return {
    ...cluster,
    strategicPatch: (ref, patch, signal) => first().then(() => cluster.strategicPatch(ref, patch, signal)),
    patchScale: (ref, patch, signal) => first().then(() => cluster.patchScale(ref, patch, signal)),
  };
}

async function runToEnd<Schema extends z.ZodObject>(
  definition: ActionDefinition<Schema>,
  params: z.output<Schema>,
  { targetUID, actor = 'cloudoptim/test', startedAt = new Date(), ownPod, after, restart, beforeWrite }: RunOptions,
  { fresh, cluster, bus }: { fresh: () => Cluster; cluster: Cluster; bus: Bus },
) {
  const passes: Progress[] = [];
  const meddled = beforeWrite ? meddling(cluster, beforeWrite) : cluster;
  let before: ActionContext['before'] = { result: {}, blockers: [] };
  for (;;) {
    const listening = bus.listen();
    const signal = new AbortController().signal;
    const port = restart ? fresh() : meddled;
    const context: ActionContext = {
      cluster: port,
      now: new Date(),
      signal,
      startedAt,
      targetUID,
      actor,
      before,
      ...(ownPod ? { ownPod } : {}),
    };
    const progress = await definition.execute(params, context);
    passes.push(progress);
    await after?.(progress);
    if (progress.state !== 'running') return { end: progress, passes, context };
    before = { result: progress.result ?? before.result, blockers: progress.blockers ?? [] };
    await untilNext(progress.next, bus, listening);
  }
}

async function untilNext(next: Next, bus: Bus, listening: ReturnType<Bus['listen']>): Promise<void> {
  try {
    if (next.kind === 'settled') throw new Error('a running action asked for nothing more');
    if (next.kind === 'again') return void (await sleep(next.after * 1000));
    if (listening.heard(next.changed)) return;
    const woken = new AbortController();
    const unsubscribe = bus.subscribe(next.changed, () => woken.abort());
    await sleep(next.orAfter * 1000, undefined, { signal: woken.signal }).catch(() => undefined);
    unsubscribe();
  } finally {
    listening.close();
  }
}
