import { setTimeout as sleep } from 'node:timers/promises';
import { getNode } from '../cluster/nodes.ts';
import { setSchedulable } from './crowd.ts';
import { type Figure, type Line, median, note, percentile, round } from './figure.ts';
import { RawApi } from './raw-api.ts';
import { type Rig, withRig } from './rig.ts';

const REPETITIONS = 3;
const TASKS = 200;
/** kubectl takes longer, and its times spread little. */
const KUBECTL_CALLS = 30;
const lines = ['cordon-p50', 'cordon-p99', 'cordon-burst-200'] as const;

/** Cordon tasks over the socket until the result is at the backend: one after another, and 200 at once on as many nodes. */
export const cordonLatency: Figure = { name: 'cordon-latency', lines, measure: () => withRig({}, measure) };

async function measure(rig: Rig): Promise<Line[]> {
  await using operator = await rig.operator();
  await operator.ready();
  await rig.backend.socketOpen();
  await using api = await RawApi.connect(rig.cp, 1);
  const ours: number[][] = [];
  const floor: number[][] = [];
  for (let repetition = 1; repetition <= REPETITIONS; repetition++) {
    floor.push(await paced(rig, TASKS, (node) => rawCordon(api, node)));
    ours.push(await cordonsPaced(rig, TASKS, `cordon-${repetition}`));
    note(`cordon-latency ${repetition}/${REPETITIONS}: ours ${said(ours.at(-1))}; floor ${said(floor.at(-1))}`);
  }
  const kubectl = await paced(rig, KUBECTL_CALLS, (node) => kubectlCordon(rig, node));
  note(`cordon-latency: kubectl cordon ${said(kubectl)}`);
  const line = (figure: string, percent: number, most: number): Line => {
    const of = (runs: readonly number[][]) => median(runs.map((times) => percentile(times, percent)));
    const [mine, least] = [of(ours), of(floor)];
    const common = { peer: round(percentile(kubectl, percent), 1), floor: round(least, 1), goal: `<= ${most} ms`, met: mine <= most };
    return { figure, ours: round(mine, 1), unit: 'ms', ...common, peerName: 'kubectl cordon', ratio: round(mine / least, 2) };
  };
  const bursts = [];
  for (let repetition = 1; repetition <= REPETITIONS; repetition++) bursts.push(await burst(rig, `burst-${repetition}`));
  const burstLine = { figure: lines[2], ours: round(median(bursts)), unit: 's', peer: null, floor: null, goal: null, met: null };
  return [line(lines[0], 50, 40), line(lines[1], 99, 150), burstLine];
}

/** Milliseconds of so many cordon tasks, one after another, until the result is at the backend. */
export function cordonsPaced(rig: Rig, count: number, name: string): Promise<number[]> {
  return paced(rig, count, (node, index) => rig.run(`${name}-${index}`, 'cordon_node', node));
}

/** Milliseconds of each cordon, one in flight, over all nodes round and round; between the rounds the nodes are opened again, unmeasured. */
async function paced(rig: Rig, count: number, cordon: (node: string, index: number) => Promise<number>): Promise<number[]> {
  const times: number[] = [];
  for (let index = 0; index < count; index++) {
    const turn = index % rig.nodes.length;
    if (turn === 0) {
      await setSchedulable(rig, rig.nodes, true);
      // The operator learns of it by its watch.
      await sleep(200);
    }
    const node = rig.nodes[turn] ?? '';
    times.push(await cordon(node, index));
    if (!(await getNode(rig.cp, node)).spec.unschedulable) throw new Error(`${node} is not cordoned`);
  }
  return times;
}

async function rawCordon(api: RawApi, node: string): Promise<number> {
  const began = performance.now();
  await api.call('PATCH', `/api/v1/nodes/${node}`, { spec: { unschedulable: true } });
  await api.call('GET', `/api/v1/nodes/${node}`);
  return performance.now() - began;
}

async function kubectlCordon(rig: Rig, node: string): Promise<number> {
  const began = performance.now();
  const { code, stderr } = await rig.cp.kubectl(['cordon', node]);
  if (code !== 0) throw new Error(`kubectl cordon failed: ${stderr.trim()}`);
  return performance.now() - began;
}

/** Seconds from the first push until the last of the results; the nodes are bare objects that live for this only. */
async function burst(rig: Rig, name: string): Promise<number> {
  const nodes = Array.from({ length: TASKS }, (_, index) => `${name}-${index}`);
  await Promise.all(nodes.map((node) => rig.cp.api.create('/api/v1/nodes', { metadata: { name: node } })));
  // Until the controllers have written their taints.
  await sleep(5000);
  const began = performance.now();
  await Promise.all(nodes.map((node) => rig.run(node, 'cordon_node', node)));
  const seconds = (performance.now() - began) / 1000;
  await Promise.all(nodes.map((node) => rig.cp.api.remove(`/api/v1/nodes/${node}`)));
  note(`cordon-latency: ${TASKS} tasks at once ${seconds.toFixed(2)} s`);
  return seconds;
}

function said(times: readonly number[] = []): string {
  return [50, 90, 99, 100].map((percent) => `p${percent} ${percentile(times, percent).toFixed(1)} ms`).join(', ');
}
