import { type IncomingHttpHeaders, STATUS_CODES } from 'node:http';
import type { JsonObject } from '../lib/json.ts';
import { parseRetryAfter } from '../lib/retry-after.ts';
import { ApiError, isStatus, type StatusCause } from './error.ts';

/** Reads a non-2xx answer into an ApiError: a Status object, or plain text as priority and fairness sends it (FIELD.md E4, P12). */
export function parseRefusal(status: number, headers: IncomingHttpHeaders, text: string): ApiError {
  const seconds = parseRetryAfter(single(headers['retry-after']), single(headers.date), new Date());
  const fallback = STATUS_CODES[status] ?? `HTTP ${status}`;
  let body: JsonObject | undefined;
  try {
    body = JSON.parse(text) as JsonObject;
  } catch {
    body = undefined;
  }
  const isStatus = body?.kind === 'Status';
  const details = isStatus ? (body?.details as JsonObject | undefined) : undefined;
  const asked = details?.retryAfterSeconds;
  const wait = seconds ?? (typeof asked === 'number' && asked > 0 ? asked : undefined);
  return new ApiError({
    status,
    reason: isStatus ? String(body?.reason ?? '') : '',
    message: isStatus ? String(body?.message ?? fallback) : text.trim().slice(0, 500) || fallback,
    causes: (details?.causes as readonly StatusCause[] | undefined) ?? [],
    ...(wait === undefined ? {} : { retryAfter: wait }),
  });
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

/** Whether RBAC refused, by the words that it has for it: not a webhook, a quota or a namespace that goes away. */
export function isMissingRight(error: unknown): error is ApiError {
  return isStatus(error, 403) && / cannot [a-z]+ (resource|path) "/.test(error.message);
}
