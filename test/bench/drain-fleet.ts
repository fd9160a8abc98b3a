import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../cluster/wait-for.ts';
import { createDeployment, listPods } from '../cluster/workloads.ts';
import { setSchedulable } from './crowd.ts';
import { budgetFloor } from './drain-floor.ts';
import { type Figure, type Line, median, note, round } from './figure.ts';
import { RawApi } from './raw-api.ts';
import { PODS, type Rig, withRig } from './rig.ts';

const REPETITIONS = 3;
const NODES = 20;
const PODS_PER_NODE = 30;
const BUDGETS = 10;
/** Of the 60 pods of each budget so many may be away. */
const MAX_UNAVAILABLE = 6;
const lines = ['drain-fleet', 'drain-fleet-refusals'] as const;

/** 20 nodes of 30 pods, drained at once behind 10 budgets that have their pods on all of them; as many nodes more take the replacements. */
export const drainFleet: Figure = {
  name: 'drain-fleet',
  lines,
  measure: () => withRig({ audit: true, nodeCount: 2 * NODES, podsPerNode: PODS_PER_NODE }, measure),
};

async function measure(rig: Rig): Promise<Line[]> {
  await using operator = await rig.operator();
  await operator.ready();
  await rig.backend.socketOpen();
  const nodes = rig.nodes.slice(0, NODES);
  const seconds = { floor: [] as number[], ours: [] as number[] };
  const ratios: number[] = [];
  for (let repetition = 1; repetition <= REPETITIONS; repetition++) {
    seconds.floor.push(await withFleet(rig, () => budgetFloor(rig.cp, nodes)));
    note(`drain-fleet ${repetition}/${REPETITIONS}: floor ${seconds.floor.at(-1)?.toFixed(3)} s`);
    const { refused, changes } = await withFleet(rig, () =>
      counted(rig, async () => void seconds.ours.push(await drainAll(rig, nodes, repetition))),
    );
    ratios.push(refused / changes);
    note(
      `drain-fleet ${repetition}/${REPETITIONS}: ours ${seconds.ours.at(-1)?.toFixed(3)} s, ${refused} evictions refused, ${changes} budget changes`,
    );
  }
  const [ours, floor, ratio] = [median(seconds.ours), median(seconds.floor), median(ratios)];
  return [
    {
      figure: lines[0],
      ours: round(ours),
      unit: 's',
      peer: null,
      floor: round(floor),
      goal: '<= 1.5 x floor',
      met: ours <= 1.5 * floor,
      ratio: round(ours / floor, 2),
    },
    {
      figure: lines[1],
      ours: round(ratio, 2),
      unit: 'refused evictions per budget change',
      peer: null,
      floor: 0,
      goal: '<= 2',
      met: ratio <= 2,
    },
  ];
}

async function drainAll(rig: Rig, nodes: readonly string[], repetition: number): Promise<number> {
  const taken = await Promise.all(nodes.map((node) => rig.run(`fleet-${repetition}-${node}`, 'drain_node', node)));
  return Math.max(...taken) / 1000;
}

/** How many evictions of the operator were refused during the work, and how often a budget changed. */
async function counted(rig: Rig, work: () => Promise<void>): Promise<{ refused: number; changes: number }> {
  const refusals = async () =>
    (await rig.requests()).filter(({ objectRef, responseStatus }) => objectRef?.subresource === 'eviction' && responseStatus?.code === 429)
      .length;
  await using api = await RawApi.connect(rig.cp, 1);
  const path = `/apis/policy/v1/namespaces/${PODS}/poddisruptionbudgets`;
  const { body } = await api.call<{ metadata: { resourceVersion: string } }>('GET', path);
  let changes = 0;
  await api.watch<{ metadata: { resourceVersion: string } }>(path, body.metadata.resourceVersion, () => void changes++);
  const before = await refusals();
  await api.guarded(work());
  return { refused: (await refusals()) - before, changes };
}

/** Fills the nodes with the pods of all budgets, does the work with the other nodes open, and takes everything away. */
async function withFleet<T>(rig: Rig, work: () => Promise<T>): Promise<T> {
  const [nodes, others] = [rig.nodes.slice(0, NODES), rig.nodes.slice(NODES)];
  await setSchedulable(rig, nodes, true);
  await setSchedulable(rig, others, false);
  const names = Array.from({ length: BUDGETS }, (_, index) => `fleet-${index + 1}`);
  const replicas = (NODES * PODS_PER_NODE) / BUDGETS;
  const budget = { maxUnavailable: MAX_UNAVAILABLE };
  await Promise.all(names.map((name) => createDeployment(rig.cp, { namespace: PODS, name, replicas, budget })));
  await setSchedulable(rig, others, true);
  await sleep(1000);
  const result = await work();
  const left = (await listPods(rig.cp, PODS)).filter(({ spec }) => nodes.includes(spec.nodeName ?? ''));
  if (left.length > 0) throw new Error(`${left.length} pods were left on the drained nodes`);
  for (const name of names) {
    await rig.cp.api.remove(`/apis/policy/v1/namespaces/${PODS}/poddisruptionbudgets/${name}`);
    await rig.cp.api.remove(`/apis/apps/v1/namespaces/${PODS}/deployments/${name}`);
  }
  await waitFor(async () => (await listPods(rig.cp, PODS)).length === 0, {
    within: 120_000,
    what: 'the pods of the last repetition are gone',
  });
  return result;
}
