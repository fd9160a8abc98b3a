/** The annotations of a pod with which its owner asks that it is not disrupted (FIELD.md M9). */
const MARKS = ['cloudoptim.io/do-not-disrupt', 'karpenter.sh/do-not-disrupt', 'cluster-autoscaler.kubernetes.io/safe-to-evict'] as const;

/** One such annotation as it stands. */
export interface DisruptionMark {
  readonly name: (typeof MARKS)[number];
  readonly value: string;
}

/** What the annotations of one pod ask for. */
export interface DisruptionMarks {
  readonly marks: readonly DisruptionMark[];
  /** When the kubelet took the pod, RFC 3339, from which durations count; absent before that. */
  readonly startedAt?: string;
}

/** Keeps of the annotations of a pod those about disruptions; undefined where there are none, as with most pods. */
export function disruptionMarks(annotations: Readonly<Record<string, string>>, startedAt: string | undefined): DisruptionMarks | undefined {
  const marks = MARKS.flatMap((name) => {
    const value = annotations[name];
    return value === undefined ? [] : [{ name, value }];
  });
  if (marks.length === 0) return undefined;
  return { marks, ...(startedAt === undefined ? {} : { startedAt }) };
}
