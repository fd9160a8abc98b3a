import { isAdmissionDenial, isWebhookFailure } from '../actions/outcome.ts';
import { ApiError, ApiUnreachable } from '../kube/error.ts';

/** What keeps a pass from coming to its end, as a condition says it: the cause in one word, and the words of the error. */
export function troubleOf(error: unknown): { readonly reason: string; readonly message: string } {
  return { reason: reasonOf(error), message: error instanceof Error ? error.message : String(error) };
}

function reasonOf(error: unknown): string {
  if (error instanceof ApiUnreachable) return 'ServerError';
  if (!(error instanceof ApiError)) return 'Error';
  if (isAdmissionDenial(error)) return 'WebhookDenied';
  if (isWebhookFailure(error)) return 'WebhookUnavailable';
  if (error.status >= 500) return 'ServerError';
  return BY_STATUS[error.status] ?? 'Error';
}

const BY_STATUS: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  409: 'Conflict',
  429: 'TooManyRequests',
};
