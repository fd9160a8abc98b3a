/** RFC 3339 in UTC with whole seconds, as metav1.Time and the CloudOptim protocol have it: `2025-11-28T10:00:00Z`. */
export function formatSeconds(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}

const RFC_3339 = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

/** Reads an RFC 3339 time; undefined for what is none, a day or an hour that does not exist included. */
export function parseTime(text: string): Date | undefined {
  const [, day = ''] = RFC_3339.exec(text) ?? [];
  const at = new Date(text);
  // V8 reads 30 February as 2 March, and a space or a date alone as a time as well.
  const calendar = new Date(`${day}T00:00:00Z`);
  if (Number.isNaN(calendar.getTime()) || Number.isNaN(at.getTime())) return undefined;
  return calendar.toISOString().startsWith(day) ? at : undefined;
}
