import type { ControlPlaneAccess } from '../cluster/access.ts';
import { podsOnNode } from '../cluster/workloads.ts';
import { withCrowd } from './crowd.ts';
import { type Figure, type Line, median, note, round } from './figure.ts';
import { type Rig, withRig } from './rig.ts';

const REPETITIONS = 3;

/** What differs between the drains: how many pods, whether a budget lets them go one at a time, the floor, and how much faster than kubectl. */
export interface DrainOptions {
  readonly name: string;
  readonly pods: number;
  readonly limited: boolean;
  readonly floor: (cp: ControlPlaneAccess, node: string) => Promise<number>;
  readonly timesKubectl: number;
}

/** Drains by the floor, by the operator and by kubectl in turn, each over the same pods on the same node. */
export function drainFigure(options: DrainOptions): Figure {
  return { name: options.name, lines: [options.name], measure: () => withRig({}, async (rig) => [await measure(rig, options)]) };
}

async function measure(rig: Rig, { name, pods, limited, floor, timesKubectl }: DrainOptions): Promise<Line> {
  await using operator = await rig.operator();
  await operator.ready();
  await rig.backend.socketOpen();
  const node = rig.nodes[0] ?? '';
  const seconds: Record<'floor' | 'ours' | 'kubectl', number[]> = { floor: [], ours: [], kubectl: [] };
  const drains = {
    floor: () => floor(rig.cp, node),
    ours: async () => (await rig.run(`${name}-${seconds.ours.length}`, 'drain_node', node)) / 1000,
    kubectl: () => kubectlDrain(rig, node),
  };
  for (let repetition = 1; repetition <= REPETITIONS; repetition++) {
    for (const who of ['floor', 'ours', 'kubectl'] as const) {
      const taken = await withCrowd(rig, node, pods, limited, async () => {
        const time = await drains[who]();
        if ((await podsOnNode(rig.cp, node)).length > 0) throw new Error(`${who} has left pods on ${node}`);
        return time;
      });
      seconds[who].push(taken);
      note(`${name} ${repetition}/${REPETITIONS}: ${who} ${taken.toFixed(3)} s`);
    }
  }
  const [ours, least, peer] = [median(seconds.ours), median(seconds.floor), median(seconds.kubectl)];
  return {
    figure: name,
    ours: round(ours),
    unit: 's',
    peer: round(peer),
    floor: round(least),
    goal: `<= 1.5 x floor and >= ${timesKubectl} x faster than kubectl drain`,
    met: ours <= 1.5 * least && peer >= timesKubectl * ours,
    peerName: 'kubectl drain',
    ratio: round(ours / least, 2),
  };
}

async function kubectlDrain(rig: Rig, node: string): Promise<number> {
  const began = performance.now();
  const { code, stderr } = await rig.cp.kubectl(['drain', node, '--ignore-daemonsets', '--delete-emptydir-data', '--force']);
  if (code !== 0) throw new Error(`kubectl drain failed: ${stderr.trim()}`);
  return (performance.now() - began) / 1000;
}
