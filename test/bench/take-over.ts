import { waitFor } from '../cluster/wait-for.ts';
import { actionsOf, inPhase } from '../scenarios/objects.ts';
import type { OperatorProcess } from '../scenarios/operator-process.ts';
import { type Figure, type Line, note, percentile, round } from './figure.ts';
import { NAMESPACE, type Rig, withRig } from './rig.ts';

/** BENCH_ROUNDS asks for another number of kills and of clean stops than 20. */
const ROUNDS = Number(process.env.BENCH_ROUNDS || 20);
const lines = ['take-over-killed-p50', 'take-over-killed-p99', 'take-over-stopped-p50', 'take-over-stopped-p99'] as const;
const GOALS = { SIGKILL: 20, SIGTERM: 3 } as const;

/**
 * From the signal that ends the leader until the other replica has carried out an action that was asked for in the same moment: with the default lease,
 * after a kill and after a clean stop.
 */
export const takeOver: Figure = { name: 'take-over', lines, measure: () => withRig({}, measure) };

async function measure(rig: Rig): Promise<Line[]> {
  const replicas = new Replicas(rig);
  try {
    await replicas.add();
    await replicas.add();
    const killed = await rounds(rig, replicas, 'SIGKILL');
    const stopped = await rounds(rig, replicas, 'SIGTERM');
    const line = (figure: string, values: readonly number[], percent: number, most: number): Line => {
      const ours = percentile(values, percent);
      return { figure, ours: round(ours), unit: 's', peer: null, floor: null, goal: `<= ${most} s`, met: ours <= most };
    };
    return [
      line(lines[0], killed, 50, GOALS.SIGKILL),
      line(lines[1], killed, 99, GOALS.SIGKILL),
      line(lines[2], stopped, 50, GOALS.SIGTERM),
      line(lines[3], stopped, 99, GOALS.SIGTERM),
    ];
  } finally {
    await replicas.end();
  }
}

async function rounds(rig: Rig, replicas: Replicas, signal: keyof typeof GOALS): Promise<readonly number[]> {
  const actions = actionsOf(rig.cp, NAMESPACE);
  const seconds: number[] = [];
  for (let repetition = 1; repetition <= ROUNDS; repetition++) {
    const name = `${signal.toLowerCase()}-${repetition}`;
    const leader = await replicas.leader();
    const endedAt = performance.now();
    // Not waited for: a clean stop may take longer than the hand-over.
    const gone = leader.stop(signal);
    await actions.create(name, { action: 'Label', label: { kind: 'Node', name: rig.nodes[0] ?? '', set: { 'bench/round': name } } });
    await waitFor(async () => inPhase('Succeeded')(await actions.get(name)), { within: 60_000, every: 10, what: `${name} is done` });
    seconds.push((performance.now() - endedAt) / 1000);
    note(`take-over ${signal} ${repetition}/${ROUNDS}: ${seconds.at(-1)?.toFixed(3)} s`);
    await gone;
    await replicas.replace(leader);
  }
  return seconds;
}

/** Two operators of one namespace, as a Deployment keeps them: one that ends is replaced by another one. */
class Replicas {
  readonly #rig: Rig;
  readonly #running = new Set<OperatorProcess>();
  #made = 0;

  constructor(rig: Rig) {
    this.#rig = rig;
  }

  async add(): Promise<void> {
    const pod = `replica-${++this.#made}`;
    const operator = await this.#rig.operator({ POD_NAME: pod, POD_UID: pod });
    this.#running.add(operator);
    await operator.ready();
  }

  async leader(): Promise<OperatorProcess> {
    return waitFor(
      async () => {
        for (const each of this.#running) if ((await each.fetch('/readyz')).body.includes('leader: this process leads')) return each;
        return undefined;
      },
      { what: 'one leads' },
    );
  }

  async replace(ended: OperatorProcess): Promise<void> {
    this.#running.delete(ended);
    await this.add();
  }

  async end(): Promise<void> {
    await Promise.all([...this.#running].map((each) => each.stop('SIGKILL')));
  }
}
