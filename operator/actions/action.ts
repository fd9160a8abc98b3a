import type { z } from 'zod';
import type { SessionDesk } from '../api/session-desk.ts';
import type { Cluster } from '../kube/cluster.ts';
import type { PolicyRule } from '../kube/rights.ts';
import type { JsonObject } from '../lib/json.ts';
import type { Next } from '../lib/next.ts';
import type { Blocker } from './blocker.ts';

export type { PolicyRule } from '../kube/rights.ts';

/** The kinds an action can aim at. */
export type TargetKind = 'Node' | 'Pod' | 'Deployment' | 'StatefulSet' | 'DaemonSet' | 'Namespace' | 'Session';

/** What an action is aimed at; shown as `node/worker-3`, and the key of the per-target lock. */
export interface Target {
  readonly kind: TargetKind;
  /** Absent for kinds that have none, and for a Session: all of them are in one. */
  readonly namespace?: string;
  readonly name: string;
}

/** What an executor is handed for one look. */
export interface ActionContext {
  readonly cluster: Cluster;
  /** Taken once per pass; nobody below reads the clock (rule 8). Since the start it only goes on, whatever happens to the wall clock. */
  readonly now: Date;
  /** Aborted when the operator stops: return what is known so far, the next process goes on. */
  readonly signal: AbortSignal;
  /** When the action was started, from status, so that a restart extends no timeout. */
  readonly startedAt: Date;
  /** The UID of the target this request is meant for; a namesake is never touched. */
  readonly targetUID: string;
  /** The machine behind the target node, as recorded at the start; absent where none was, and then the UID alone counts (FIELD.md F2, M10). */
  readonly targetProviderID?: string;
  /** `namespace/name` of the OptimizationAction: the owner recorded on what is changed. */
  readonly actor: string;
  /**
   * Whether an attempt that left no record may have acted already: one of an earlier process, or one whose answer was not heard. What then
   * stands as asked for may be its work, and the result says `Unknown` instead of no (FIELD.md F1, A50). Default: no.
   */
  readonly resumed?: boolean;
  /** The Sessions; there for every action, used by those about sessions. */
  readonly sessions?: SessionDesk;
  /** The operator's own pod, which a drain evicts last; absent outside a cluster. */
  readonly ownPod?: { readonly namespace: string; readonly name: string };
  /** The result and blockers recorded by the pass before; empty on the first one. */
  readonly before: { readonly result: JsonObject; readonly blockers: readonly Blocker[] };
}

/** What an executor says after one look (rule 4: expected outcomes are values). */
export type Progress =
  | {
      readonly state: 'running';
      /** CamelCase cause of the wait, for example `DisruptionBudget` or `WaitingForPods`. */
      readonly reason: string;
      readonly message: string;
      readonly next: Next;
      readonly done?: number;
      readonly total?: number;
      readonly blockers?: readonly Blocker[];
      /** Kept in status and handed back as `before.result`. */
      readonly result?: JsonObject;
    }
  | { readonly state: 'succeeded'; readonly message: string; readonly result?: JsonObject; readonly done?: number; readonly total?: number }
  | {
      readonly state: 'failed';
      /** CamelCase cause, for example `TargetNotFound`, `DrainBlocked`, `Timeout`. */
      readonly reason: string;
      readonly message: string;
      readonly result?: JsonObject;
      readonly done?: number;
      readonly total?: number;
      readonly blockers?: readonly Blocker[];
    };

/** What would happen, without doing it. Lists may be of any length: what writes them bounds them. */
export interface Plan {
  /** How many pods would be evicted or objects changed. */
  readonly change: number;
  /** One line per value that would change, before → after, where an action can tell; absent for one whose parameters say it all. */
  readonly changes?: readonly string[];
  /** One line per object that would be left alone, with the reason. */
  readonly skip: readonly string[];
  /** One line per object that forbids or delays the action, with the reason. */
  readonly blocked: readonly string[];
  /** What would become of each pod; absent for actions that are not about pods. */
  readonly pods?: readonly PlannedPod[];
  /** What the disruption budgets of these pods would allow. */
  readonly budgets?: readonly PlannedBudget[];
  /** The volumes of the pods that would go. */
  readonly volumes?: readonly PlannedVolume[];
  /** Seconds until the last pod has gone, as `actions/eviction/estimate.ts` reckons; absent where some pod would not go at all. */
  readonly estimateSeconds?: number;
}

/** What would become of one pod. */
export interface PlannedPod {
  /** `namespace/name` */
  readonly pod: string;
  /** Evict or Delete: it goes at once. Wait: it has to wait, for the rounds before `round` or for ever. Skip: it stays. Refuse: it forbids all. */
  readonly verdict: 'Evict' | 'Delete' | 'Wait' | 'Skip' | 'Refuse';
  /** CamelCase; absent where nothing is in the way. */
  readonly reason?: string;
  /** The PodDisruptionBudget that it needs, or all that select it. */
  readonly budget?: string;
  /** The round of evictions it goes in, from 1; absent where it would not go. */
  readonly round?: number;
}

/** What one disruption budget would allow. */
export interface PlannedBudget {
  /** `namespace/name` */
  readonly budget: string;
  /** Pods of this action that need its yes. */
  readonly pods: number;
  readonly allowedNow: number;
  /** Rounds until all of them have gone; absent where they never all would. */
  readonly rounds?: number;
}

/** A volume of a pod that would go. */
export interface PlannedVolume {
  /** `namespace/name` */
  readonly pod: string;
  /** EmptyDir: its data would be lost. PersistentVolumeClaim: it would be detached, and attached where the next pod runs. */
  readonly kind: 'EmptyDir' | 'PersistentVolumeClaim';
  readonly name: string;
}

/** An action: one object in one file, from which CRD, validation, role, docs and samples are derived (rule 5). */
export interface ActionDefinition<Schema extends z.ZodObject = z.ZodObject> {
  /** The discriminator in `spec.action`, for example `Drain`. */
  readonly name: string;
  /** The spec member that holds the parameters, for example `drain`. */
  readonly member: string;
  /** One sentence for `kubectl explain` and the docs. */
  readonly summary: string;
  readonly params: Schema;
  readonly rbac: readonly PolicyRule[];
  /** Where it needs them: in the whole cluster, or in the namespace of the sessions alone. Default: cluster. */
  readonly rbacScope?: 'cluster' | 'sessions';
  /** Parameters for docs, samples and tests. */
  readonly example: z.input<Schema>;
  /** True when it is one fenced, idempotent write: then a pinned target needs no start record of its own. */
  readonly atomic: boolean;
  /** True: it only states what its target should be, so that a later one need not wait for it and overrules it. Default false: one at a time per target. */
  readonly statesIntent?: boolean;
  target(params: z.output<Schema>): Target;
  /** Reads what the result has to tell of the time before; recorded with the start, and so before the first effect. */
  remember?(params: z.output<Schema>, context: ActionContext): Promise<JsonObject>;
  /** Reads only. */
  plan(params: z.output<Schema>, context: ActionContext): Promise<Plan>;
  /** Looks, does one bounded thing, says how far it is; may be called again any number of times. */
  execute(params: z.output<Schema>, context: ActionContext): Promise<Progress>;
  /** Whether `compensate` has anything to undo for these parameters; then how it ends is recorded before. */
  undoes?(params: z.output<Schema>): boolean;
  /** Undoes what the policy asks to be undone after failure or cancellation; idempotent. Returns what it did, for the message. */
  compensate?(params: z.output<Schema>, context: ActionContext): Promise<string | undefined>;
}

/** Declares an action with the types of its parameters inferred. */
export function defineAction<Schema extends z.ZodObject>(definition: ActionDefinition<Schema>): ActionDefinition<Schema> {
  return definition;
}

/** `node/worker-3`, `pod/shop/cart-0`: the TARGET column and the key of the per-target lock. */
export function formatTarget(target: Target): string {
  const kind = target.kind.toLowerCase();
  return target.namespace ? `${kind}/${target.namespace}/${target.name}` : `${kind}/${target.name}`;
}
