/** RFC 3339 in UTC with whole seconds, as metav1.Time and the CloudOptim protocol have it: `2025-11-28T10:00:00Z`. */
export function formatSeconds(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}
