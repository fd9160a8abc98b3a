import { setTimeout as sleep } from 'node:timers/promises';
import { cordonsPaced } from './cordon-latency.ts';
import { type Figure, type Line, median, note, round } from './figure.ts';
import { observeIdle } from './idle.ts';
import { processorSeconds } from './process-facts.ts';
import { type Rig, withRig } from './rig.ts';
import { makeFinished } from './stored-actions.ts';

const COUNT = 10_000;
const TASKS = 100;
const MOST_TIMES = 1.2;
const SETTLE_MS = 10_000;
const lines = ['finished-10000', 'finished-10000-work', 'finished-10000-memory', 'finished-10000-cpu'] as const;

/** A Cordon from the task to its result, and the processor time it takes the operator, beside ten thousand finished objects that a GitOps tool keeps, and what those cost at rest. */
export const finished: Figure = { name: 'finished-10000', lines, measure: () => withRig({ audit: true }, measure) };

async function measure(rig: Rig): Promise<Line[]> {
  const without = await cordons(rig, 'few');
  await makeFinished(rig, COUNT, true);
  const among = await cordons(rig, 'many');
  const times = among.milliseconds / without.milliseconds;
  const information = { unit: 'MB', peer: null, floor: round(without.memory, 1), goal: null, met: null };
  return [
    {
      figure: lines[0],
      ours: round(among.milliseconds, 1),
      unit: 'ms',
      peer: null,
      floor: round(without.milliseconds, 1),
      goal: `<= ${MOST_TIMES} x without them`,
      met: times <= MOST_TIMES,
      ratio: round(times, 2),
    },
    {
      figure: lines[1],
      ours: round(among.work, 2),
      ...information,
      unit: 'ms',
      floor: round(without.work, 2),
      ratio: round(among.work / without.work, 2),
    },
    { figure: lines[2], ours: round(among.memory, 1), ...information },
    { figure: lines[3], ours: round(among.cores, 4), ...information, unit: 'cores', floor: round(without.cores, 4) },
  ];
}

async function cordons(rig: Rig, name: string) {
  await using operator = await rig.operator();
  const readyAt = await operator.ready();
  note(`finished-10000, ${name}: ready after ${((readyAt - operator.startedAt) / 1000).toFixed(2)} s`);
  await rig.backend.socketOpen();
  await sleep(SETTLE_MS);
  // The first ones also pay for code that has never run.
  await cordonsPaced(rig, 10, `${name}-first`);
  const used = await processorSeconds(operator.pid);
  const milliseconds = median(await cordonsPaced(rig, TASKS, name));
  const work = ((await processorSeconds(operator.pid)) - used) * (1000 / TASKS);
  const { memory, cores } = await observeIdle(rig, operator.pid);
  note(
    `finished-10000, ${name}: ${milliseconds.toFixed(1)} ms, ${work.toFixed(2)} ms of processor, ${memory.toFixed(1)} MB, ${cores.toFixed(4)} cores`,
  );
  return { milliseconds, work, memory, cores };
}
