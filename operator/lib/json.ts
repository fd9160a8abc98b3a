/** Any value that JSON can carry. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue | undefined };

/** A JSON object; absent members are left out when it is written. */
export type JsonObject = { readonly [key: string]: JsonValue | undefined };
