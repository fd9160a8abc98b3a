/** One line on why a connection failed; Node reports several addresses at once as an AggregateError without a message. */
export function explain(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return explain(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  const code = (error as NodeJS.ErrnoException).code;
  if (code === undefined || error.message.includes(code)) return error.message || error.name;
  return `${error.message} (${code})`;
}
