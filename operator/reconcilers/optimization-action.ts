import { type ActionContext, type ActionDefinition, formatTarget, type Progress, type Target } from '../actions/action.ts';
import type { Blocker } from '../actions/blocker.ts';
import { targetRef } from '../actions/target-ref.ts';
import { cut } from '../api/cut.ts';
import type { OptimizationAction, OptimizationActionStatus } from '../api/optimization-action.ts';
import { MAX_LINE, MAX_LISTED } from '../api/optimization-action-status.ts';
import { type ParsedSpec, parseActionSpec } from '../api/parse-action.ts';
import type { Cluster } from '../kube/cluster.ts';
import { keyOf, type Outcome } from '../kube/controller.ts';
import { isStatus } from '../kube/error.ts';
import type { Next } from '../lib/next.ts';
import { endStatus, type Facts, factsOf, isFinished, statusOf } from './action-status.ts';
import { Ages } from './ages.ts';
import { expiresIn, isSettled } from './expiry.ts';
import { lockTopic, type TargetLocks } from './target-locks.ts';

/** A waiting action looks again after this long, to name who holds its target by then. */
const QUEUED_SECONDS = 10;

/** What the reconciler of OptimizationActions works with. */
export interface ActionReconcilerOptions {
  readonly cluster: Cluster;
  readonly actions: readonly ActionDefinition[];
  readonly locks: TargetLocks;
  readonly backendExists: (name: string) => boolean;
  /** The operator's own pod, which a drain evicts last; absent outside a cluster. */
  readonly ownPod?: { readonly namespace: string; readonly name: string };
  /** For the time of the end, which is later than the start of the pass that reached it. */
  readonly clock: () => Date;
}

interface Pass {
  readonly object: OptimizationAction;
  readonly key: string;
  readonly parsed: Extract<ParsedSpec, { ok: true }>;
  readonly now: Date;
  readonly signal: AbortSignal;
}

type Result = Outcome<OptimizationActionStatus>;

/**
 * Brings one OptimizationAction forward by one step: admitted, started (recorded before the first side effect), executed a step at a time,
 * ended, and at last deleted. It never hears who asked: an object made by kubectl runs exactly like a mirrored one.
 */
export class ActionReconciler {
  readonly #options: ActionReconcilerOptions;
  readonly #ages = new Ages();

  constructor(options: ActionReconcilerOptions) {
    this.#options = options;
  }

  /** The object is gone from the API server. */
  forget(object: OptimizationAction): void {
    this.#options.locks.release(keyOf(object));
    this.#ages.forget(keyOf(object));
  }

  /** One pass; returns the status the object should have and when to look again. */
  async reconcile(object: OptimizationAction, context: { readonly now: Date; readonly signal: AbortSignal }): Promise<Result> {
    const key = keyOf(object);
    const { now, signal } = context;
    if (isFinished(object)) return this.#finished(object, now);
    const parsed = parseActionSpec(object.spec, this.#options.actions);
    if (!parsed.ok) return end(endStatus(object, 'Failed', { reason: 'InvalidSpec', message: parsed.problems.join('; ') }, now));
    const pass: Pass = { object, key, parsed, now, signal };
    const outcome = (await this.#stopped(pass)) ?? (await this.#held(pass)) ?? (await this.#advance(pass));
    return { ...outcome, next: beforeDeadline(outcome.next, object, now) };
  }

  #finished(object: OptimizationAction, now: Date): Result {
    this.forget(object);
    if (!isSettled(object, this.#options.backendExists)) return { next: { kind: 'settled' } };
    if (object.metadata.deletionTimestamp) return { next: { kind: 'settled' }, finalizer: false };
    const after = expiresIn(object, now);
    if (after === undefined) return { next: { kind: 'settled' } };
    return after > 0 ? { next: { kind: 'again', after } } : { next: { kind: 'settled' }, remove: true };
  }

  /** Cancelled, deleted or too late: undo what is to be undone, and end. */
  async #stopped(pass: Pass): Promise<Result | undefined> {
    const { object, now } = pass;
    const { deadline, cancel } = object.spec ?? {};
    const tooLate = deadline !== undefined && Date.parse(deadline) <= now.getTime();
    if (object.metadata.deletionTimestamp)
      return this.#halt(pass, 'Cancelled', 'Deleted', 'the object was deleted before the action ended');
    if (cancel) return this.#halt(pass, 'Cancelled', 'Cancelled', 'spec.cancel was set');
    if (tooLate) return this.#halt(pass, 'Expired', 'DeadlineExceeded', `the deadline ${deadline} has passed`);
    return undefined;
  }

  async #halt(pass: Pass, phase: 'Cancelled' | 'Expired', reason: string, why: string): Promise<Result> {
    const { object, now } = pass;
    const started = object.status?.startedAt !== undefined;
    const undone = started ? await this.#compensate(pass) : undefined;
    const message = [started ? `stopped: ${why}` : `never started: ${why}`, undone].filter(Boolean).join('; ');
    return end(endStatus(object, phase, { reason, message }, now));
  }

  /** Suspended, or the target is somebody else's for now. */
  async #held(pass: Pass): Promise<Result | undefined> {
    const { object, key, parsed, now } = pass;
    const { locks } = this.#options;
    const target = formatTarget(parsed.target);
    if (object.spec?.suspend) {
      if (object.status?.startedAt === undefined) locks.release(key);
      const summary = { state: 'Waiting', reason: 'Suspended', message: 'set spec.suspend to false to go on' } as const;
      return { status: statusOf(object, 'Suspended', summary, now, await this.#meant(pass)), next: { kind: 'settled' } };
    }
    if (object.spec?.mode === 'Plan') return undefined;
    const lock = locks.acquire(target, key, object.spec?.priority ?? 5);
    if (lock.held) return undefined;
    const summary = { state: 'Waiting', reason: 'TargetLocked', message: `waits for ${lock.by}, which is working on ${target}` } as const;
    const next: Next = { kind: 'when', changed: [lockTopic(key)], orAfter: QUEUED_SECONDS };
    return { status: statusOf(object, 'Queued', summary, now, await this.#meant(pass)), next };
  }

  /** The target that was there when the action was first seen: a namesake that comes while it waits is not meant. */
  async #meant(pass: Pass): Promise<Facts> {
    const uid = pinnedUID(pass.object) ?? (await this.#identify(pass.parsed.target, pass.signal));
    return { target: formatTarget(pass.parsed.target), ...(uid === undefined ? {} : { targetUID: uid }) };
  }

  async #advance(pass: Pass): Promise<Result> {
    const { object, parsed, now } = pass;
    if (object.spec?.mode === 'Plan') return this.#plan(pass);
    if (object.status?.startedAt !== undefined) return this.#execute(pass, object.status.targetUID ?? '');
    const pinned = pinnedUID(object);
    // One fenced, idempotent write on a pinned target: a crash in between leaves nothing that a second run does differently.
    if (parsed.definition.atomic && pinned !== undefined) return this.#execute(pass, pinned);
    const uid = await this.#identify(parsed.target, pass.signal);
    if (pinned !== undefined && uid !== undefined && uid !== pinned) return this.#replaced(pass, pinned, uid);
    const target = formatTarget(parsed.target);
    const summary = { state: 'Working', reason: 'Started', message: `working on ${target}` } as const;
    const facts = { target, startedAt: now.toISOString(), targetUID: pinned ?? uid ?? '' };
    return { status: statusOf(object, 'Running', summary, now, facts), next: { kind: 'again', after: 0 }, ...needsFinalizer(pass) };
  }

  #replaced(pass: Pass, pinned: string, uid: string): Result {
    const target = formatTarget(pass.parsed.target);
    const message = `${target} is not the one this request is meant for: its UID is ${uid}, the request is meant for ${pinned}`;
    return end(endStatus(pass.object, 'Failed', { reason: 'TargetReplaced', message }, pass.now, { target, targetUID: pinned }));
  }

  async #execute(pass: Pass, targetUID: string): Promise<Result> {
    const { object, parsed, now } = pass;
    const context = this.#context(pass, targetUID);
    const progress = await parsed.definition.execute(parsed.params, context);
    const facts = { ...factsOf(progress), ...startFacts(pass, context) };
    if (progress.state === 'running') {
      const { reason, message, next } = progress;
      return { status: statusOf(object, 'Running', { state: 'Working', reason, message }, now, facts), next };
    }
    if (progress.state === 'succeeded') {
      return end(endStatus(object, 'Succeeded', { reason: 'Done', message: progress.message }, this.#options.clock(), facts));
    }
    return this.#fail(pass, progress, facts);
  }

  async #fail(pass: Pass, progress: Extract<Progress, { state: 'failed' }>, facts: ReturnType<typeof factsOf>): Promise<Result> {
    const undone = await this.#compensate(pass);
    const message = [progress.message, undone].filter(Boolean).join('; ');
    return end(endStatus(pass.object, 'Failed', { reason: progress.reason, message }, this.#options.clock(), facts));
  }

  async #plan(pass: Pass): Promise<Result> {
    const { object, parsed, now } = pass;
    const uid = await this.#identify(parsed.target, pass.signal);
    const plan = await parsed.definition.plan(parsed.params, this.#context(pass, uid ?? ''));
    const target = formatTarget(parsed.target);
    const message = `would change ${plan.change}, leave ${plan.skip.length} alone; ${plan.blocked.length} in the way`;
    return end(endStatus(object, 'Planned', { reason: 'Planned', message }, now, { target, plan: bounded(plan) }));
  }

  async #compensate(pass: Pass): Promise<string | undefined> {
    const { definition, params } = pass.parsed;
    return definition.compensate?.(params, this.#context(pass, pass.object.status?.targetUID ?? ''));
  }

  #context(pass: Pass, targetUID: string): ActionContext {
    const { object, key, now, signal } = pass;
    const { startedAt, result = {}, blockers = [] } = object.status ?? {};
    const { cluster, ownPod } = this.#options;
    return {
      cluster,
      now: startedAt === undefined ? now : this.#ages.now(key, startedAt, now),
      signal,
      startedAt: startedAt === undefined ? now : new Date(startedAt),
      targetUID,
      actor: key,
      before: { result, blockers: blockers as readonly Blocker[] },
      ...(ownPod ? { ownPod } : {}),
    };
  }

  /** The UID of the target as it stands now; undefined when there is none, which the executor judges. */
  async #identify(target: Target, signal: AbortSignal): Promise<string | undefined> {
    try {
      return (await this.#options.cluster.get(targetRef(target), signal)).metadata.uid;
    } catch (error) {
      if (isStatus(error, 404)) return undefined;
      throw error;
    }
  }
}

/** The UID of the target that is meant, as the spec says, or as it was when the action first had to wait. */
function pinnedUID({ spec, status }: OptimizationAction): string | undefined {
  return spec?.targetUID ?? (status?.targetUID || undefined);
}

function startFacts(pass: Pass, context: ActionContext) {
  const { targetUID, startedAt } = context;
  return { target: formatTarget(pass.parsed.target), targetUID, startedAt: startedAt.toISOString() };
}

/** Deleting an unfinished object must leave time to end the step; one atomic write needs none. */
function needsFinalizer({ object, parsed }: Pass): { finalizer?: true } {
  return parsed.definition.atomic && !object.spec?.source ? {} : { finalizer: true };
}

/** The end of an action. The pass that follows gives back the target and, where the object is being deleted, the finalizer. */
function end(status: OptimizationActionStatus): Result {
  return { status, next: { kind: 'again', after: 0 } };
}

function beforeDeadline(next: Next, object: OptimizationAction, now: Date): Next {
  const deadline = object.spec?.deadline;
  if (deadline === undefined || isFinished(object)) return next;
  const left = Math.max(0, (Date.parse(deadline) - now.getTime()) / 1000);
  if (next.kind === 'settled') return { kind: 'again', after: left };
  if (next.kind === 'again') return { kind: 'again', after: Math.min(next.after, left) };
  return { ...next, orAfter: Math.min(next.orAfter, left) };
}

function bounded(plan: { readonly change: number; readonly skip: readonly string[]; readonly blocked: readonly string[] }) {
  const listed = (lines: readonly string[]) => lines.slice(0, MAX_LISTED).map((line) => cut(line, MAX_LINE));
  const skipOmitted = plan.skip.length - MAX_LISTED;
  const blockedOmitted = plan.blocked.length - MAX_LISTED;
  return {
    change: plan.change,
    skip: listed(plan.skip),
    ...(skipOmitted > 0 ? { skipOmitted } : {}),
    blocked: listed(plan.blocked),
    ...(blockedOmitted > 0 ? { blockedOmitted } : {}),
  };
}
