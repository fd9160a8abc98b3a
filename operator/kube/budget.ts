/** One requirement of a label selector. */
export interface SelectorRequirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values: readonly string[];
}

/** A label selector; empty matches every pod of the namespace. */
export interface LabelSelector {
  readonly matchLabels: Readonly<Record<string, string>>;
  readonly matchExpressions: readonly SelectorRequirement[];
}

/** What this operator keeps of a PodDisruptionBudget. */
export interface Budget {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** Absent: matches no pod (policy/v1). */
  readonly selector?: LabelSelector;
  readonly unhealthyPodEvictionPolicy: 'IfHealthyBudget' | 'AlwaysAllow';
  /** False while the disruption controller has not seen the newest spec. */
  readonly observed: boolean;
  readonly disruptionsAllowed: number;
  readonly currentHealthy: number;
  readonly desiredHealthy: number;
  readonly expectedPods: number;
}

interface RawBudget {
  readonly metadata?: {
    readonly namespace?: string;
    readonly name?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly generation?: number;
  };
  readonly spec?: { readonly selector?: RawSelector | null; readonly unhealthyPodEvictionPolicy?: string };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly disruptionsAllowed?: number;
    readonly currentHealthy?: number;
    readonly desiredHealthy?: number;
    readonly expectedPods?: number;
  };
}

interface RawSelector {
  readonly matchLabels?: Readonly<Record<string, string>> | null;
  readonly matchExpressions?:
    | readonly { readonly key?: string; readonly operator?: string; readonly values?: readonly string[] | null }[]
    | null;
}

/** Keeps of a policy/v1 PodDisruptionBudget, as the API server's JSON, what this operator reads; any member may be missing. */
export function projectBudget(raw: unknown): Budget {
  const { metadata = {}, spec = {}, status = {} } = (raw ?? {}) as RawBudget;
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name ?? '',
    uid: metadata.uid ?? '',
    resourceVersion: metadata.resourceVersion ?? '',
    ...(spec.selector && { selector: projectSelector(spec.selector) }),
    unhealthyPodEvictionPolicy: spec.unhealthyPodEvictionPolicy === 'AlwaysAllow' ? 'AlwaysAllow' : 'IfHealthyBudget',
    // The comparison that the eviction subresource makes before it allows anything.
    observed: (status.observedGeneration ?? 0) >= (metadata.generation ?? 0),
    disruptionsAllowed: status.disruptionsAllowed ?? 0,
    currentHealthy: status.currentHealthy ?? 0,
    desiredHealthy: status.desiredHealthy ?? 0,
    expectedPods: status.expectedPods ?? 0,
  };
}

/** An operator of a newer API is kept as it is written, so that `matches` can fail closed on it. */
function projectSelector(raw: RawSelector): LabelSelector {
  const matchExpressions = (raw.matchExpressions ?? []).map(({ key = '', operator = '', values }) => ({
    key,
    operator: operator as SelectorRequirement['operator'],
    values: values ?? [],
  }));
  return { matchLabels: raw.matchLabels ?? {}, matchExpressions };
}
