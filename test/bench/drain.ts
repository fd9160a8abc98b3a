import type { ControlPlaneAccess } from '../cluster/access.ts';
import { podsOnNode } from '../cluster/workloads.ts';
import { withCrowd } from './crowd.ts';
import { type Figure, type Line, median, note, round } from './figure.ts';
import { peakMB } from './process-facts.ts';
import { type Rig, withRig } from './rig.ts';

const REPETITIONS = 3;

/** What differs between the drains. */
export interface DrainOptions {
  readonly name: string;
  readonly pods: number;
  /** Whether a budget lets them go one at a time. */
  readonly limited: boolean;
  readonly floor: (cp: ControlPlaneAccess, nodes: readonly string[]) => Promise<number>;
  /** How much faster than kubectl it has to be; undefined: kubectl is not measured. */
  readonly timesKubectl?: number;
  /** The most memory that the operator may ever have had; undefined: not measured. */
  readonly mostMB?: number;
}

/** Drains by the floor, by the operator and by kubectl in turn, each over the same pods on the same node. */
export function drainFigure(options: DrainOptions): Figure {
  const { name, pods, mostMB } = options;
  const lines = mostMB === undefined ? [name] : [name, `${name}-memory`];
  return { name, lines, measure: () => withRig({ podsPerNode: Math.max(250, pods + 50) }, (rig) => measure(rig, options)) };
}

async function measure(rig: Rig, { name, pods, limited, floor, timesKubectl, mostMB }: DrainOptions): Promise<Line[]> {
  await using operator = await rig.operator();
  await operator.ready();
  await rig.backend.socketOpen();
  const node = rig.nodes[0] ?? '';
  const drains = {
    floor: () => floor(rig.cp, [node]),
    ours: async () => (await rig.run(`${name}-${seconds.ours.length}`, 'drain_node', node)) / 1000,
    kubectl: () => kubectlDrain(rig, node),
  };
  const seconds: Record<keyof typeof drains, number[]> = { floor: [], ours: [], kubectl: [] };
  const order = (['floor', 'ours', 'kubectl'] as const).filter((who) => who !== 'kubectl' || timesKubectl !== undefined);
  for (let repetition = 1; repetition <= REPETITIONS; repetition++) {
    for (const who of order) {
      const taken = await withCrowd(rig, node, pods, limited, async () => {
        const time = await drains[who]();
        if ((await podsOnNode(rig.cp, node)).length > 0) throw new Error(`${who} has left pods on ${node}`);
        return time;
      });
      seconds[who].push(taken);
      note(`${name} ${repetition}/${REPETITIONS}: ${who} ${taken.toFixed(3)} s`);
    }
  }
  const [ours, least] = [median(seconds.ours), median(seconds.floor)];
  const peer = timesKubectl === undefined ? null : median(seconds.kubectl);
  const time: Line = {
    figure: name,
    ours: round(ours),
    unit: 's',
    peer: peer === null ? null : round(peer),
    floor: round(least),
    goal: peer === null ? '<= 1.5 x floor' : `<= 1.5 x floor and >= ${timesKubectl} x faster than kubectl drain`,
    met: ours <= 1.5 * least && (peer === null || peer >= (timesKubectl ?? 0) * ours),
    ...(peer === null ? {} : { peerName: 'kubectl drain' }),
    ratio: round(ours / least, 2),
  };
  if (mostMB === undefined) return [time];
  const peak = await peakMB(operator.pid);
  return [
    time,
    { figure: `${name}-memory`, ours: round(peak, 1), unit: 'MB', peer: null, floor: null, goal: `<= ${mostMB} MB`, met: peak <= mostMB },
  ];
}

async function kubectlDrain(rig: Rig, node: string): Promise<number> {
  const began = performance.now();
  const { code, stderr } = await rig.cp.kubectl(['drain', node, '--ignore-daemonsets', '--delete-emptydir-data', '--force']);
  if (code !== 0) throw new Error(`kubectl drain failed: ${stderr.trim()}`);
  return (performance.now() - began) / 1000;
}
