import type { Seconds } from '../lib/next.ts';

/** One cause of a refusal as the API server lists it, for example `{ reason: 'DisruptionBudget', message: '…' }`. */
export interface StatusCause {
  readonly reason?: string;
  readonly message?: string;
  readonly field?: string;
}

interface ApiErrorFacts {
  readonly status: number;
  readonly reason: string;
  readonly message: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfter?: Seconds;
}

/** An answer of the API server that is not 2xx, read once into fields (FIELD.md P12). */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly reason: string;
  readonly causes: readonly StatusCause[];
  readonly retryAfter: Seconds | undefined;

  constructor(facts: ApiErrorFacts) {
    super(facts.message);
    this.status = facts.status;
    this.reason = facts.reason;
    this.causes = facts.causes ?? [];
    this.retryAfter = facts.retryAfter;
  }
}

/** The API server could not be reached, or the connection broke before an answer: the outcome of a write is unknown. */
export class ApiUnreachable extends Error {
  override readonly name = 'ApiUnreachable';
}

/** Whether the error is an API answer with this HTTP status. */
export function isStatus(error: unknown, status: number): error is ApiError {
  return error instanceof ApiError && error.status === status;
}
