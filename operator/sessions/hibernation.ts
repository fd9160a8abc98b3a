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
  const now = deployment ? replicasOf(deployment) : 0;
  return now > 0 ? now : (remembered(session, deployment) ?? 1);
}

/** What is kept for the wake. Whoever hibernates it a second time finds none left, and keeps what the first time found. */
export function hibernationOf(
  session: Session,
  deployment: KubeObject | undefined,
  why: Pick<Hibernation, 'reason' | 'keptBy'>,
  now: Date,
): Hibernation {
  return { replicas: activeReplicas(session, deployment), ...why, at: session.status?.hibernation?.at ?? now.toISOString() };
}

function remembered(session: Session, deployment: KubeObject | undefined): number | undefined {
  const told = session.status?.hibernation?.replicas ?? Number(deployment?.metadata.annotations?.[HIBERNATED_REPLICAS]);
  return Number.isSafeInteger(told) && told > 0 ? told : undefined;
}
