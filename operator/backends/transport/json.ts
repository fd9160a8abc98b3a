// Newer than the type library: the third argument carries the number as it was written.
type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

const parse = JSON.parse as (text: string, reviver?: Reviver) => unknown;

/**
 * JSON.parse in which integers beyond 2^53 become text with all their digits: two such ids must not turn into one.
 * Throws SyntaxError.
 */
export function parseJSON(text: string): unknown {
  if (!/\d{16}/.test(text)) return parse(text);
  return parse(text, (_key, value, { source }) =>
    typeof value === 'number' && !Number.isSafeInteger(value) && source !== undefined && /^-?\d+$/.test(source) ? source : value,
  );
}

/** True for a JSON object. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
