import { Backoff } from '../../lib/backoff.ts';
import type { ContactEvent } from '../backend.ts';
import type { SessionSettings } from '../settings.ts';
import type { Credential } from '../transport/credential.ts';
import { explain } from '../transport/explain.ts';
import { pause } from '../transport/pause.ts';
import { keyFlaw } from './identity.ts';

/** Uses a key that the control plane has issued at once, and keeps it for the next process, however often that takes. */
export class KeyKeeper {
  readonly #keepKey: SessionSettings['keepKey'];
  readonly #credential: Credential;
  readonly #observe: (event: ContactEvent) => void;
  #last: string | undefined;

  constructor(sessions: Pick<SessionSettings, 'keepKey'>, credential: Credential, observe: (event: ContactEvent) => void) {
    this.#keepKey = sessions.keepKey;
    this.#credential = credential;
    this.#observe = observe;
  }

  /** Takes an issued key; one that cannot be a key is told and left. */
  keep(key: string, signal: AbortSignal): void {
    if (keyFlaw(key) !== undefined) this.#observe({ kind: 'malformed', message: 'the control plane issued a key that is no key' });
    else if (key !== this.#last) {
      this.#last = key;
      this.#credential.replace(key);
      void this.#store(key, signal);
    }
  }

  async #store(key: string, signal: AbortSignal): Promise<void> {
    const backoff = new Backoff();
    while (!signal.aborted && this.#last === key) {
      try {
        return await this.#keepKey(key, signal);
      } catch (error) {
        if (signal.aborted) return;
        const why = this.#credential.redact(explain(error));
        this.#observe({ kind: 'malformed', message: `The issued API key is used, but could not be kept for the next start: ${why}` });
        await pause(backoff.next(), signal);
      }
    }
  }
}
