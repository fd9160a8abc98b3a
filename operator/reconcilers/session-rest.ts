import { type ConditionClaim, isTrue } from '../api/condition.ts';
import { DELETE_HOME, type SessionStatus } from '../api/session.ts';
import type { KubeObject } from '../kube/object.ts';
import type { Seconds } from '../lib/next.ts';
import type { FindKeepers } from '../sessions/decisions.ts';
import { standingOverride } from '../sessions/desired.ts';
import { isAtZero } from '../sessions/diagnosis.ts';
import { hibernationOf, replicasOf } from '../sessions/hibernation.ts';
import { keeperWords, obstacleTo } from '../sessions/keepers.ts';
import { claimNameOf } from '../sessions/objects.ts';
import { whose } from '../sessions/ownership.ts';
import { type Facts, NO_POD, readyOf, statusOf } from '../sessions/status.ts';
import { wakeCommand } from '../sessions/wake-request.ts';
import { retentionOf } from '../sessions/workload.ts';
import { type ActiveOptions, keepActive } from './session-active.ts';
import type { SessionObjects } from './session-objects.ts';
import { type Pass, recorded, type SessionOutcome, sooner, waitFor } from './session-pass.ts';

/** Nobody watches who keeps a session from its hibernation. */
const LOOK_AGAIN: Seconds = 60;

const SUMMARY = ['Ready', 'Reconciling', 'Stalled'];

/** What the hibernation of sessions works with. */
export interface HibernateOptions extends ActiveOptions {
  readonly keepers: FindKeepers;
}

/** One pass over a session that should be hibernated: what it had is recorded, then it is scaled to zero, then its pods are waited for. */
export async function hibernate(pass: Pass, options: HibernateOptions): Promise<SessionOutcome> {
  const { session, observed, signal } = pass;
  const { objects } = options;
  const deployment = observed.deployment && whose(observed.deployment, session) === 'ours' ? observed.deployment : undefined;
  const isUp = deployment !== undefined && replicasOf(deployment) > 0;
  if (!isUp && observed.pods.length === 0 && isAtZero(deployment)) return hibernated(pass, deployment);
  if (session.status?.phase !== 'Hibernating') {
    return isUp ? beginHibernation(pass, deployment, options) : recorded(hibernating(pass, 'its pods are going'));
  }
  if (isUp) await objects.scaleToZero(deployment, rest(pass, deployment).replicas, signal);
  const names = objects.observe(session).pods.map(({ name }) => name);
  return { status: hibernating(pass, `waits until ${names.join(', ') || 'its pod'} is gone`), next: waitFor(pass) };
}

async function beginHibernation(pass: Pass, deployment: KubeObject, options: HibernateOptions): Promise<SessionOutcome> {
  const keepers = await options.keepers(deployment, pass.signal);
  const obstacle = obstacleTo(keepers);
  if (obstacle) return stayUp(pass, obstacle, options);
  const hibernation = rest(pass, deployment, keeperWords(keepers));
  return { ...recorded(hibernating(pass, 'is scaled to zero', { hibernation })), finalizer: true };
}

/** It is looked after like one that should run; where nothing else is wrong it says why it does. */
async function stayUp(
  pass: Pass,
  obstacle: { readonly reason: string; readonly message: string },
  options: ActiveOptions,
): Promise<SessionOutcome> {
  const outcome = await keepActive(pass, options);
  const next = sooner(outcome.next, waitFor(pass, LOOK_AGAIN));
  if (!outcome.status || !isTrue(outcome.status.conditions, 'Ready')) return { ...outcome, next };
  // As if it had never been found ready in between: since when it waits must stay as it is.
  const of = (status: SessionStatus | undefined, summary: boolean) =>
    (status?.conditions ?? []).filter(({ type }) => SUMMARY.includes(type) === summary);
  const conditions = [...of(outcome.status, false), ...of(pass.session.status, true)];
  const session = { ...pass.session, status: { ...outcome.status, conditions } };
  return { ...outcome, status: statusOf(session, 'Running', { state: 'Waiting', ...obstacle }, pass.now), next };
}

function rest({ session, now }: Pass, deployment: KubeObject, keptBy?: string) {
  return hibernationOf(session, deployment, { reason: standingOverride(session)?.reason ?? 'Asked', keptBy }, now);
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

function hibernated(pass: Pass, deployment: KubeObject | undefined): SessionOutcome {
  const { session, now } = pass;
  // One that came back without its status learns from its Deployment what it was.
  const hibernation = deployment ? rest(pass, deployment) : session.status?.hibernation;
  const keptBy = hibernation?.keptBy ? `; ${hibernation.keptBy}` : '';
  const failure = standingOverride(session)?.reason === 'WakeFailed';
  const ready = readyOf(session);
  const words = ready?.reason === 'WakeFailed' ? ready.message : 'its last wake failed';
  const summary = failure
    ? ({ state: 'Failed', reason: 'WakeFailed', message: words } as const)
    : ({ state: 'Done', reason: 'Hibernated', message: `${sentence(pass, 'hibernated')}${keptBy}` } as const);
  const status = statusOf(session, 'Hibernated', summary, now, unavailable('Hibernated', false), {
    ...NO_POD,
    hibernation,
    desired: pass.desired,
  });
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
  if (!override) return `${what}, as its spec says`;
  return `${what} by ${override.by}: ${override.reason}; it is as its spec says after ${wakeCommand(session.metadata)}`;
}
