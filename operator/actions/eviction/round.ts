import type { Budget } from '../../kube/budget.ts';
import type { ClusterView } from '../../kube/cluster.ts';
import type { Pod } from '../../kube/pod.ts';
import { matches } from '../../kube/selector.ts';
import type { Seconds } from '../../lib/next.ts';
import type { ActionContext } from '../action.ts';
import { byText } from '../listing.ts';
import { type Failure, failed } from '../outcome.ts';
import { ASK_ANYWAY, type BudgetTurn } from './budget-turn.ts';
import type { EvictionMemory, Hold, RequestMemory } from './memory.ts';
import { runParallel } from './parallel.ts';
import { judgeRefusal, type Verdict } from './verdict.ts';

/** At the same time for one request (FIELD.md K20, N5); the memory bounds all requests together. */
const WIDTH = 50;
const BUSY: Seconds = 1;

/** Asks the API server to let one incarnation of a pod go. */
type Remove = (pod: Pod, signal: AbortSignal) => Promise<void>;

/** What a round works with. */
export interface Round {
  readonly context: ActionContext;
  readonly memory: EvictionMemory;
  readonly mine: RequestMemory;
  readonly remove: Remove;
  /** False for a plain deletion, which no budget guards. */
  readonly guarded: boolean;
}

/** The budgets that select this pod, by name. */
export function budgetsOf(pod: Pod, view: ClusterView): readonly Budget[] {
  return view
    .budgets(pod.namespace)
    .filter((budget) => matches(budget.selector, pod.labels))
    .toSorted((a, b) => byText(a.name, b.name));
}

/** The one budget whose yes this pod needs; undefined where the API server asks none (E1) or refuses for their number (E5). */
export function guardOf(pod: Pod, budgets: readonly Budget[]): Budget | undefined {
  return isGuarded(pod) && budgets.length === 1 ? budgets[0] : undefined;
}

/** Whether the eviction handler looks at budgets at all for a pod in this phase (FIELD.md E1). */
export function isGuarded({ phase }: Pod): boolean {
  return phase === 'Running' || phase === 'Unknown';
}

/**
 * Tries the pods once, as far as it is their turn: those without a budget side by side, those of one budget one after the other (FIELD.md F5).
 * What became of them is in the memory. Ends early, with all answers in, when the operator stops; returns the failure that ends the action.
 */
export async function runRound(pods: readonly Pod[], round: Round): Promise<Failure | undefined> {
  const { context, memory } = round;
  const failures: Failure[] = [];
  const attempt = async (pod: Pod, turn?: BudgetTurn): Promise<boolean> => {
    if (failures.length > 0 || context.signal.aborted || memory.clock() < memory.busyUntil) return false;
    if (turn && !turn.take(pod)) return false;
    const verdict = await ask(pod, round);
    if (!verdict) return false;
    if (verdict.kind === 'forbidden') failures.push(failed('Forbidden', verdict.message));
    remember(verdict, pod, round, turn);
    return verdict.kind !== 'budget';
  };
  const { free, groups } = groupByBudget(pods, round);
  const alone = free.map((pod) => async () => void (await attempt(pod)));
  const together = groups.map(({ budget, pods: guarded }) => () => {
    return memory.turn(budget).inTurn(async () => {
      const turn = memory.turn(seenNow(budget, context.cluster.view));
      for (const pod of guarded) if (!(await attempt(pod, turn))) break;
    });
  });
  await runParallel([...alone, ...together], WIDTH);
  return failures[0];
}

interface Group {
  readonly budget: Budget;
  readonly pods: Pod[];
}

/** The pods that may be tried now: `free` need no budget's yes. */
function groupByBudget(pods: readonly Pod[], round: Round): { free: readonly Pod[]; groups: readonly Group[] } {
  const free: Pod[] = [];
  const groups = new Map<string, Group>();
  for (const pod of pods) {
    const budgets = round.guarded ? budgetsOf(pod, round.context.cluster.view) : [];
    if (isHeld(pod, budgets, round)) continue;
    const budget = guardOf(pod, budgets);
    const group = budget && (groups.get(budget.uid) ?? { budget, pods: [] });
    if (group) groups.set(group.budget.uid, group);
    (group?.pods ?? free).push(pod);
  }
  return { free, groups: [...groups.values()] };
}

/** While this one waited for its turn, the turn before may have changed the budget. */
function seenNow(budget: Budget, view: ClusterView): Budget {
  return view.budgets(budget.namespace).find((each) => each.uid === budget.uid) ?? budget;
}

function isHeld(pod: Pod, budgets: readonly Budget[], { memory, mine }: Round): boolean {
  const hold = mine.holds.get(pod.uid);
  return hold !== undefined && hold.budgets === namesOf(budgets) && memory.clock() < hold.notBefore;
}

/** Undefined where the operator stopped before it was this pod's turn. */
async function ask(pod: Pod, { remove, memory, context }: Round): Promise<Verdict | undefined> {
  try {
    await memory.together.execute(() => remove(pod, context.signal));
    return { kind: 'accepted' };
  } catch (error) {
    if (context.signal.aborted && error === context.signal.reason) return undefined;
    return judgeRefusal(error);
  }
}

function remember(verdict: Verdict, pod: Pod, round: Round, turn: BudgetTurn | undefined): void {
  const { mine } = round;
  const { uid } = pod;
  const before = mine.holds.get(uid);
  mine.holds.delete(uid);
  if (verdict.kind === 'gone') mine.absent.add(uid);
  if (verdict.kind === 'later' && verdict.cause === 'ServerError') mine.unheard.add(uid);
  if (verdict.kind === 'accepted' || verdict.kind === 'gone') mine.accepted.add(uid);
  else if (verdict.kind === 'budget' && turn) turn.refuse(verdict.retryAfter);
  else if (verdict.kind !== 'forbidden') {
    hold(verdict, pod, round, before);
  }
  // Only a yes counts against what the budget allows.
  if (verdict.kind !== 'accepted' && verdict.kind !== 'budget') turn?.giveBack(pod);
}

type Holding = Exclude<Verdict, { kind: 'accepted' | 'gone' | 'forbidden' }>;

const CAUSES = { budget: 'DisruptionBudget', busy: 'TooManyRequests', conflict: undefined } as const;

/** Holds this pod back for a while; the others go on (FIELD.md K24, A17). */
function hold(verdict: Holding, pod: Pod, { memory, mine, context, guarded }: Round, before: Hold | undefined): void {
  const { uid } = pod;
  const retryAfter = 'retryAfter' in verdict ? verdict.retryAfter : undefined;
  if (verdict.kind === 'busy') memory.busyUntil = memory.clock() + (retryAfter ?? BUSY);
  // A conflict and an unheard answer leave open whether the pod is still there: the next look is a fresh one (FIELD.md E6).
  if (verdict.kind === 'conflict' || (verdict.kind === 'later' && !verdict.shown)) mine.listedAt = undefined;
  const budgets = namesOf(guarded ? budgetsOf(pod, context.cluster.view) : []);
  const later = verdict.kind === 'later' ? verdict : undefined;
  const cause = verdict.kind === 'later' ? verdict.cause : CAUSES[verdict.kind];
  const tries = before !== undefined && before.cause === cause ? before.tries + 1 : 1;
  const pause = retryAfter ?? (later?.cause === 'MultiplePDBs' ? ASK_ANYWAY : mine.backoff(uid));
  const shown = verdict.kind === 'budget' ? retryAfter === undefined : (later?.shown ?? false);
  const words = later?.words === undefined ? {} : { words: later.words };
  mine.holds.set(uid, { cause, shown, tries, ...words, notBefore: memory.clock() + pause, budgets });
}

/** Which budgets select a pod, as one text. */
export function namesOf(budgets: readonly Budget[]): string {
  return budgets.map((budget) => budget.name).join(',');
}
