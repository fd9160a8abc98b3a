import { z } from 'zod';
import type { Session, SessionOverride, SessionStatus } from '../api/session.ts';
import { sessionSpec } from '../api/session-spec.ts';
import { type SessionTemplate, templateTopic } from '../api/session-template.ts';
import type { KubeClient } from '../kube/client.ts';
import type { KubeObject } from '../kube/object.ts';
import type { Store } from '../kube/store.ts';
import { workloadTopic } from '../kube/topics.ts';
import type { Admit, FindKeepers, ReplicasOf } from '../sessions/decisions.ts';
import { askedAnewSince, desiredOf } from '../sessions/desired.ts';
import type { LifeDecision } from '../sessions/life.ts';
import { withLife } from '../sessions/life-status.ts';
import { operatorOverride, writeOverride } from '../sessions/override.ts';
import { hasFailedForGood, readyOf, statusOf } from '../sessions/status.ts';
import { keptWorkload, resolveWorkload } from '../sessions/workload.ts';
import { keepActive } from './session-active.ts';
import type { Life, SessionLife } from './session-life.ts';
import type { SessionObjects } from './session-objects.ts';
import { hasFinalizer, type Pass, recorded, type SessionOutcome, sooner, waitFor } from './session-pass.ts';
import { clearFailed, hibernate, release, stop } from './session-rest.ts';
import { troubleOf } from './trouble.ts';

/** What the reconciler of Sessions works with. */
export interface SessionReconcilerOptions {
  readonly client: KubeClient;
  readonly objects: SessionObjects;
  readonly templates: Store<SessionTemplate>;
  /** True: nothing is started, changed or removed. */
  readonly dryRun: boolean;
  /** Whether a session may become active now. */
  readonly admit: Admit;
  /** What its age and its use ask for. */
  readonly life: SessionLife;
  /** Told of what its age or its use, or a wake request, has changed. */
  readonly onDecided: (session: Session, decision: LifeDecision) => void;
  /** Takes the answer to an own write, before its watch brings it. */
  readonly put: (answer: KubeObject) => void;
  readonly replicasOf: ReplicasOf;
  readonly keepers: FindKeepers;
}

/** Brings one Session from what it is to what it should be, step by step; each step is recorded in its status before it is taken. */
export class SessionReconciler {
  readonly #options: SessionReconcilerOptions;

  constructor(options: SessionReconcilerOptions) {
    this.#options = options;
  }

  /** One pass. */
  async reconcile(session: Session, { now, signal }: { readonly now: Date; readonly signal: AbortSignal }): Promise<SessionOutcome> {
    if (this.#options.dryRun) return held(session, now);
    const pass = this.#look(session, now, signal);
    if (session.metadata.deletionTimestamp) {
      return hasFinalizer(session) ? release(pass, this.#options.objects) : { next: { kind: 'settled' } };
    }
    const parsed = sessionSpec.safeParse(session.spec);
    if (!parsed.success) {
      const message = `spec is not valid: ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}`;
      return { status: statusOf(session, 'Failed', { state: 'Failed', reason: 'InvalidSpec', message }, now), next: { kind: 'settled' } };
    }
    const life = await this.#life(pass, session.status);
    if (life.decision) return this.#decide(pass, life.decision);
    const outcome = await this.#step(pass);
    // What it has just become may have an end of its own.
    const { claims, decision, dueIn, use } =
      outcome.status?.phase === session.status?.phase ? life : await this.#life(pass, outcome.status);
    const due = decision ? 0 : dueIn;
    return {
      ...outcome,
      ...(outcome.status ? { status: withLife(session, outcome.status, claims, use, now) } : {}),
      next: due === undefined ? outcome.next : sooner(outcome.next, { kind: 'again', after: due }),
    };
  }

  #look(session: Session, now: Date, signal: AbortSignal): Pass {
    const { name, namespace = '' } = session.metadata;
    const template = session.spec?.templateRef?.name;
    const observed = this.#options.objects.observe(session);
    return {
      session,
      desired: desiredOf(session),
      observed,
      resolved: resolveWorkload(session, template === undefined ? undefined : this.#options.templates.get(`${namespace}/${template}`)),
      kept: keptWorkload(session, observed.deployment),
      topics: [workloadTopic(namespace, name), ...(template === undefined ? [] : [templateTopic(namespace, template)])],
      now,
      signal,
    };
  }

  async #step(pass: Pass): Promise<SessionOutcome> {
    const { session, desired } = pass;
    const { objects } = this.#options;
    if (desired === 'Stopped') return stop(pass, objects);
    if (desired === 'Hibernated') return hibernate(pass, this.#options);
    const { phase } = session.status ?? {};
    // A wake that failed goes back to where it came from, and stays there although the spec says otherwise.
    const wakeFailed = phase === 'Hibernating' && readyOf(session)?.reason === 'WakeFailed';
    if (wakeFailed && !isAskedAnew(session)) return this.#override(pass, operatorOverride(session, 'Hibernated', 'WakeFailed', pass.now));
    if (hasFailedForGood(session) && !isAskedAnew(session)) return clearFailed(pass, objects);
    const isActive =
      phase === 'Starting' || phase === 'Waking' || phase === 'Running' || (phase === 'Failed' && !hasFailedForGood(session));
    return isActive ? keepActive(pass, this.#options) : this.#begin(pass);
  }

  /** The way into a start or a wake: a template there is, and room for one more. */
  #begin(pass: Pass): SessionOutcome {
    const { session, resolved, now } = pass;
    const wakes = session.status?.phase === 'Hibernated' || session.status?.phase === 'Hibernating';
    const waits = (reason: string, message: string) =>
      statusOf(session, wakes ? (session.status?.phase ?? 'Hibernated') : 'Pending', { state: 'Waiting', reason, message }, now, [], {
        desired: 'Running',
      });
    if (!resolved.workload) return { status: waits(resolved.reason, resolved.message), next: waitFor(pass) };
    const admission = this.#options.admit(session, resolved.workload, now);
    if (admission.kind === 'waits')
      return { status: waits(admission.reason, admission.message), next: sooner(waitFor(pass), admission.next) };
    if (admission.kind === 'refused') {
      const { reason, message } = admission;
      if (!wakes) return recorded(statusOf(session, 'Failed', { state: 'Failed', reason, message }, now, [], { desired: 'Running' }));
      return recorded(statusOf(session, 'Hibernating', { state: 'Failed', reason: 'WakeFailed', message }, now));
    }
    const phase = wakes ? 'Waking' : 'Starting';
    const summary = { state: 'Working', reason: phase, message: 'waits until its pod is ready' } as const;
    const claims = [{ type: 'Available', status: 'Unknown', reason: 'WaitingForPod', message: '' } as const];
    const facts = { desired: 'Running', activeSince: now.toISOString(), image: resolved.workload.image } as const;
    return { ...recorded(statusOf(session, phase, summary, now, claims, facts)), finalizer: true };
  }

  #life({ session, desired, kept, resolved, observed, now, signal }: Pass, status: SessionStatus | undefined): Promise<Life> {
    const pod = observed.pods.find(({ name }) => name === status?.podName);
    const is = { ...session, ...(status ? { status } : {}) };
    return this.#options.life.look({ session: is, desired, workload: kept ?? resolved.workload, pod, now, signal });
  }

  async #decide(pass: Pass, decision: LifeDecision): Promise<SessionOutcome> {
    const remove = decision.kind === 'remove';
    const outcome: SessionOutcome = remove
      ? { remove, next: { kind: 'settled' } }
      : await this.#override(pass, decision.kind === 'wake' ? undefined : decision.override);
    this.#options.onDecided(pass.session, decision);
    return outcome;
  }

  async #override({ session, signal }: Pass, override: SessionOverride | undefined): Promise<SessionOutcome> {
    this.#options.put(await writeOverride(this.#options.client, session, override, signal));
    return { next: { kind: 'again', after: 0 } };
  }
}

/** Nothing is done; what it is stays as it was last known. */
function held(session: Session, now: Date): SessionOutcome {
  const summary = { state: 'Waiting', reason: 'DryRun', message: 'DRY_RUN is set: nothing of it is started, changed or removed' } as const;
  return { status: unseen(session, statusOf(session, session.status?.phase ?? 'Pending', summary, now)), next: { kind: 'settled' } };
}

/** What the spec says now has not been done: the generation that has been stays. */
function unseen(session: Session, status: SessionStatus): SessionStatus {
  const { observedGeneration } = session.status ?? {};
  return { ...status, ...(observedGeneration === undefined ? {} : { observedGeneration }) };
}

/** Whether, since it came into its phase, its spec was edited or somebody asked for something. */
function isAskedAnew(session: Session): boolean {
  const { status, metadata } = session;
  return status?.observedGeneration !== metadata.generation || askedAnewSince(session, status?.phaseSince);
}

/** The status that tells an error which keeps coming back; its phase stays. */
export function troubleStatus(session: Session, error: unknown, now: Date): SessionStatus {
  return unseen(session, statusOf(session, session.status?.phase ?? 'Pending', { state: 'Retrying', ...troubleOf(error) }, now));
}
