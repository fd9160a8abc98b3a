import { createDeployment } from '../cluster/workloads.ts';
import { type Figure, type Line, round } from './figure.ts';
import { observeIdle } from './idle.ts';
import { PODS, type Rig, withRig } from './rig.ts';
import { makeActions, makeFinished, untilPhases } from './stored-actions.ts';

const FINISHED = 1000;
const SUSPENDED = 250;
/** One drain of each node is held up by a budget, the others wait for it. */
const DRAINS = 250;
const HOUR = 3600;
const lines = ['idle-1500-memory', 'idle-1500-cpu', 'idle-1500-requests'] as const;

/** What the operator costs with 1000 finished and 500 waiting actions: 250 suspended, 10 held up by a budget, 240 queued behind those. */
export const idleCrowd: Figure = { name: 'idle-1500', lines, measure: () => withRig({ audit: true }, measure) };

async function measure(rig: Rig): Promise<Line[]> {
  await createDeployment(rig.cp, { namespace: PODS, name: 'held', replicas: 100, budget: { maxUnavailable: 0 } });
  await makeFinished(rig, FINISHED, false);
  await using operator = await rig.operator();
  await operator.ready();
  await rig.backend.socketOpen();
  const drain = (index: number) => ({ nodeName: rig.nodes[index % rig.nodes.length], timeoutSeconds: 24 * HOUR });
  await makeActions(rig, SUSPENDED, (index) => ({
    metadata: { name: `suspended-${index}` },
    spec: { action: 'Drain', suspend: true, drain: drain(index) },
  }));
  await makeActions(rig, DRAINS, (index) => ({ metadata: { name: `drain-${index}` }, spec: { action: 'Drain', drain: drain(index) } }));
  await untilPhases(rig, { Suspended: SUSPENDED, Running: rig.nodes.length, Queued: DRAINS - rig.nodes.length });
  const { memory, cores, perMinute } = await observeIdle(rig, operator.pid);
  await untilPhases(rig, { Succeeded: FINISHED });
  const line = (figure: string, ours: number, unit: string, most: number): Line => {
    return { figure, ours, unit, peer: null, floor: null, goal: `<= ${most} ${unit}`, met: ours <= most };
  };
  return [
    line(lines[0], round(memory, 1), 'MB', 110),
    line(lines[1], round(cores, 4), 'cores', 0.02),
    line(lines[2], round(perMinute, 1), 'requests/min', 0),
  ];
}
