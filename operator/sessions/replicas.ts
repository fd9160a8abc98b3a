import type { Session } from '../api/session.ts';
import type { Observed } from './diagnosis.ts';

/** What is there stays; from zero it comes back as it was before it was hibernated, else as one. */
export function replicasOf({ status }: Session, { deployment }: Observed): number | undefined {
  const { replicas = 0 } = (deployment?.spec ?? {}) as { readonly replicas?: number };
  return replicas > 0 ? replicas : Math.max(1, status?.hibernation?.replicas ?? 1);
}
