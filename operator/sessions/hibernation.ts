import type { Session, SessionStatus } from '../api/session.ts';
import type { KubeObject } from '../kube/object.ts';

/** On the Deployment of a hibernated session: how many replicas it had, should its Session come back from a backup without its status. */
export const HIBERNATED_REPLICAS = 'cloudoptim.io/hibernated-replicas';

/** What was changed to hibernate a session. */
export type Hibernation = NonNullable<SessionStatus['hibernation']>;

/** How many replicas the Deployment is to have; the API server writes its default of 1 into every one. */
export function replicasOf({ spec }: Pick<KubeObject, 'spec'>): number {
  return typeof spec?.replicas === 'number' ? spec.replicas : 1;
}

/**
 * How many replicas the Deployment of an active session should have: as many as it has, because an autoscaler or a person may have its reasons for
 * them; where it has none, those it had before it was hibernated. At least 1, which also switches an autoscaler on again (FIELD.md A55, P20).
 */
export function activeReplicas(session: Session, deployment: KubeObject | undefined): number {
  return (deployment && atLeastOne(replicasOf(deployment))) ?? keptReplicas(session, deployment) ?? 1;
}

/**
 * What is kept for the wake. What is kept already stands, because whoever scales the Deployment of a hibernated session up does not say how many
 * it should wake with.
 */
export function hibernationOf(
  session: Session,
  deployment: KubeObject,
  why: { readonly reason: string; readonly keptBy: string | undefined },
  now: Date,
): Hibernation {
  const { reason, keptBy } = why;
  const replicas = activeReplicas(session, deployment);
  return session.status?.hibernation ?? { replicas, reason, ...(keptBy === undefined ? {} : { keptBy }), at: now.toISOString() };
}

function keptReplicas(session: Session, deployment: KubeObject | undefined): number | undefined {
  const { hibernation } = session.status ?? {};
  return atLeastOne(hibernation?.replicas) ?? atLeastOne(Number(deployment?.metadata.annotations?.[HIBERNATED_REPLICAS]));
}

function atLeastOne(count: number | undefined): number | undefined {
  return Number.isSafeInteger(count) && count !== undefined && count > 0 ? count : undefined;
}
