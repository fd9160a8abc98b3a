import { findCondition } from '../api/condition.ts';
import type { SessionPhase } from '../api/session.ts';
import type { SessionWorkload } from '../api/session-template.ts';
import type { KubeObject } from '../kube/object.ts';
import { DEPLOYMENTS, SERVICES } from '../kube/resources.ts';
import type { Seconds } from '../lib/next.ts';
import type { ReplicasOf } from '../sessions/decisions.ts';
import { type Diagnosis, diagnose, type Trouble } from '../sessions/diagnosis.ts';
import { APPLIED, claimNameOf, claimOf, deploymentOf, serviceOf } from '../sessions/objects.ts';
import { streamingPort } from '../sessions/ports.ts';
import { type Facts, NO_POD, statusOf } from '../sessions/status.ts';
import { startDeadline } from '../sessions/workload.ts';
import { type Ensured, isOutdated, Refusal, type SessionObjects } from './session-objects.ts';
import { type Pass, recorded, type SessionOutcome, secondsSince, waitFor } from './session-pass.ts';

/** A loop of crashes or failed pulls that lasts longer is no start any more. */
const GIVEN_SOON: Seconds = 60;
/** A pod that is lost longer is a failure that its users are told. */
const LOST_AFTER: Seconds = 30;

/** What the keeping of active sessions works with. */
export interface ActiveOptions {
  readonly objects: SessionObjects;
  readonly replicasOf: ReplicasOf;
}

/** One pass over a session that starts, wakes or runs: its objects as they should be, and what its pod says. */
export async function keepActive(pass: Pass, options: ActiveOptions): Promise<SessionOutcome> {
  const { session, resolved, kept, now } = pass;
  const isUp = session.status?.phase !== 'Starting' && session.status?.phase !== 'Waking';
  // One that runs keeps the template it has; one on its way takes the newest.
  const workload = isUp ? (kept ?? resolved.workload) : (resolved.workload ?? kept);
  if (!workload) {
    const { reason, message } = resolved as { readonly reason: string; readonly message: string };
    return isUp ? lost(pass, { reason, message, gives: 'later' }, undefined) : late(pass, undefined, { reason, message, gives: 'later' });
  }
  if (!isUp && secondsSince(session.status?.phaseSince, now) >= startDeadline(workload)) {
    const { trouble } = diagnose(pass.observed, workload.image);
    return failed(
      pass,
      trouble?.reason ?? 'StartTimeout',
      `not ready within ${startDeadline(workload)} s${trouble ? `: ${trouble.message}` : ''}`,
    );
  }
  if (isUp && isEdited(pass, workload, options)) {
    const summary = { state: 'Working', reason: 'Starting', message: 'starts anew with what its spec says now' } as const;
    return recorded(statusOf(session, 'Starting', summary, now, [], { ...NO_POD, activeSince: now.toISOString() }));
  }
  try {
    const held = await ensureAll(pass, workload, isUp || isAdopted(pass) ? 'repair' : 'renew', options);
    const seen = { ...pass, observed: options.objects.observe(session) };
    if (held?.kind === 'going' && !isUp) {
      return late(seen, workload, { reason: 'Stopping', message: `waits until the ${held.what} before it is gone`, gives: 'later' });
    }
    const outcome = judge(seen, workload, isUp);
    return held?.kind === 'later' ? { ...outcome, next: waitFor(pass, held.after) } : outcome;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const trouble: Trouble = { reason: error.reason, message: error.message, gives: 'at once' };
    return isUp ? lost(pass, trouble, workload) : failed(pass, trouble.reason, trouble.message);
  }
}

/** Whether the reference agent started it, and it runs: it gets what is ours at its next wake, without being stopped for it. */
function isAdopted({ observed: { deployment } }: Pass): boolean {
  const { replicas = 0 } = (deployment?.spec ?? {}) as { readonly replicas?: number };
  return deployment !== undefined && !isApplied(deployment) && replicas > 0;
}

function isApplied(object: KubeObject | undefined): boolean {
  return object?.metadata.annotations?.[APPLIED] !== undefined;
}

/** Whether an edit of its spec since the last pass asks for another pod, for other resources for example. */
function isEdited({ session, observed }: Pass, workload: SessionWorkload, { replicasOf }: ActiveOptions): boolean {
  const { deployment } = observed;
  if (!deployment || session.status?.observedGeneration === session.metadata.generation) return false;
  return isOutdated(deployment, deploymentOf(session, workload, replicasOf(session, observed)));
}

/** The claim first and the Deployment last: no pod comes before what it needs. Returns what keeps it from being as it should, if anything does. */
async function ensureAll(
  pass: Pass,
  workload: SessionWorkload,
  how: 'renew' | 'repair',
  { objects, replicasOf }: ActiveOptions,
): Promise<Ensured | undefined> {
  const { session, observed, signal } = pass;
  const claim = claimOf(session, workload);
  const steps = [
    ...(claim ? [() => objects.ensureClaim(session, claim, signal)] : []),
    // The reference agent's leads to one port only; that it leads to all restarts nothing.
    () => objects.ensure(session, SERVICES, serviceOf(session, workload), isApplied(observed.service) ? how : 'renew', signal),
    () => objects.ensure(session, DEPLOYMENTS, deploymentOf(session, workload, replicasOf(session, observed)), how, signal),
  ];
  for (const step of steps) {
    const ensured = await step();
    if (ensured.kind !== 'there') return ensured;
  }
  return undefined;
}

function judge(pass: Pass, workload: SessionWorkload, isUp: boolean): SessionOutcome {
  const { now } = pass;
  const look = diagnose(pass.observed, workload.image);
  if (look.ready) return running(pass, workload, look);
  const { trouble } = look;
  if (isUp) return lost(pass, trouble, workload, look);
  if (trouble?.gives === 'at once') return failed(pass, trouble.reason, trouble.message);
  const outcome = late(pass, workload, trouble, look);
  if (trouble?.gives !== 'soon') return outcome;
  const type = findCondition(outcome.status?.conditions, 'ImagePulled')?.status === 'False' ? 'ImagePulled' : 'Available';
  const left = GIVEN_SOON - secondsSince(findCondition(outcome.status?.conditions, type)?.lastTransitionTime, now);
  if (left <= 0) return failed(pass, trouble.reason, trouble.message);
  return { ...outcome, next: waitFor(pass, Math.min(left, untilDeadline(pass, workload))) };
}

function running(pass: Pass, workload: SessionWorkload, { pod, claims }: Diagnosis): SessionOutcome {
  const { session, now } = pass;
  const { name, namespace = '' } = session.metadata;
  const { phase, phaseSince } = session.status ?? {};
  const port = streamingPort(workload);
  const url = `http://${name}.${namespace}.svc.cluster.local:${port}`;
  const took = Math.round(secondsSince(phaseSince, now) * 1000) / 1000;
  const facts: Facts = {
    ...factsOf(pass, workload),
    url,
    port,
    podName: pod?.name,
    podIP: pod?.session?.ip,
    nodeName: pod?.nodeName || undefined,
    hibernation: undefined,
    ...(phase === 'Starting' ? { startSeconds: took } : {}),
    ...(phase === 'Waking' ? { wakeSeconds: took } : {}),
  };
  const summary = { state: 'Done', reason: 'Running', message: `ready at ${url}` } as const;
  return { status: statusOf(session, 'Running', summary, now, claims, facts), next: waitFor(pass) };
}

/** It was ready and is not any more: shown at once, a failure after a while, and repaired all the time. */
function lost(pass: Pass, trouble: Trouble | undefined, workload: SessionWorkload | undefined, look?: Diagnosis): SessionOutcome {
  const { session, now } = pass;
  const { reason, message } = trouble ?? { reason: 'PodLost', message: 'its pod is lost or not ready; another one is on its way' };
  const claims = [
    ...(look?.claims ?? []).filter(({ type }) => type !== 'Available'),
    { type: 'Available', status: 'False', reason, message } as const,
  ];
  const facts = { ...(workload ? factsOf(pass, workload) : {}), ...NO_POD, ...podFacts(look) };
  const summary = { state: 'Retrying', reason, message } as const;
  const shown = statusOf(session, session.status?.phase ?? 'Running', summary, now, claims, facts);
  const left = LOST_AFTER - secondsSince(findCondition(shown.conditions, 'Available')?.lastTransitionTime, now);
  if (left > 0 || shown.phase === 'Failed') return { status: shown, next: waitFor(pass, left > 0 ? left : undefined) };
  return { status: statusOf(session, 'Failed', summary, now, claims, facts), next: waitFor(pass) };
}

/** On its way, and why that takes time. */
function late(pass: Pass, workload: SessionWorkload | undefined, trouble: Trouble | undefined, look?: Diagnosis): SessionOutcome {
  const { session, now } = pass;
  const phase: SessionPhase = session.status?.phase === 'Waking' ? 'Waking' : 'Starting';
  const summary = {
    state: 'Working',
    reason: trouble?.reason ?? phase,
    message: trouble?.message ?? 'waits until its pod is ready',
  } as const;
  const facts = { ...(workload ? factsOf(pass, workload) : {}), ...podFacts(look) };
  const status = statusOf(session, phase, summary, now, look?.claims, facts);
  return { status, next: waitFor(pass, untilDeadline(pass, workload)) };
}

/** For good: what was started is removed, but not the home; a wake goes back to where it came from. */
function failed(pass: Pass, reason: string, message: string): SessionOutcome {
  const { session, now } = pass;
  const claims = [{ type: 'Available', status: 'False', reason, message } as const];
  if (session.status?.phase === 'Waking') {
    const summary = { state: 'Failed', reason: 'WakeFailed', message } as const;
    return recorded(statusOf(session, 'Hibernating', summary, now, claims, NO_POD));
  }
  return recorded(statusOf(session, 'Failed', { state: 'Failed', reason, message }, now, claims, NO_POD));
}

function untilDeadline({ session, now }: Pass, workload: SessionWorkload | undefined): Seconds {
  return Math.max(0, startDeadline(workload ?? { image: '' }) - secondsSince(session.status?.phaseSince, now));
}

function factsOf({ session, desired }: Pass, workload: SessionWorkload): Facts {
  return { desired, image: workload.image, claimName: session.spec?.home?.enabled ? claimNameOf(session.metadata.name) : undefined };
}

function podFacts(look: Diagnosis | undefined): Facts {
  const pod = look?.pod;
  return pod ? { podName: pod.name, podIP: pod.session?.ip, nodeName: pod.nodeName || undefined } : {};
}
