import { existsSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Line, note } from '../bench/figure.ts';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { applyCrds } from '../cluster/crds.ts';
import { createTenant } from '../cluster/tenant.ts';
import { AuditTail } from './audit-tail.ts';
import { describePoint } from './call.ts';
import type { Case } from './case.ts';
import { cases } from './cases.ts';
import { Lane } from './lane.ts';
import { describeFailure, type Swept, sweep } from './sweep.ts';

const BUNDLE = join(import.meta.dirname, '../../dist/main.cjs');

const help = `Usage: node test/sweep/main.ts [--every N] [--lanes N] [case …]

Kills the bundled operator (make bundle) with SIGKILL before and after every call it makes to the API server and to
the backend, one process per point, restarts it and looks at what became of the task and of the cluster.
One line per case, then one JSON line per case; the exit code is 1 when anything did not survive.

  --every N  only every Nth point of each case (default 1: all of them)
  --lanes N  so many operators side by side (default 3)

${cases.map(({ name }) => `  ${name}`).join('\n')}
`;

interface Options {
  readonly chosen: readonly Case[];
  readonly every: number;
  readonly lanes: number;
}

/** Sweeps what was asked for, and returns the exit code. */
async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: {
      help: { type: 'boolean', default: false },
      every: { type: 'string', default: '1' },
      lanes: { type: 'string', default: '3' },
    },
    allowPositionals: true,
  });
  const unknown = positionals.filter((name) => !cases.some((each) => each.name === name));
  const [every, lanes] = [Number(values.every), Number(values.lanes)];
  const wrong = unknown.length > 0 || ![every, lanes].every((count) => Number.isInteger(count) && count > 0);
  if (wrong || values.help) {
    if (unknown.length > 0) process.stderr.write(`no case is called ${unknown.join(', ')}\n\n`);
    process.stdout.write(help);
    return wrong ? 2 : 0;
  }
  if (!existsSync(BUNDLE)) throw new Error(`${BUNDLE} is missing: run make bundle first`);
  const chosen = cases.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  note('starting a control plane');
  const cp = await startControlPlane({ audit: true });
  try {
    await applyCrds(cp);
    return await run(cp, { chosen, every, lanes });
  } finally {
    await cp.close();
  }
}

async function run(cp: ControlPlane, { chosen, every, lanes: count }: Options): Promise<number> {
  const audit = new AuditTail(cp);
  const open = async (_: unknown, index: number) =>
    Lane.open({ cp, audit, main: BUNDLE, tenant: await createTenant(cp, `sweep-${index + 1}`) });
  const lanes = await Promise.all(Array.from({ length: count }, open));
  const logs = await mkdtemp(join(tmpdir(), 'sweep-'));
  const all: Swept[] = [];
  for (const each of chosen) {
    const swept = await sweep(each, lanes, every);
    all.push(swept);
    process.stdout.write(`${lineOf(swept)}\n`);
    for (const point of swept.missed) process.stdout.write(`  did not come again: ${describePoint(point)}\n`);
    for (const [index, failure] of swept.failures.entries()) {
      const log = join(logs, `${each.name}-${index + 1}.log`);
      await writeFile(log, failure.log);
      process.stdout.write(`${describeFailure(each.name, failure, log)}\n`);
    }
  }
  const total = all.reduce(sum, { name: 'all', points: 0, killed: 0, survived: 0, missed: [], failures: [] });
  process.stdout.write(`${lineOf(total)}\n`);
  for (const swept of [...all, total]) process.stdout.write(`${JSON.stringify(figureOf(swept))}\n`);
  await Promise.all(lanes.map((lane) => lane.close()));
  return total.failures.length === 0 ? 0 : 1;
}

function sum(one: Swept, other: Swept): Swept {
  return {
    name: one.name,
    points: one.points + other.points,
    killed: one.killed + other.killed,
    survived: one.survived + other.survived,
    missed: [...one.missed, ...other.missed],
    failures: [...one.failures, ...other.failures],
  };
}

function lineOf({ name, points, killed, survived }: Swept): string {
  const columns = Object.entries({ points, killed, survived }).map(([word, count]) => `${word} ${String(count).padStart(4)}`);
  return `${name.padEnd(16)}${columns.join('  ')}`;
}

/** In the form of the bench. */
function figureOf({ name, killed, survived, failures }: Swept): Line {
  const figure = `crash points swept / survived (${name})`;
  return { figure, ours: survived, unit: `of ${killed}`, peer: null, floor: null, goal: 'all', met: failures.length === 0 };
}

// Through `exit`, so that the operators go with this process.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
try {
  process.exitCode = await main();
} catch (error) {
  note(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exitCode = 1;
}
