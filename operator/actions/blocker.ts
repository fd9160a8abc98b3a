/** Why one pod cannot go yet: what `status.blockers` shows, sorted by pod, at most 50 (FIELD.md F3). */
export interface Blocker {
  /** `namespace/name` */
  readonly pod: string;
  readonly uid: string;
  /** CamelCase, for example `DisruptionBudget`, `MultiplePDBs`, `WebhookDenied`. */
  readonly cause: string;
  /** The name of the PodDisruptionBudget; absent for other causes. */
  readonly budget?: string;
  readonly currentHealthy?: number;
  readonly desiredHealthy?: number;
  /** RFC 3339: first seen. Kept over passes, so that an unchanged blocker is not a change. */
  readonly since: string;
}
