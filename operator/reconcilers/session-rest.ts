import type { ConditionClaim } from '../api/condition.ts';
import { DELETE_HOME } from '../api/session.ts';
import { standingOverride } from '../sessions/desired.ts';
import { isAtZero } from '../sessions/diagnosis.ts';
import { claimNameOf } from '../sessions/objects.ts';
import { whose } from '../sessions/ownership.ts';
import { type Facts, NO_POD, readyOf, statusOf } from '../sessions/status.ts';
import { retentionOf } from '../sessions/workload.ts';
import type { SessionObjects } from './session-objects.ts';
import { type Pass, recorded, type SessionOutcome, waitFor } from './session-pass.ts';

/** One pass over a session that should be hibernated: what it had is recorded, then it is scaled to zero, then its pods are waited for. */
export async function hibernate(pass: Pass, objects: SessionObjects): Promise<SessionOutcome> {
  const { session, observed, now, signal } = pass;
  const deployment = observed.deployment && whose(observed.deployment, session) === 'ours' ? observed.deployment : undefined;
  const { replicas = 0 } = (deployment?.spec ?? {}) as { readonly replicas?: number };
  const { status } = session;
  if (replicas === 0 && observed.pods.length === 0 && isAtZero(deployment)) return hibernated(pass);
  if (status?.phase !== 'Hibernating') {
    const reason = standingOverride(session)?.reason ?? 'Asked';
    const hibernation = replicas > 0 ? { replicas, reason, at: now.toISOString() } : status?.hibernation;
    return { ...recorded(hibernating(pass, 'is scaled to zero', { hibernation })), finalizer: true };
  }
  if (deployment && replicas > 0) await objects.scaleToZero(deployment, signal);
  const names = objects.observe(session).pods.map(({ name }) => name);
  return { status: hibernating(pass, `waits until ${names.join(', ') || 'its pod'} is gone`), next: waitFor(pass) };
}

/** One pass over a session that should be stopped: all that it has goes, but its home only if its policy says so. */
export async function stop(pass: Pass, objects: SessionObjects): Promise<SessionOutcome> {
  const { session, now, signal } = pass;
  const withClaim = takesHome(pass, 'stopped');
  const { phase } = session.status ?? {};
  if (phase !== 'Stopped' && phase !== 'Stopping' && leaves(pass, withClaim)) {
    return { ...recorded(stopping(pass, 'its workload is removed')), finalizer: true };
  }
  const { left } = await objects.remove(session, withClaim, signal);
  if (left.length > 0) return { status: stopping(pass, `waits until ${left.join(', ')} is gone`), next: waitFor(pass) };
  const facts: Facts = { ...goneFacts(pass, withClaim), hibernation: undefined };
  const summary = { state: 'Done', reason: 'Stopped', message: sentence(pass, 'stopped') } as const;
  return { status: statusOf(session, 'Stopped', summary, now, unavailable('Stopped', withClaim), facts), next: waitFor(pass) };
}

/** One pass over a session that is being deleted: as a stop, then the finalizer goes. */
export async function release(pass: Pass, objects: SessionObjects): Promise<SessionOutcome> {
  const { session, now, signal } = pass;
  const withClaim = takesHome(pass, 'deleted');
  const { left } = await objects.remove(session, withClaim, signal);
  if (left.length > 0) return { status: stopping(pass, `deleted; waits until ${left.join(', ')} is gone`), next: waitFor(pass) };
  objects.forget(session);
  const summary = { state: 'Done', reason: 'Stopped', message: 'deleted' } as const;
  const status = statusOf(session, 'Stopped', summary, now, unavailable('Stopped', withClaim), goneFacts(pass, withClaim));
  return { status, finalizer: false, next: { kind: 'settled' } };
}

/** One pass over a start that has failed for good: nothing of it stays but the home. */
export async function clearFailed(pass: Pass, objects: SessionObjects): Promise<SessionOutcome> {
  await objects.remove(pass.session, false, pass.signal);
  return { next: waitFor(pass) };
}

function hibernated(pass: Pass): SessionOutcome {
  const { session, now } = pass;
  const failure = standingOverride(session)?.reason === 'WakeFailed';
  const ready = readyOf(session);
  const words = ready?.reason === 'WakeFailed' ? ready.message : 'its last wake failed';
  const summary = failure
    ? ({ state: 'Failed', reason: 'WakeFailed', message: words } as const)
    : ({ state: 'Done', reason: 'Hibernated', message: sentence(pass, 'hibernated') } as const);
  const status = statusOf(session, 'Hibernated', summary, now, unavailable('Hibernated', false), { ...NO_POD, desired: pass.desired });
  return { status, next: waitFor(pass) };
}

function hibernating(pass: Pass, message: string, facts: Facts = {}) {
  const { session, now, desired } = pass;
  const ready = readyOf(session);
  // Why a wake failed is what its users want to read, not that it goes back.
  const summary =
    ready?.reason === 'WakeFailed' && standingOverride(session)?.reason === 'WakeFailed'
      ? ({ state: 'Failed', reason: 'WakeFailed', message: ready.message } as const)
      : ({ state: 'Working', reason: 'Hibernating', message } as const);
  return statusOf(session, 'Hibernating', summary, now, unavailable('Hibernating', false), { ...NO_POD, ...facts, desired });
}

function stopping(pass: Pass, message: string) {
  const { session, now, desired } = pass;
  const summary = { state: 'Working', reason: 'Stopping', message } as const;
  return statusOf(session, 'Stopping', summary, now, unavailable('Stopping', false), { ...NO_POD, desired });
}

function unavailable(reason: 'Hibernating' | 'Hibernated' | 'Stopping' | 'Stopped', homeGone: boolean): readonly ConditionClaim[] {
  const home: readonly ConditionClaim[] = homeGone ? [{ type: 'HomeBound', status: 'False', reason: 'HomeDeleted', message: '' }] : [];
  return [{ type: 'Available', status: 'False', reason, message: '' }, ...home];
}

function goneFacts({ session, desired, observed }: Pass, withClaim: boolean): Facts {
  const stays = !withClaim && observed.claim !== undefined;
  return { ...NO_POD, desired, claimName: stays ? claimNameOf(session.metadata.name) : undefined };
}

/** Whether its home goes with it, by its policy or because that was asked for. */
function takesHome({ session, observed, resolved, kept }: Pass, end: 'stopped' | 'deleted'): boolean {
  if (session.metadata.annotations?.[DELETE_HOME] === 'true') return true;
  const policy = retentionOf(session, resolved.workload ?? kept, observed.claim);
  return policy === 'WithSession' || (policy === 'AfterTTL' && end === 'deleted');
}

/** Whether anything is there that goes. */
function leaves({ session, observed }: Pass, withClaim: boolean): boolean {
  const { deployment, service, claim, pods } = observed;
  const objects = [deployment, service, withClaim ? claim : undefined];
  return pods.length > 0 || objects.some((object) => object !== undefined && whose(object, session) !== 'foreign');
}

function sentence({ session }: Pass, what: string): string {
  const override = standingOverride(session);
  return override ? `${what} by ${override.by}: ${override.reason}` : `${what}, as its spec says`;
}
