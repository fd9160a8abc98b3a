import type { Seconds } from '../../lib/next.ts';
import { type ActionContext, formatTarget, type Progress } from '../action.ts';
import { listNames } from '../listing.ts';
import { type Failure, failed } from '../outcome.ts';
import { timeLeft } from '../time-left.ts';
import { type Change, changeOf, isEmpty, linesOf, partOf, type Step } from './change.ts';
import { objectionsTo } from './guards.ts';
import type { Request } from './params.ts';
import { brought, readRecord, resultOf, supersededBy, withStep } from './record.ts';
import { type Rollout, rolloutOf, scalingOf, unseenOf } from './rollout.ts';
import { troubleOf } from './trouble.ts';
import { containersOf, readWorkload, replicasOf, type Workload, workloadTarget } from './workload.ts';
import { type Look, write } from './write.ts';

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
  const { workload } = found;
  const left = changeOf(request, workload);
  const recorded = readRecord(context.before.result);
  if (!recorded) return begin({ request, context, workload, recorded: { change: left, written: [] } });
  return supersededBy(request, recorded, left) ?? goOn({ request, context, workload, recorded: brought(recorded, left) }, left);
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

async function begin(look: Look): Promise<Progress> {
  const { request, workload, recorded } = look;
  const { change } = recorded;
  const mismatch = mismatchOf(request, workload, change);
  if (mismatch) return mismatch;
  if (isEmpty(change)) return follow(look);
  const refusal = await refusalOf(look, change);
  if (refusal) return refusal;
  const unseen = unseenOf(workload);
  // Nothing is recorded yet: the next pass begins anew.
  if (unseen) return { ...(await wait(look, unseen)), result: {} };
  return {
    state: 'running',
    reason: 'InProgress',
    message: `to be written to ${formatTarget(workloadTarget(request))}: ${listNames(linesOf(change))}`,
    // Recorded first: what it was before is known even after a crash right after the write.
    next: { kind: 'again', after: 0 },
    result: resultOf(recorded),
  };
}

async function goOn(look: Look, left: Change): Promise<Progress> {
  const { context, workload, recorded } = look;
  if (left.containers) return writeStep('Template', look, left);
  if (!left.replicas) return follow(look);
  const rollout = recorded.change.containers ? rolloutOf(workload, context.startedAt) : undefined;
  return rollout && rollout.state !== 'done' ? wait(look, rollout) : writeStep('Replicas', look, left);
}

async function writeStep(step: Step, look: Look, left: Change): Promise<Progress> {
  const { request, workload, recorded } = look;
  const part = partOf(left, step);
  const refusal = await refusalOf(look, part);
  if (refusal) return { ...refusal, result: resultOf(recorded) };
  const unseen = unseenOf(workload);
  if (unseen) return wait(look, unseen);
  const failure = await write(step, look);
  if (failure) return { result: resultOf(recorded), ...failure };
  return {
    state: 'running',
    reason: 'WaitingForRollout',
    message: `${formatTarget(workloadTarget(request))}: ${listNames(linesOf(part))}`,
    next: { kind: 'again', after: LOOK_SOONEST },
    result: resultOf(withStep(recorded, step)),
  };
}

/** The pods follow what is written, and whatever else somebody changed meanwhile: only the same values decide who wins. */
async function follow(look: Look): Promise<Progress> {
  const { request, context, workload, recorded } = look;
  const rollouts = [
    ...(request.containers.length > 0 ? [rolloutOf(workload, context.startedAt)] : []),
    ...(request.replicas === undefined ? [] : [scalingOf(workload)]),
  ];
  const open = rollouts.find(({ state }) => state !== 'done');
  if (open) return wait(look, open);
  const name = formatTarget(workloadTarget(request));
  const lines = linesOf(recorded.change);
  const stays = rollouts.map(({ message }) => message).filter((message) => message !== '');
  return {
    state: 'succeeded',
    message: [lines.length === 0 ? `${name} already is as asked for` : `${name}: ${listNames(lines)}`, ...stays].join('; '),
    result: resultOf(recorded),
    done: rollouts[0]?.done ?? 0,
    total: rollouts[0]?.total ?? 0,
  };
}

async function wait({ request, context, workload, recorded }: Look, rollout: Rollout): Promise<Progress> {
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
async function refusalOf({ request, context, workload, recorded }: Look, left: Change): Promise<Failure | undefined> {
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
