import type { Session } from '../api/session.ts';
import type { SessionWorkload } from '../api/session-template.ts';
import type { KubeObject } from '../kube/object.ts';
import type { Next } from '../lib/next.ts';
import type { Observed } from './diagnosis.ts';
import type { Keepers } from './keepers.ts';

/** Whether a session may begin to start or wake now. */
export type Admission =
  | { readonly kind: 'admitted' }
  /** It stands in line and shows why. */
  | { readonly kind: 'waits'; readonly reason: string; readonly message: string; readonly next: Next }
  /** The start has failed, a wake ends hibernated, until somebody asks anew. */
  | { readonly kind: 'refused'; readonly reason: string; readonly message: string };

/** Decides it; asked once for every start and wake, just before it is recorded, and again while the session waits. */
export type Admit = (session: Session, workload: SessionWorkload, now: Date) => Admission;

/** Looks up who else has a say in the replicas of this Deployment; asked before it is scaled to zero. */
export type FindKeepers = (deployment: KubeObject, signal: AbortSignal) => Promise<Keepers>;

/** How many replicas the Deployment of an active session should have; undefined where somebody else decides that, an autoscaler. */
export type ReplicasOf = (session: Session, observed: Observed) => number | undefined;
