import { waitFor } from '../cluster/wait-for.ts';
import { type Call, describePoint, type Point } from './call.ts';
import { type Case, type Ending, violations } from './case.ts';
import type { Lane } from './lane.ts';
import { Stage } from './stage.ts';

/** A call that is only a question for news is the same the hundredth time. */
const MOST_OF_A_KIND: Readonly<Record<string, number>> = { 'backend GET tasks': 3 };

/** A poll or a note about the backend falls into some tries and not into others. */
const TRIES = 2;

/** One try that did not survive. */
export interface Failure {
  /** Where the process was killed; absent for the try without a kill. */
  readonly point?: Point;
  readonly faults: readonly string[];
  /** What the operators said. */
  readonly log: string;
}

/** What became of one case. */
export interface Swept {
  readonly name: string;
  /** Where it was to be killed: before and after each call of the try without a kill. */
  readonly points: number;
  /** Where it was killed. */
  readonly killed: number;
  readonly survived: number;
  /** Points that did not come again: a look that fell into the trial by chance. */
  readonly missed: readonly Point[];
  readonly failures: readonly Failure[];
}

/** Plays the case once without a kill, then once for every `every`th point, side by side in the lanes. */
export async function sweep(each: Case, lanes: readonly Lane[], every = 1): Promise<Swept> {
  const [first] = lanes;
  if (!first) throw new Error('there is no lane');
  // What is left of a start belongs to the case of the start.
  await first.ready();
  await first.quiet();
  const trial = await attempt(each, first, undefined);
  const calls = trial.calls.filter(({ kind, nth }) => nth <= (MOST_OF_A_KIND[kind] ?? Number.POSITIVE_INFINITY));
  const failures: Failure[] = trial.failure ? [trial.failure] : [];
  // Turned about at every other call, so that a sample has both moments.
  const moments = (index: number) => (index % 2 === 0 ? (['before', 'after'] as const) : (['after', 'before'] as const));
  const points = calls.flatMap((call, index) => moments(index).map((moment) => ({ ...call, moment })));
  const left: Point[] = trial.failure ? [] : points.filter((_, index) => index % every === 0);
  const wanted = left.length;
  let killed = 0;
  let survived = 0;
  const missed: Point[] = [];
  const work = async (lane: Lane) => {
    for (let point = left.shift(); point; point = left.shift()) {
      let tried = await attempt(each, lane, point);
      for (let more = TRIES; more > 1 && !tried.killed && !tried.failure; more--) tried = await attempt(each, lane, point);
      if (tried.killed) killed++;
      if (tried.failure) failures.push(tried.failure);
      else if (tried.killed) survived++;
      else missed.push(point);
    }
  };
  await Promise.all(lanes.map(work));
  return { name: each.name, points: wanted, killed, survived, missed, failures };
}

/** What became of one try. */
interface Attempt {
  /** What the operator called from the request on. */
  readonly calls: readonly Call[];
  readonly killed: boolean;
  readonly failure?: Failure;
}

/** One try: a clean stage, the play with a kill at the point, a look at what is left, and the removal of the object, which nothing may hold. */
export async function attempt(each: Case, lane: Lane, point: Point | undefined): Promise<Attempt> {
  lane.forget();
  const stage = new Stage(lane, () => lane.arm(point), each.fromStart);
  const faults: string[] = [];
  const noted = (error: unknown) => void faults.push(error instanceof Error ? error.message : String(error));
  await lane.ready();
  const ending = await each.play(stage).catch(noted);
  const { calls, killed } = await lane.disarm().catch((error: unknown) => {
    noted(error);
    return { calls: [], killed: true };
  });
  if (ending) faults.push(...(await settled(stage, ending)));
  try {
    await lane.actions.remove(stage.name);
    await stage.gone();
    // Nothing came after the end, and nothing held the object.
    if (ending && faults.length === 0) faults.push(...(await violations(stage, ending)));
    await stage.clear();
  } catch (error) {
    noted(error);
  }
  if (faults.length === 0) return { calls, killed };
  return { calls, killed, failure: { ...(point ? { point } : {}), faults, log: lane.log } };
}

/** A pod that goes and a process that comes back take a moment. */
async function settled(stage: Stage, ending: Ending): Promise<readonly string[]> {
  let faults: readonly string[] = [];
  const look = async () => {
    faults = await violations(stage, ending);
    return faults.length === 0;
  };
  await waitFor(look, { within: 15_000, every: 100 }).catch(() => undefined);
  return faults;
}

/** A failure as people read it; `log` is where the log of the operators is. */
export function describeFailure(name: string, { point, faults }: Failure, log: string): string {
  const where = point ? `killed ${describePoint(point)}` : 'without a kill';
  return [`${name}, ${where}:`, ...faults.map((fault) => `  ${fault}`), `  log: ${log}`].join('\n');
}
