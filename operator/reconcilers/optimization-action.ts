import { type ActionContext, type ActionDefinition, formatTarget } from '../actions/action.ts';
import type { Blocker } from '../actions/blocker.ts';
import { MAX_MESSAGE } from '../api/condition.ts';
import { cut } from '../api/cut.ts';
import type { OptimizationAction, OptimizationActionStatus } from '../api/optimization-action.ts';
import { type ParsedSpec, parseActionSpec } from '../api/parse-action.ts';
import type { SessionDesk } from '../api/session-desk.ts';
import type { Tombstone } from '../api/tombstone.ts';
import type { Cluster } from '../kube/cluster.ts';
import { keyOf, type Outcome } from '../kube/controller.ts';
import { isTrackedByGitOps } from '../kube/gitops.ts';
import type { Next } from '../lib/next.ts';
import { planMessage, planStatus } from './action-plan.ts';
import { alreadyExecuted, endStatus, type Facts, factsOf, isFinished, statusOf } from './action-status.ts';
import { Ages } from './ages.ts';
import { beforeDeadline } from './deadline.ts';
import { isSettled } from './expiry.ts';
import { identify, pinnedUID } from './identity.ts';
import { lockTopic, type TargetLocks } from './target-locks.ts';

/** A waiting action looks again after this long, to name who holds its target by then. */
const QUEUED_SECONDS = 60;

/** What the reconciler of OptimizationActions works with. */
export interface ActionReconcilerOptions {
  readonly cluster: Cluster;
  readonly sessions: SessionDesk;
  readonly actions: readonly ActionDefinition[];
  readonly locks: TargetLocks;
  readonly backendExists: (name: string) => boolean;
  /** The run of an earlier object of the same name that asked for the same and is gone (FIELD.md A43). */
  readonly earlierRun: (object: OptimizationAction) => Tombstone | undefined;
  /** Whether it is the turn of a finished object to be deleted. */
  readonly isDue: (key: string) => boolean;
  /** The operator's own pod, which a drain evicts last; absent outside a cluster. */
  readonly ownPod?: { readonly namespace: string; readonly name: string };
  /** For the time of the end, which is later than the start of the pass that reached it. */
  readonly clock: () => Date;
  /** True: nothing is carried out; what is asked for is planned, whoever asked, and what is under way is held (`DRY_RUN`). */
  readonly dryRun: boolean;
}

interface Pass {
  readonly object: OptimizationAction;
  readonly key: string;
  readonly parsed: Extract<ParsedSpec, { ok: true }>;
  readonly now: Date;
  readonly signal: AbortSignal;
}

type Result = Outcome<OptimizationActionStatus>;
type Ending = NonNullable<OptimizationActionStatus['ending']>;

/** Takes away the record of how it will end, which the end itself replaces. */
const ENDED = { ending: undefined } as Facts;

/**
 * Brings one OptimizationAction forward by one step: admitted, started (recorded before the first side effect), executed a step at a time,
 * ended, and at last deleted. It never hears who asked: an object made by kubectl runs exactly like a mirrored one.
 */
export class ActionReconciler {
  readonly #options: ActionReconcilerOptions;
  /** UIDs of unfinished objects for which an attempt may have acted without a record of it. */
  readonly #attempted = new Set<string>();
  readonly #ages = new Ages();

  constructor(options: ActionReconcilerOptions) {
    this.#options = options;
  }

  /** Takes over the objects that were there before this process acted for any: for those not finished an earlier one may have. */
  adopt(objects: Iterable<OptimizationAction>): void {
    for (const object of objects) if (!isFinished(object) && this.#isBegun(object)) this.#attempted.add(object.metadata.uid);
  }

  /** The object has ended or is gone from the API server. */
  forget(object: OptimizationAction): void {
    this.#options.locks.release(keyOf(object));
    this.#ages.forget(keyOf(object));
    this.#attempted.delete(object.metadata.uid);
  }

  /** Whether somebody may have acted for it: its start is recorded, or it needs no such record. */
  #isBegun(object: OptimizationAction): boolean {
    if (object.status?.startedAt !== undefined) return true;
    const definition = this.#options.actions.find((each) => each.name === object.spec?.action);
    return definition?.atomic === true && pinnedUID(object) !== undefined && object.spec?.mode !== 'Plan';
  }

  /** One pass; returns the status the object should have and when to look again. */
  async reconcile(object: OptimizationAction, context: { readonly now: Date; readonly signal: AbortSignal }): Promise<Result> {
    const key = keyOf(object);
    const { now, signal } = context;
    if (isFinished(object)) return this.#finished(object, key);
    const earlier = object.status?.startedAt === undefined ? this.#options.earlierRun(object) : undefined;
    if (earlier) return end(alreadyExecuted(object, earlier, now));
    const parsed = parseActionSpec(object.spec, this.#options.actions);
    if (!parsed.ok) return end(endStatus(object, 'Failed', { reason: 'InvalidSpec', message: parsed.problems.join('; ') }, now));
    const pass: Pass = { object, key, parsed, now, signal };
    if (object.status?.ending) return this.#undo(pass, object.status.ending);
    const outcome = (await this.#stopped(pass)) ?? (await this.#held(pass)) ?? (await this.#advance(pass));
    return { ...outcome, ...keptForGitOps(object), next: beforeDeadline(outcome.next, object, now) };
  }

  #finished(object: OptimizationAction, key: string): Result {
    this.forget(object);
    if (!isSettled(object, this.#options.backendExists)) return { next: { kind: 'settled' } };
    if (object.metadata.deletionTimestamp) return { next: { kind: 'settled' }, finalizer: false };
    return { next: { kind: 'settled' }, ...(this.#options.isDue(key) ? { remove: true } : {}) };
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
    if (object.status?.startedAt === undefined) return end(endStatus(object, phase, { reason, message: `never started: ${why}` }, now));
    return this.#ending(pass, { phase, reason, message: `stopped: ${why}` });
  }

  /**
   * Ends what was started and did not succeed. Where something is to be undone the verdict is recorded first: a crash after the undoing would
   * otherwise find a cluster that tells another story, an uncordoned node instead of a timeout (FIELD.md F1).
   */
  async #ending(pass: Pass, ending: Ending, facts: Facts = {}): Promise<Result> {
    const { object, parsed, now } = pass;
    const { definition, params } = parsed;
    if (!definition.undoes?.(params)) return this.#undo(pass, ending, facts);
    const { reason } = ending;
    const message = cut(ending.message, MAX_MESSAGE);
    const summary = { state: 'Working', reason: 'Compensating', message: `${reason}: ${message}; undoing what it did` } as const;
    return {
      status: statusOf(object, 'Running', summary, now, { ...facts, ending: { ...ending, message } }),
      next: { kind: 'again', after: 0 },
    };
  }

  /** Undoes what is to be undone, and ends as was decided. */
  async #undo(pass: Pass, { phase, reason, message }: Ending, facts: Facts = {}): Promise<Result> {
    const undone = await this.#compensate(pass);
    const cause = { reason, message: [message, undone].filter(Boolean).join('; ') };
    return end(endStatus(pass.object, phase, cause, this.#options.clock(), { ...facts, ...ENDED }));
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
    if (this.#options.dryRun && object.status?.startedAt !== undefined) {
      const summary = {
        state: 'Waiting',
        reason: 'DryRun',
        message: 'it was started before DRY_RUN was set, and goes on without it',
      } as const;
      return { status: statusOf(object, object.status.phase ?? 'Running', summary, now), next: { kind: 'settled' } };
    }
    if (this.#isPlan(object) || parsed.definition.statesIntent) return undefined;
    const lock = locks.acquire(target, key, object.spec?.priority ?? 5);
    if (lock.held) return undefined;
    const summary = { state: 'Waiting', reason: 'TargetLocked', message: `waits for ${lock.by}, which is working on ${target}` } as const;
    const next: Next = { kind: 'when', changed: [lockTopic(key)], orAfter: QUEUED_SECONDS };
    return { status: statusOf(object, 'Queued', summary, now, await this.#meant(pass)), next };
  }

  /** The target that was there when the action was first seen: a namesake that comes while it waits is not meant. */
  async #meant(pass: Pass): Promise<Facts> {
    const pinned = pinnedUID(pass.object);
    const meant = pinned === undefined ? await identify(this.#options, pass.parsed.target, pass.signal) : { targetUID: pinned };
    return { target: formatTarget(pass.parsed.target), ...meant };
  }

  async #advance(pass: Pass): Promise<Result> {
    const { object, parsed, now } = pass;
    if (this.#isPlan(object)) return this.#plan(pass);
    if (object.status?.startedAt !== undefined) return this.#execute(pass, object.status.targetUID ?? '');
    const pinned = pinnedUID(object);
    // One fenced, idempotent write on a pinned target: a crash in between leaves nothing that a second run does differently.
    if (parsed.definition.atomic && pinned !== undefined) return this.#execute(pass, pinned);
    const found = await identify(this.#options, parsed.target, pass.signal);
    const uid = found?.targetUID;
    if (pinned !== undefined && uid !== undefined && uid !== pinned) return this.#replaced(pass, pinned, uid);
    const target = formatTarget(parsed.target);
    const summary = { state: 'Working', reason: 'Started', message: `working on ${target}` } as const;
    // What was recorded while it waited stays: the executor judges whether the machine is still the same.
    const { targetProviderID = found?.targetProviderID } = object.status ?? {};
    const targetUID = pinned ?? uid ?? '';
    const remembered = await parsed.definition.remember?.(parsed.params, this.#context(pass, targetUID));
    const facts = {
      target,
      startedAt: now.toISOString(),
      targetUID,
      ...(targetProviderID && { targetProviderID }),
      ...(remembered && { result: remembered }),
    };
    return { status: statusOf(object, 'Running', summary, now, facts), next: { kind: 'again', after: 0 }, ...needsFinalizer(pass) };
  }

  /** A dry run makes a plan of everything that has not started. */
  #isPlan({ spec }: OptimizationAction): boolean {
    return spec?.mode === 'Plan' || this.#options.dryRun;
  }

  #replaced(pass: Pass, pinned: string, uid: string): Result {
    const target = formatTarget(pass.parsed.target);
    const message = `${target} is not the one this request is meant for: its UID is ${uid}, the request is meant for ${pinned}`;
    return end(endStatus(pass.object, 'Failed', { reason: 'TargetReplaced', message }, pass.now, { target, targetUID: pinned }));
  }

  async #execute(pass: Pass, targetUID: string): Promise<Result> {
    const { object, parsed, now } = pass;
    const context = this.#context(pass, targetUID);
    // One write has no steps: until its end is recorded, every further attempt may find the work of this one.
    if (parsed.definition.atomic) this.#attempted.add(object.metadata.uid);
    const progress = await parsed.definition.execute(parsed.params, context);
    const facts = { ...factsOf(progress), ...startFacts(pass, context) };
    if (progress.state === 'running') {
      const { reason, message, next } = progress;
      return { status: statusOf(object, 'Running', { state: 'Working', reason, message }, now, facts), next };
    }
    if (progress.state === 'succeeded') {
      return end(endStatus(object, 'Succeeded', { reason: 'Done', message: progress.message }, this.#options.clock(), facts));
    }
    return this.#ending(pass, { phase: 'Failed', reason: progress.reason, message: progress.message }, facts);
  }

  async #plan(pass: Pass): Promise<Result> {
    const { object, parsed, now } = pass;
    const found = await identify(this.#options, parsed.target, pass.signal);
    const plan = await parsed.definition.plan(parsed.params, this.#context(pass, found?.targetUID ?? ''));
    const facts = { target: formatTarget(parsed.target), plan: planStatus(plan) };
    const message = object.spec?.mode === 'Plan' ? planMessage(plan) : `DRY_RUN: ${planMessage(plan)}`;
    return end(endStatus(object, 'Planned', { reason: 'Planned', message }, now, facts));
  }

  async #compensate(pass: Pass): Promise<string | undefined> {
    const { definition, params } = pass.parsed;
    if (this.#options.dryRun) return 'DRY_RUN: nothing was undone';
    return definition.compensate?.(params, this.#context(pass, pass.object.status?.targetUID ?? ''));
  }

  #context(pass: Pass, targetUID: string): ActionContext {
    const { object, key, now, signal } = pass;
    const { startedAt, targetProviderID, result = {}, blockers = [] } = object.status ?? {};
    const { cluster, sessions, ownPod } = this.#options;
    return {
      cluster,
      sessions,
      now: startedAt === undefined ? now : this.#ages.now(key, startedAt, now),
      signal,
      startedAt: startedAt === undefined ? now : new Date(startedAt),
      targetUID,
      ...(targetProviderID === undefined ? {} : { targetProviderID }),
      actor: key,
      before: { result, blockers: blockers as readonly Blocker[] },
      resumed: this.#attempted.has(object.metadata.uid),
      ...(ownPod ? { ownPod } : {}),
    };
  }
}

function startFacts(pass: Pass, context: ActionContext) {
  const { targetUID, startedAt } = context;
  return { target: formatTarget(pass.parsed.target), targetUID, startedAt: startedAt.toISOString() };
}

/** Deleting an unfinished object must leave time to end the step; one atomic write needs none. */
function needsFinalizer({ object, parsed }: Pass): { finalizer?: true } {
  return parsed.definition.atomic && !object.spec?.source ? {} : { finalizer: true };
}

/** A GitOps tool may delete its object and make it anew while nobody watches: the finalizer makes sure that its run is remembered (FIELD.md F6). */
function keptForGitOps({ metadata, spec }: OptimizationAction): { finalizer?: true } {
  return isTrackedByGitOps(metadata) && spec?.mode !== 'Plan' ? { finalizer: true } : {};
}

/** The end of an action. The pass that follows gives back the target and, where the object is being deleted, the finalizer. */
function end(status: OptimizationActionStatus): Result {
  return { status, next: { kind: 'again', after: 0 } };
}
