import type { ControlPlaneAccess } from '../cluster/access.ts';

const WRITES = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

/** One successful write, with the times at which the API server received and answered it. */
export interface Write {
  readonly user: string;
  /** `patch leases cloudoptim-operator`, `create pods/eviction cart-0`. */
  readonly what: string;
  readonly receivedAt: string;
  readonly answeredAt: string;
}

/** Every successful write of these users so far, in the order in which they were answered. */
export async function writesBy(cp: ControlPlaneAccess, users: readonly string[]): Promise<readonly Write[]> {
  const events = (await cp.auditEvents()).filter(
    ({ user, stage, verb, responseStatus }) =>
      users.includes(user.username) && stage === 'ResponseComplete' && WRITES.has(verb) && (responseStatus?.code ?? 500) < 300,
  );
  return events.map(({ user, verb, objectRef = {}, requestReceivedTimestamp, stageTimestamp }) => ({
    user: user.username,
    what: `${verb} ${[objectRef.resource, objectRef.subresource].filter(Boolean).join('/')} ${objectRef.name ?? ''}`.trim(),
    receivedAt: requestReceivedTimestamp,
    answeredAt: stageTimestamp,
  }));
}

/** The names of the evicted pods, one per eviction that was accepted. */
export function evictionsIn(writes: readonly Write[]): readonly string[] {
  const prefix = 'create pods/eviction ';
  return writes.flatMap(({ what }) => (what.startsWith(prefix) ? [what.slice(prefix.length)] : [])).toSorted();
}
