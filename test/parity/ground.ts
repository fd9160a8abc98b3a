import { afterAll, beforeAll } from 'vitest';
import type { ActionContext, Plan, Progress } from '../../operator/actions/action.ts';
import { drain } from '../../operator/actions/drain/drain.ts';
import { connectLive, type Live, type RunOptions } from '../actions/live.ts';
import { getNode } from '../cluster/nodes.ts';
import { controlPlane, tenant } from '../cluster/shared.ts';
import type { Tenant } from '../cluster/tenant.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { type Pod, podsOnNode } from '../cluster/workloads.ts';

/** More members of a pod. */
export interface PodMore {
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly spec?: Readonly<Record<string, unknown>>;
}

type DrainParams = Omit<Parameters<typeof drain.params.parse>[0] & object, 'nodeName'>;

/** One node with pods of its own, to be drained. */
export interface Ground {
  readonly t: Tenant;
  readonly node: string;
  readonly uid: string;
  /** Makes a pod on the node, past the scheduler, and resolves when the watch shows it as asked for; running unless told. */
  pod(name: string, more?: PodMore, seen?: 'running' | 'there'): Promise<void>;
  /** Drains the node to the end, with the rights of a cluster administrator. */
  drain(params?: DrainParams, options?: Partial<RunOptions>): ReturnType<Live['run']>;
  /** What the drain would do. */
  plan(params?: DrainParams): Promise<Plan>;
  /** What the actions wrote on this ground, in order. */
  writes(): readonly string[];
  /** The names of the pods of this ground's namespace on the node, sorted. */
  left(): Promise<readonly string[]>;
}

/** The connection of all tests of a file. */
export function useLive(): { live: Live; ground(name: string): Promise<Ground> } {
  const grounds: Ground[] = [];
  const ground = async (name: string) => {
    const prepared = await prepare(made.live, name);
    grounds.push(prepared);
    return prepared;
  };
  const made = { live: undefined as unknown as Live, ground };
  beforeAll(async () => {
    made.live = await connectLive(controlPlane.kubeconfig);
  });
  afterAll(async () => {
    await Promise.all(grounds.splice(0).map(letGo));
    await made.live[Symbol.asyncDispose]();
  });
  return made;
}

/** A ground seen through another connection, such as one with fewer rights. */
export function through(live: Live, ground: Ground): Ground {
  return look(live, ground.t, ground.node, ground.uid);
}

/** The plan of an action, made with nothing before it. */
export function planContext(live: Live, targetUID: string): ActionContext {
  const signal = new AbortController().signal;
  const now = new Date();
  return { cluster: live.cluster, now, startedAt: now, signal, targetUID, actor: 'cloudoptim/plan', before: { result: {}, blockers: [] } };
}

/** The blockers that any of the passes showed. */
export function blockersIn(passes: readonly Progress[]) {
  return passes.flatMap((progress) => ('blockers' in progress ? (progress.blockers ?? []) : []));
}

/** Takes the finalizers of all pods, so that the namespace can go. */
async function letGo({ t: { namespace } }: Ground): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const { items } = await controlPlane.api.get<{ items: { metadata: { name: string; finalizers?: string[] } }[] }>(path);
  const held = items.filter(({ metadata }) => metadata.finalizers);
  await Promise.all(held.map(({ metadata }) => controlPlane.api.patch(`${path}/${metadata.name}`, { metadata: { finalizers: null } })));
}

async function prepare(live: Live, name: string): Promise<Ground> {
  const t = await tenant(name);
  const [node = ''] = await t.createNodes(1);
  await waitFor(() => live.cluster.view.node(node), { what: `the watch shows ${node}` });
  return look(live, t, node, (await getNode(controlPlane, node)).metadata.uid);
}

function look(live: Live, t: Tenant, node: string, uid: string): Ground {
  const { namespace } = t;
  return {
    t,
    node,
    uid,
    pod: async (name, more = {}, seen = 'running') => {
      const spec = { nodeName: node, containers: [{ name: 'main', image: 'example.invalid/none' }], ...more.spec };
      const path = `/api/v1/namespaces/${namespace}/pods`;
      const made = await controlPlane.api.create<Pod>(path, { metadata: { name, ...more.metadata }, spec });
      const isSeen = () => {
        const pod = live.cluster.view.pod(namespace, name);
        // Not the one that had the name before, which the watch may still show.
        return pod?.uid === made.metadata.uid && (seen !== 'running' || pod.phase === 'Running');
      };
      await waitFor(isSeen, { what: `the watch shows ${namespace}/${name} ${seen}` });
    },
    drain: (params, options) => live.run(drain, { nodeName: node, ...params } as never, { targetUID: uid, ...options }),
    plan: (params) => drain.plan(drain.params.parse({ nodeName: node, ...params }), planContext(live, uid)),
    writes: () => live.writes.filter((line) => line.includes(namespace)),
    left: async () => {
      const pods = (await podsOnNode(controlPlane, node)).filter((pod) => pod.metadata.namespace === namespace);
      return pods.map((pod) => pod.metadata.name).sort();
    },
  };
}
