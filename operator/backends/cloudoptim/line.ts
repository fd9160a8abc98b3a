import { BackendError, type ContactEvent } from '../backend.ts';
import { type Answer, isPathNotServed } from '../transport/answer.ts';
import type { Call, JSONClient } from '../transport/http.ts';

/** Calls to one upstream whose outcome is observed, so that every call keeps the connection's conditions true. */
export class Line {
  readonly #client: JSONClient;
  readonly observe: (event: ContactEvent) => void;

  constructor(client: JSONClient, observe: (event: ContactEvent) => void) {
    this.#client = client;
    this.observe = observe;
  }

  /** As JSONClient.request; a 404 of a path that is not served is thrown too: the base URL is wrong or the upstream is being replaced. */
  async request(call: Call): Promise<Answer> {
    try {
      const answer = await this.#client.request(call);
      if (isPathNotServed(answer)) {
        const path = call.path.replace(/\?.*/, '');
        throw new BackendError(`${call.method} ${path} was answered 404: the upstream does not serve this path; check the URL`, {
          status: 404,
        });
      }
      this.observe({ kind: 'contact' });
      return answer;
    } catch (error) {
      if (error instanceof BackendError && !call.signal.aborted) this.observe(judge(error));
      throw error;
    }
  }

  /** A POST that only has to be taken: 2xx resolves, a 4xx is thrown as final with the upstream's words. */
  async post(path: string, body: unknown, signal: AbortSignal): Promise<void> {
    const answer = await this.request({ method: 'POST', path, body, signal });
    if (!isTaken(answer)) throw refusal(path, answer);
  }
}

/** True for 2xx. */
export function isTaken(answer: Answer): boolean {
  return answer.status < 300;
}

/** A final refusal as an error. */
export function refusal(path: string, answer: Answer): BackendError {
  return new BackendError(`POST ${path} was refused with ${reasonOf(answer)}`, { status: answer.status, final: true });
}

/** `422 validation_error: … (request …)`. */
export function reasonOf(answer: Answer): string {
  return answer.words === '' ? String(answer.status) : `${answer.status} ${answer.words}`;
}

function judge(error: BackendError): ContactEvent {
  if (error.status === 401 || error.status === 403) return { kind: 'unauthenticated', message: error.message };
  // Who asks for patience is there, and knows the key.
  return error.status === 429 ? { kind: 'contact' } : { kind: 'unreachable', message: error.message };
}
