import { isDeepStrictEqual } from 'node:util';
import { getNode } from '../cluster/nodes.ts';
import { listPods } from '../cluster/workloads.ts';
import { condition, type Stored } from '../scenarios/objects.ts';
import { type Stage, sessionsPath } from './stage.ts';

/** How a case must stand when it is over, wherever the process was killed. */
export interface Ending {
  /** The phase of the object; absent where it is gone, or there never is one. */
  readonly phase?: string;
  /** Why Ready is as it is; absent where that does not matter. */
  readonly reason?: string;
  /** `status` of the one result that the backend has; absent where nobody is told. */
  readonly result?: string;
  /** What was changed in the cluster, in any order: exactly one of these. */
  readonly writes: readonly (readonly string[])[];
  /** True: a write may come again after a kill, because it changes nothing then. */
  readonly mayRepeat?: true;
  /** The session that must be in this phase, with or without its workload; where it is absent there must be neither. */
  readonly session?: { readonly name: string; readonly phase: string; readonly workload: boolean };
  /** Whether the node is left cordoned. */
  readonly cordoned: boolean;
  /** Pods that must be gone. */
  readonly gone?: readonly string[];
  /** What the result must not say, as a sentence; undefined when it tells the truth. */
  readonly lie?: (result: Readonly<Record<string, unknown>>) => string | undefined;
}

/** One thing that an operator does from its first call to its last. */
export interface Case {
  readonly name: string;
  /** Where calls count only once the play has started an operator anew. */
  readonly fromStart?: true;
  /** Plays it to its end; killed operators are replaced meanwhile. */
  readonly play: (stage: Stage) => Promise<Ending>;
}

/** All that is not as it must be, one sentence each. */
export async function violations(stage: Stage, ending: Ending): Promise<readonly string[]> {
  return [
    ...objectFaults(stage.last, ending),
    ...resultFaults(stage, ending),
    ...(await clusterFaults(stage, ending)),
    ...(await sessionFaults(stage, ending)),
  ];
}

function objectFaults(object: Stored | undefined, { phase, reason, lie }: Ending): string[] {
  const faults: string[] = [];
  const because = object && condition(object, 'Ready');
  if (phase !== undefined && object?.status?.phase !== phase)
    faults.push(`the phase is ${object?.status?.phase}, not ${phase}: ${because?.message}`);
  if (reason !== undefined && because?.reason !== reason)
    faults.push(`the reason is ${because?.reason}, not ${reason}: ${because?.message}`);
  const untrue = object?.status?.result && lie?.(object.status.result);
  if (untrue) faults.push(`${untrue}: ${JSON.stringify(object?.status?.result)}`);
  return faults;
}

function resultFaults({ results, taskID, last }: Stage, { result }: Ending): string[] {
  if (taskID === undefined) return [];
  const [first, ...others] = results;
  if (!first) return result === undefined ? [] : ['the backend has no result'];
  const faults: string[] = [];
  if (first.status !== result) faults.push(`the result is ${first.status}, not ${result}: ${first.logs}`);
  const differs = others.find((each) => !isDeepStrictEqual(each, first));
  if (differs) faults.push(`the backend has different results: ${JSON.stringify(first)} and ${JSON.stringify(differs)}`);
  const { action: _, reason: __, ...metadata } = first.metadata;
  if (last?.status?.result && !isDeepStrictEqual(metadata, last.status.result))
    faults.push('the backend was told another result than the object');
  return faults;
}

async function clusterFaults(stage: Stage, { writes, mayRepeat, cordoned, gone = [] }: Ending): Promise<string[]> {
  const faults: string[] = [];
  const all = await stage.writes();
  const done = (mayRepeat ? [...new Set(all)] : all).toSorted();
  if (!writes.some((each) => isDeepStrictEqual(each.toSorted(), done)))
    faults.push(`changed: ${done.join(', ') || 'nothing'}; not: ${writes.map((each) => each.join(', ') || 'nothing').join(' or ')}`);
  const node = await getNode(stage.lane.cp, stage.node);
  if ((node.spec.unschedulable ?? false) !== cordoned) faults.push(cordoned ? 'the node is not cordoned' : 'the node is left cordoned');
  const marks = Object.keys(node.metadata.annotations ?? {}).filter((name) => name.startsWith('cloudoptim.io/'));
  if (!cordoned && marks.length > 0) faults.push(`the node keeps ${marks.join(', ')}`);
  const left = (await listPods(stage.lane.cp, stage.lane.namespace)).map(({ metadata }) => metadata.name);
  for (const pod of gone) if (left.includes(pod)) faults.push(`pod ${pod} is still there`);
  const leases = `/apis/coordination.k8s.io/v1/namespaces/${stage.lane.namespace}/leases`;
  const { items } = await stage.lane.cp.api.get<{ items: unknown[] }>(leases);
  if (items.length > 1) faults.push(`${items.length} leases are left`);
  return faults;
}

async function sessionFaults({ lane }: Stage, { session }: Ending): Promise<string[]> {
  if (!session) return [];
  const { name, phase, workload } = session;
  const [found, deployment] = await Promise.all([
    lane.cp.api.call<Stored>('GET', `${sessionsPath(lane.namespace)}/${name}`),
    lane.cp.api.call('GET', `/apis/apps/v1/namespaces/${lane.namespace}/deployments/${name}`),
  ]);
  const faults: string[] = [];
  if (found.status === 200 && found.body.status?.phase !== phase) faults.push(`the session is ${found.body.status?.phase}, not ${phase}`);
  if (found.status !== 200 && workload) faults.push('there is no session');
  if ((deployment.status === 200) !== workload) faults.push(workload ? 'the session has no Deployment' : 'a Deployment is left');
  return faults;
}
