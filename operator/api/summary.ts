import { type ClaimContext, type Condition, findCondition, removeCondition, setConditions } from './condition.ts';

/** What Ready, Reconciling and Stalled say together. */
export interface Summary {
  /**
   * Working: Ready Unknown, Reconciling. Waiting: Ready Unknown, for a person or a slot. Retrying: Ready False, Reconciling.
   * Done: Ready True. Failed: Ready False, Stalled: for good, nothing is tried again.
   */
  readonly state: 'Working' | 'Waiting' | 'Retrying' | 'Done' | 'Failed';
  readonly reason: string;
  readonly message: string;
}

const READY = { Working: 'Unknown', Waiting: 'Unknown', Retrying: 'False', Done: 'True', Failed: 'False' } as const;

/** The list with a set of Ready, Reconciling and Stalled that kstatus reads as meant: the latter two are there only while True (FIELD.md P19, M19). */
export function summarize(list: readonly Condition[] | undefined, summary: Summary, context: ClaimContext): readonly Condition[] {
  const { state, reason, message } = summary;
  const also = state === 'Failed' ? 'Stalled' : state === 'Working' || state === 'Retrying' ? 'Reconciling' : undefined;
  const kept = ['Stalled', 'Reconciling'].filter((type) => type !== also).reduce(removeCondition, list ?? []);
  const claims = [{ type: 'Ready', status: READY[state], reason, message }];
  return setConditions(kept, also ? [...claims, { type: also, status: 'True' as const, reason, message }] : claims, context);
}

/** What is wrong with a set of conditions, one sentence each; empty for every set that `summarize` makes. */
export function inconsistencies(list: readonly Condition[]): readonly string[] {
  const problems: string[] = [];
  const ready = findCondition(list, 'Ready');
  const stalled = findCondition(list, 'Stalled');
  const reconciling = findCondition(list, 'Reconciling');
  if (!ready) problems.push('Ready is missing');
  if (stalled && stalled.status !== 'True') problems.push('Stalled is there without being True');
  if (reconciling && reconciling.status !== 'True') problems.push('Reconciling is there without being True');
  if (stalled && reconciling) problems.push('Stalled and Reconciling are there together');
  if (stalled && ready?.status !== 'False') problems.push('Stalled is there while Ready is not False');
  if (reconciling && ready?.status === 'True') problems.push('Reconciling is there while Ready is True');
  if (ready?.status === 'False' && !stalled && !reconciling)
    problems.push('Ready is False, and neither Stalled nor Reconciling says what comes next');
  if (new Set(list.map((each) => each.type)).size !== list.length) problems.push('a type is there twice');
  return problems;
}
