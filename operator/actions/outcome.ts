import { ApiError } from '../kube/error.ts';
import type { ActionContext, Progress } from './action.ts';

/** The end of an action that cannot be carried out. */
export type Failure = Extract<Progress, { state: 'failed' }>;

/** A failure with its CamelCase cause. */
export function failed(reason: string, message: string, more: Omit<Failure, 'state' | 'reason' | 'message'> = {}): Failure {
  return { state: 'failed', reason, message, ...more };
}

/** Whether this action did something, or what was there before it; `Unknown` where the cluster cannot tell, and nothing is done again to find out. */
export type Known = boolean | 'Unknown';

/** The end of a message about what this action may have done before it could record it. */
export const UNKNOWN_WHOSE = 'whether by this action or by others is unknown: an earlier attempt ended without a record';

const WEBHOOK_REFUSAL = /admission webhook "[^"]*" denied|ValidatingAdmissionPolicy '[^']*'.* denied/;

/** Whether an admission webhook or policy refused, by the words that the API server puts around it (FIELD.md E11). */
export function isAdmissionDenial(error: ApiError): boolean {
  return WEBHOOK_REFUSAL.test(error.message);
}

const WEBHOOK_FAILURE = /failed calling webhook|failed to call webhook/;

/** Whether an admission webhook that has to be asked did not answer, or not so that it can be understood: another try may help. */
export function isWebhookFailure(error: ApiError): boolean {
  return error.status >= 500 && WEBHOOK_FAILURE.test(error.message);
}

/**
 * Runs a look and turns the refusals that no repetition changes into failures (rule 4, FIELD.md E10): a missing right, a webhook's no, an
 * invalid request. Whatever else is thrown goes on to the controller: a surprise, or a look that the operator's stop cut short, after which the
 * status stays as it is for the next process.
 */
export async function answering(context: ActionContext, look: () => Promise<Progress>): Promise<Progress> {
  try {
    return await look();
  } catch (error) {
    if (context.signal.aborted) throw error;
    const failure = error instanceof ApiError ? refusal(error) : undefined;
    if (failure) return failure;
    throw error;
  }
}

/** The failure that this answer of the API server means; undefined where trying again may help. */
function refusal(error: ApiError): Failure | undefined {
  if (isAdmissionDenial(error)) return failed('WebhookDenied', error.message);
  if (error.status === 403) return failed('Forbidden', error.message);
  if (error.status === 400 || error.status === 422) return failed('InvalidSpec', `the API server refuses the request: ${error.message}`);
  return undefined;
}
