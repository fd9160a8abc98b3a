import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { createDeployment } from '../cluster/workloads.ts';
import { type Figure, type Line, median, note, round } from './figure.ts';
import { NODE_FLAGS } from './operator-process.ts';
import { processorSeconds, residentMB } from './process-facts.ts';
import { type AuditEvent, PODS, type Rig, withRig } from './rig.ts';

const REPETITIONS = 3;
const SETTLE_MS = 30_000;
const WINDOW_MS = 60_000;
const lines = ['idle-memory', 'idle-cpu', 'idle-requests'] as const;

/** What a process costs while nothing happens. */
interface Idle {
  readonly memory: number;
  readonly cores: number;
  readonly perMinute: number;
}

/** What the operator costs while there is nothing to do: 10 nodes, 100 pods, a backend at its default intervals. */
export const idle: Figure = { name: 'idle', lines, measure: () => withRig({ audit: true }, measure) };

async function measure(rig: Rig): Promise<Line[]> {
  await createDeployment(rig.cp, { namespace: PODS, name: 'quiet', replicas: 100 });
  const runs: Idle[] = [];
  for (let repetition = 1; repetition <= REPETITIONS; repetition++) {
    const run = await oneProcess(rig);
    runs.push(run);
    const { memory, cores, perMinute } = run;
    note(
      `idle ${repetition}/${REPETITIONS}: ${memory.toFixed(1)} MB, ${cores.toFixed(4)} cores, ${perMinute.toFixed(1)} requests a minute`,
    );
  }
  const of = (member: keyof Idle) => median(runs.map((run) => run[member]));
  const line = (figure: string, ours: number, unit: string, floor: number | null, most: number): Line => {
    return { figure, ours, unit, peer: null, floor, goal: `<= ${most} ${unit}`, met: ours <= most };
  };
  return [
    line(lines[0], round(of('memory'), 1), 'MB', round(await bareNodeMB(), 1), 80),
    line(lines[1], round(of('cores'), 4), 'cores', null, 0.003),
    line(lines[2], round(of('perMinute'), 1), 'requests/min', 0, 0),
  ];
}

async function oneProcess(rig: Rig): Promise<Idle> {
  await using operator = await rig.operator();
  await operator.ready();
  await rig.backend.socketOpen();
  return observeIdle(rig, operator.pid);
}

/** Lets the operator settle for half a minute and looks on for a whole one; the renewal of watches and of a Lease is no request. */
export async function observeIdle(rig: Rig, pid: number): Promise<Idle> {
  await sleep(SETTLE_MS);
  const before = new Set((await rig.requests()).map(({ auditID }) => auditID));
  const [began, used] = [performance.now(), await processorSeconds(pid)];
  await sleep(WINDOW_MS);
  const [ended, now] = [performance.now(), await processorSeconds(pid)];
  const requests = (await rig.requests()).filter(({ auditID }) => !before.has(auditID));
  const renewals = requests.filter(({ verb }) => verb === 'watch');
  const others = requests.filter(({ verb, objectRef }) => verb !== 'watch' && objectRef?.resource !== 'leases');
  note(`idle: ${renewals.length} watches were renewed${others.length > 0 ? `; also ${counted(others.map(said)).join(', ')}` : ''}`);
  return {
    memory: await residentMB(pid),
    cores: (now - used) / ((ended - began) / 1000),
    perMinute: others.length / ((ended - began) / 60_000),
  };
}

/** Each text once, with how often it was there. */
function counted(texts: readonly string[]): string[] {
  return [...Map.groupBy(texts, (text) => text)].map(([text, all]) => (all.length === 1 ? text : `${all.length} x ${text}`));
}

function said({ verb, requestURI, responseStatus }: AuditEvent): string {
  return `${verb} ${requestURI} (${responseStatus?.code})`;
}

/** Node itself with the same flags and nothing to run. */
async function bareNodeMB(): Promise<number> {
  const child = spawn(process.execPath, [...NODE_FLAGS, '--eval', 'setInterval(() => {}, 1e6)'], { stdio: 'ignore' });
  await once(child, 'spawn');
  await sleep(2000);
  try {
    return await residentMB(child.pid ?? 0);
  } finally {
    child.kill('SIGKILL');
  }
}
