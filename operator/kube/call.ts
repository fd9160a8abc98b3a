import type { JsonValue } from '../lib/json.ts';
import type { ObjectRef } from './object.ts';

/** The patch formats in use; `apply` is server-side apply. */
export type PatchFormat = 'merge' | 'strategic' | 'json' | 'apply';

/** How the API server knows them. */
export const PATCH_MEDIA_TYPES: Readonly<Record<PatchFormat, string>> = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
};

/** Query parameters; absent ones are left out. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** One call of the API server. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  /** What it is about, such as `pods/eviction`: with the method, the kind of requests that a 429 holds back. */
  readonly about: string;
  readonly query?: Query;
  readonly body?: JsonValue;
  readonly contentType?: string;
  readonly signal: AbortSignal;
}

/** What a call about this object is about: `pods/eviction`. */
export function subject({ resource }: ObjectRef, subresource?: string): string {
  return subresource ? `${resource.plural}/${subresource}` : resource.plural;
}

/** `?a=b&c=d`, or nothing where there is nothing to ask. */
export function queryString(query: Query | undefined): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) if (value !== undefined && value !== '') parameters.set(name, String(value));
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}

/** What went wrong on the way, in the words of whoever noticed. */
export function describe(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const facts = cause as { code?: string; message?: string };
  return facts.message || facts.code || String(error);
}
