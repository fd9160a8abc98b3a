import type { Seconds } from '../../lib/next.ts';
import { type ActionContext, formatTarget, type Progress } from '../action.ts';
import { listNames } from '../listing.ts';
import { type Failure, failed } from '../outcome.ts';
import { timeLeft } from '../time-left.ts';
import { type Change, changeOf, linesOf } from './change.ts';
import { objectionsTo } from './guards.ts';
import type { Request } from './params.ts';
import { type Recorded, readRecord, resultOf, type Step, supersededBy } from './record.ts';
import { type Rollout, rolloutOf, scalingOf, unseenOf } from './rollout.ts';
import { troubleOf } from './trouble.ts';
import { containersOf, readWorkload, replicasOf, type Workload, workloadTarget } from './workload.ts';
import { write } from './write.ts';

/** Deployments and StatefulSets are not watched; one is looked at again after a tenth of the time it took so far, within these bounds. */
const LOOK_SOONEST: Seconds = 0.5;
const LOOK_LATEST: Seconds = 10;

/**
 * One pass of an update. The first records every value before and after; the passes after it write, the template first and the replicas once
 * its pods are ready: the number that carried the load stays until the new pods have proved themselves, and new replicas begin with the new
 * template. What is written is absolute, so that the cluster itself says after a crash what was done (FIELD.md F1).
 */
export async function updateWorkload(request: Request, context: ActionContext): Promise<Progress> {
  const found = await readWorkload(request, context);
  if ('failure' in found) return found.failure;
  const recorded = readRecord(context.before.result);
  return recorded ? goOn(request, context, found.workload, recorded) : begin(request, context, found.workload);
}

/** Why nothing can be written for reasons that no waiting changes: a container or a number of replicas that is not there. */
export function mismatchOf(request: Request, workload: Workload, change: Change): Failure | undefined {
  const name = formatTarget(workloadTarget(request));
  const names = containersOf(workload).map((container) => container.name);
  const unknown = request.containers.map((container) => container.name).filter((each) => !names.includes(each));
  if (unknown.length > 0) {
    return failed('ContainerNotFound', `${name} has no container ${listNames(unknown)}; it has ${names.toSorted().join(', ')}`);
  }
  const { expectedReplicas: expected } = request;
  if (!change.replicas || expected === undefined || expected === replicasOf(workload)) return undefined;
  return failed('UnexpectedReplicas', `${name} has ${replicasOf(workload)} replicas, not the expected ${expected}; nothing was written`);
}

async function begin(request: Request, context: ActionContext, workload: Workload): Promise<Progress> {
  const change = changeOf(request, workload);
  const recorded: Recorded = { change, written: [] };
  const mismatch = mismatchOf(request, workload, change);
  if (mismatch) return mismatch;
  const lines = linesOf(change);
  if (lines.length === 0) return follow(request, context, workload, recorded);
  const refusal = await refusalOf(request, context, workload, recorded, change);
  if (refusal) return refusal;
  const unseen = unseenOf(workload);
  // Nothing is recorded yet: the next pass begins anew.
  if (unseen) return { ...(await wait(request, context, workload, recorded, unseen)), result: {} };
  return {
    state: 'running',
    reason: 'InProgress',
    message: `to be written to ${formatTarget(workloadTarget(request))}: ${listNames(lines)}`,
    // Recorded first: what it was before is known even after a crash right after the write.
    next: { kind: 'again', after: 0 },
    result: resultOf(recorded),
  };
}

async function goOn(request: Request, context: ActionContext, workload: Workload, before: Recorded): Promise<Progress> {
  const left = changeOf(request, workload);
  const superseded = supersededBy(request, before, left);
  if (superseded) return superseded;
  const { change } = before;
  // What is no longer different was written by this action, be it that nobody could note it before a crash.
  const isWritten = { Template: change.containers && !left.containers, Replicas: change.replicas && !left.replicas };
  const recorded = { change, written: (['Template', 'Replicas'] as const).filter((step) => isWritten[step]) };
  if (left.containers) return writeStep('Template', request, context, workload, recorded, left);
  if (!left.replicas) return follow(request, context, workload, recorded);
  const rollout = change.containers ? rolloutOf(workload, context.startedAt) : undefined;
  if (rollout && rollout.state !== 'done') return wait(request, context, workload, recorded, rollout);
  return writeStep('Replicas', request, context, workload, recorded, left);
}

async function writeStep(
  step: Step,
  request: Request,
  context: ActionContext,
  workload: Workload,
  recorded: Recorded,
  left: Change,
): Promise<Progress> {
  const mine: Change =
    step === 'Template'
      ? left.containers
        ? { containers: left.containers }
        : {}
      : { ...(left.replicas ? { replicas: left.replicas } : {}) };
  const refusal = await refusalOf(request, context, workload, recorded, mine);
  if (refusal) return { ...refusal, result: resultOf(recorded) };
  const unseen = unseenOf(workload);
  if (unseen) return wait(request, context, workload, recorded, unseen);
  const failure = await write(step, request, context, workload, recorded);
  if (failure) return { result: resultOf(recorded), ...failure };
  return {
    state: 'running',
    reason: 'WaitingForRollout',
    message: `${formatTarget(workloadTarget(request))}: ${listNames(linesOf(mine))}`,
    next: { kind: 'again', after: LOOK_SOONEST },
    result: resultOf({ ...recorded, written: [...recorded.written, step] }),
  };
}

/** The pods follow what is written. */
async function follow(request: Request, context: ActionContext, workload: Workload, recorded: Recorded): Promise<Progress> {
  const looks = [
    ...(request.containers.length > 0 ? [rolloutOf(workload, context.startedAt)] : []),
    ...(request.replicas === undefined ? [] : [scalingOf(workload)]),
  ];
  const open = looks.find(({ state }) => state !== 'done');
  if (open) return wait(request, context, workload, recorded, open);
  const name = formatTarget(workloadTarget(request));
  const lines = linesOf(recorded.change);
  const stays = looks.map(({ message }) => message).filter((message) => message !== '');
  return {
    state: 'succeeded',
    message: [lines.length === 0 ? `${name} already is as asked for` : `${name}: ${listNames(lines)}`, ...stays].join('; '),
    result: resultOf(recorded),
    done: looks[0]?.done ?? 0,
    total: looks[0]?.total ?? 0,
  };
}

async function wait(request: Request, context: ActionContext, workload: Workload, recorded: Recorded, rollout: Rollout): Promise<Progress> {
  const { done, total } = rollout;
  const facts = { done, total, result: resultOf(recorded) };
  const left = timeLeft(context, request.timeoutSeconds);
  const message = `${formatTarget(workloadTarget(request))}: ${rollout.message}`;
  if (rollout.state === 'givenUp' || left <= 0) {
    const told = [message, await troubleOf(workload, context)].filter((part) => part !== '').join('; ');
    if (rollout.state === 'givenUp') return failed('ProgressDeadlineExceeded', told, facts);
    return failed('Timeout', `not done within ${request.timeoutSeconds} s: ${told}`, facts);
  }
  const took = request.timeoutSeconds - left;
  const after = Math.min(LOOK_LATEST, Math.max(LOOK_SOONEST, took / 10), left);
  return { state: 'running', reason: 'WaitingForRollout', message, next: { kind: 'again', after }, ...facts };
}

/** Why what is left must not be written now, or any more. */
async function refusalOf(
  request: Request,
  context: ActionContext,
  workload: Workload,
  recorded: Recorded,
  left: Change,
): Promise<Failure | undefined> {
  if (timeLeft(context, request.timeoutSeconds) <= 0) {
    const lines = listNames(linesOf(left));
    return failed('Timeout', `the timeout of ${request.timeoutSeconds} s was over before this was written: ${lines}`);
  }
  const objections = await objectionsTo(left, request, workload, context);
  const [first] = objections;
  if (!first) return undefined;
  const nothing = recorded.written.length === 0 ? ['nothing was written'] : [];
  return failed(first.reason, [...objections.map(({ message }) => message), ...nothing].join('; '));
}
