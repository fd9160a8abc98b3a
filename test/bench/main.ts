import { cordonLatency } from './cordon-latency.ts';
import { cordonWrites } from './cordon-writes.ts';
import { drainFleet } from './drain-fleet.ts';
import { drain10Budget, drain100, drain500 } from './drains.ts';
import { type Figure, note } from './figure.ts';
import { finished } from './finished.ts';
import { firstBlocker } from './first-blocker.ts';
import { idle } from './idle.ts';
import { idleCrowd } from './idle-crowd.ts';
import { sessionBurst, sessionIdle, sessionWrites } from './session-crowd.ts';
import { sessionLatency } from './session-latency.ts';
import { start } from './start.ts';
import { takeOver } from './take-over.ts';

const figures: readonly Figure[] = [
  drain100,
  drain10Budget,
  drainFleet,
  drain500,
  cordonLatency,
  cordonWrites,
  firstBlocker,
  idle,
  idleCrowd,
  finished,
  start,
  takeOver,
  sessionLatency,
  sessionWrites,
  sessionBurst,
  sessionIdle,
];

const help = `Usage: node test/bench/main.ts [name …]

Measures the bundled operator (make bundle) on a real control plane and prints one JSON line per figure.
A missed goal is printed and is no failure; the exit code is 1 when something could not be measured.

${figures.map(({ name, lines }) => `  ${[...new Set([name, ...lines])].join(', ')}`).join('\n')}
`;

/** Measures what was asked for, one after another, and returns the exit code. */
async function main(names: readonly string[]): Promise<number> {
  if (names.includes('--help')) {
    process.stdout.write(help);
    return 0;
  }
  const unknown = names.filter((name) => !figures.some((figure) => answersTo(figure, name)));
  if (unknown.length > 0) {
    process.stderr.write(`no figure is called ${unknown.join(', ')}\n\n${help}`);
    return 2;
  }
  let code = 0;
  for (const figure of figures.filter((each) => names.length === 0 || names.some((name) => answersTo(each, name)))) {
    try {
      for (const line of await figure.measure()) process.stdout.write(`${JSON.stringify(line)}\n`);
    } catch (error) {
      code = 1;
      note(`${figure.name} could not be measured: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    }
  }
  return code;
}

function answersTo({ name, lines }: Figure, asked: string): boolean {
  return name === asked || lines.includes(asked);
}

// Through `exit`, so that the operator of a measurement goes with this process.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
process.exitCode = await main(process.argv.slice(2));
