import type { Target } from '../actions/action.ts';
import { targetRef } from '../actions/target-ref.ts';
import type { OptimizationAction } from '../api/optimization-action.ts';
import type { SessionDesk } from '../api/session-desk.ts';
import type { Cluster } from '../kube/cluster.ts';
import { isStatus } from '../kube/error.ts';
import type { Facts } from './action-status.ts';

/** What tells the target from a namesake, as status records it. */
type Identity = Required<Pick<Facts, 'targetUID'>> & Pick<Facts, 'targetProviderID'>;

/** Where targets are looked up: Sessions in the one namespace that they are in. */
interface World {
  readonly cluster: Cluster;
  readonly sessions: Pick<SessionDesk, 'namespace'>;
}

/** The UID of the target as it stands now, and the machine behind a node; undefined when there is none, which the executor judges. */
export async function identify(world: World, target: Target, signal: AbortSignal): Promise<Identity | undefined> {
  const { cluster, sessions } = world;
  try {
    const ref = targetRef(target);
    const { metadata, spec } = await cluster.get(target.kind === 'Session' ? { ...ref, namespace: sessions.namespace } : ref, signal);
    const machine = target.kind === 'Node' ? spec?.providerID : undefined;
    return { targetUID: metadata.uid, ...(typeof machine === 'string' && machine !== '' ? { targetProviderID: machine } : {}) };
  } catch (error) {
    if (isStatus(error, 404)) return undefined;
    throw error;
  }
}

/** The UID of the target that is meant, as the spec says, or as it was when the action first had to wait. */
export function pinnedUID({ spec, status }: OptimizationAction): string | undefined {
  return spec?.targetUID ?? (status?.targetUID || undefined);
}
