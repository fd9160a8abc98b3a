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
  /** One line more: the words of a refusal, a volume, or what would change the outcome; at most 512 characters. */
  readonly detail?: string;
  /** RFC 3339: first seen. Kept over passes, so that an unchanged blocker is not a change. */
  readonly since: string;
  /** RFC 3339: the next try without any change, as it was due when the blocker became what it is; kept as `since` is. Absent: none is due. */
  readonly retryAt?: string;
}
