/** Stands where a key or a token was. */
const CENSORED = '[redacted]';
/** Deeper than anything worth reading in a log line. */
const MAX_DEPTH = 8;

/** Names of members that can hold a key or a token, such as `apiKey`, `x-api-key`, `Authorization` or `client_secret`. */
const SECRET_NAME = /(key|token|password|passwd|authorization|credential|cookie|secret)s?$/i;

/** Keys and tokens inside texts: headers, JSON web tokens, query parameters and the user of a URL. */
const SECRET_TEXTS: readonly (readonly [RegExp, string])[] = [
  [/\b(Bearer|Basic) +[\w.~+/=-]+/gi, `$1 ${CENSORED}`],
  [/\beyJ[\w-]+\.[\w-]+(\.[\w-]*)?/g, CENSORED],
  [/([?&](?:api[-_]?key|access[-_]token|token|key)=)[^&\s"'\\]+/gi, `$1${CENSORED}`],
  [/(\b[a-z][a-z0-9+.-]*:\/\/)[^/@\s"'\\]+@/gi, `$1${CENSORED}@`],
];

/** A copy in which members whose names say key or token are censored, at any depth; errors become texts. */
export function withoutSecrets(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return String(value);
  if (depth === MAX_DEPTH) return '[too deep]';
  if (Array.isArray(value)) return value.map((each) => withoutSecrets(each, depth + 1));
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === 'function') return withoutSecrets(toJSON.call(value), depth + 1);
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, SECRET_NAME.test(name) ? CENSORED : withoutSecrets(member, depth + 1)]),
  );
}

/** A line in which keys and tokens inside texts are censored. */
export function withoutSecretTexts(line: string): string {
  return SECRET_TEXTS.reduce((text, [pattern, instead]) => text.replace(pattern, instead), line);
}
