import { ApiError, ApiUnreachable } from '../../kube/error.ts';
import type { Seconds } from '../../lib/next.ts';
import { isAdmissionDenial, isWebhookFailure } from '../outcome.ts';

/** What one answer to an eviction means and asks for; the rows are FIELD.md 1.3. */
export type Verdict =
  /** E1: wait until the UID has vanished. */
  | { readonly kind: 'accepted' }
  /** 404: there is nothing to evict any more (K21). */
  | { readonly kind: 'gone' }
  /** E2: the budget allows none now. With `retryAfter` E3: it was not counted yet, which is no blocker. */
  | { readonly kind: 'budget'; readonly retryAfter?: Seconds }
  /** E4: the API server protects itself; everybody slows down. */
  | { readonly kind: 'busy'; readonly retryAfter?: Seconds }
  /** E6: another UID, or a lost race; a fresh look tells which. */
  | { readonly kind: 'conflict' }
  /** E5, E7, E8, E9, E11 and whatever else may pass: try this pod again later; `shown` as a blocker or not. */
  | { readonly kind: 'later'; readonly cause: LaterCause; readonly shown: boolean; readonly words?: string; readonly retryAfter?: Seconds }
  /** E10: no repetition helps. */
  | { readonly kind: 'forbidden'; readonly message: string };

/** Causes that only the words of the refusal explain. */
const TOLD: readonly LaterCause[] = ['WebhookDenied', 'EvictionRefused'];

/** Why one pod is tried again later; shown ones are the cause of a blocker. */
export type LaterCause =
  | 'MultiplePDBs'
  | 'WebhookDenied'
  | 'WebhookUnavailable'
  | 'NamespaceTerminating'
  | 'DisruptionBudget'
  | 'ServerError'
  | 'EvictionRefused';

/** Reads what the API server, or the way to it, answered to an eviction or deletion of a pod; rethrows what is neither. */
export function judgeRefusal(error: unknown): Verdict {
  if (error instanceof ApiUnreachable) return { kind: 'later', cause: 'ServerError', shown: false };
  if (!(error instanceof ApiError)) throw error;
  if (isAdmissionDenial(error)) return later(error, 'WebhookDenied', true);
  if (isWebhookFailure(error)) return later(error, 'WebhookUnavailable', true);
  switch (error.status) {
    case 401:
      // The credentials are being read anew.
      return later(error, 'ServerError', false);
    case 404:
      return isMissingPath(error) ? later(error, 'EvictionRefused', true) : { kind: 'gone' };
    case 409:
      return { kind: 'conflict' };
    case 429:
      return { kind: hasCause(error, 'DisruptionBudget') ? 'budget' : 'busy', ...wait(error) };
    case 403:
      return judgeForbidden(error);
    case 500:
      return MANY_BUDGETS.test(error.message) ? later(error, 'MultiplePDBs', true) : later(error, 'ServerError', false);
    default:
      return error.status > 500 ? later(error, 'ServerError', false) : later(error, 'EvictionRefused', true);
  }
}

/** E5: the Status has no reason; only the words of the eviction handler tell it from another 500. */
const MANY_BUDGETS = /more than one PodDisruptionBudget/i;
/** E9: a 403 that names the budget is about its numbers, not about rights. */
const NAMES_BUDGET = /^poddisruptionbudgets?(\.policy)? "/i;

function judgeForbidden(error: ApiError): Verdict {
  if (hasCause(error, 'NamespaceTerminating')) return later(error, 'NamespaceTerminating', false);
  if (NAMES_BUDGET.test(error.message)) return later(error, 'DisruptionBudget', true);
  return { kind: 'forbidden', message: error.message };
}

/** An API server without the eviction endpoint must not look like a pod that is gone (K18). */
function isMissingPath(error: ApiError): boolean {
  return error.reason !== 'NotFound' || /could not find the requested resource/.test(error.message);
}

function later(error: ApiError, cause: LaterCause, shown: boolean): Verdict {
  return { kind: 'later', cause, shown, ...(TOLD.includes(cause) ? { words: error.message } : {}), ...wait(error) };
}

function wait({ retryAfter }: ApiError): { readonly retryAfter?: Seconds } {
  return retryAfter === undefined ? {} : { retryAfter };
}

function hasCause(error: ApiError, reason: string): boolean {
  return error.causes.some((cause) => cause.reason === reason);
}
