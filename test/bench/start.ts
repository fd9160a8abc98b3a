import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createDeployment } from '../cluster/workloads.ts';
import { type Figure, type Line, median, note, round } from './figure.ts';
import { NODE_FLAGS } from './operator-process.ts';
import { PODS, type Rig, withRig } from './rig.ts';

const REPETITIONS = 5;
const GOAL_SECONDS = 1;

/** From the start of the process until its first poll was answered and it is ready: 10 nodes, 100 pods; the first start also makes its backend. */
export const start: Figure = { name: 'start', lines: ['start'], measure: () => withRig({}, measure) };

async function measure(rig: Rig): Promise<Line[]> {
  await createDeployment(rig.cp, { namespace: PODS, name: 'quiet', replicas: 100 });
  const ours: number[] = [];
  const floor: number[] = [];
  for (let repetition = 1; repetition <= REPETITIONS; repetition++) {
    floor.push(await bareNode());
    ours.push(await oneStart(rig));
    note(`start ${repetition}/${REPETITIONS}: ${ours.at(-1)?.toFixed(3)} s; Node alone ${floor.at(-1)?.toFixed(3)} s`);
  }
  const seconds = median(ours);
  const line = { figure: 'start', ours: round(seconds), unit: 's', peer: null, floor: round(median(floor)) };
  return [{ ...line, goal: `<= ${GOAL_SECONDS} s`, met: seconds <= GOAL_SECONDS }];
}

async function oneStart({ backend, operator }: Rig): Promise<number> {
  const known = backend.heard.polls.length;
  await using process = await operator();
  const polled = backend.waitFor(() => backend.heard.polls[known], 'the first poll', 30_000);
  const [{ at }, readyAt] = await Promise.all([polled, process.ready()]);
  note(`  polled after ${(at - process.startedAt).toFixed(0)} ms, ready after ${(readyAt - process.startedAt).toFixed(0)} ms`);
  return (Math.max(at, readyAt) - process.startedAt) / 1000;
}

/** Seconds for Node to start, run nothing and end. */
async function bareNode(): Promise<number> {
  const began = performance.now();
  await once(spawn(process.execPath, [...NODE_FLAGS, '--eval', ''], { stdio: 'ignore' }), 'exit');
  return (performance.now() - began) / 1000;
}
