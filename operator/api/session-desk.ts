import type { Session } from './session.ts';
import type { SessionRequest, SessionState } from './session-spec.ts';

/** What an action wants a Session to be. */
export interface SessionIntent {
  readonly state: SessionState;
  /** The action, as `namespace/name`. */
  readonly by: string;
  /** When the action started: of two intents the later one counts, whatever order they are carried out in. */
  readonly at: Date;
  /** What the Session is made with where there is none; absent for actions that make none. */
  readonly request?: SessionRequest;
  /** True: a stop takes the home with it. Default false. */
  readonly deleteHome?: boolean;
}

/** What became of an intent. */
export type IntentOutcome =
  /** It stands in the Session, now or from an earlier try. `created`: this call made the Session. */
  | { readonly kind: 'recorded'; readonly session: Session; readonly created: boolean }
  /** A later intent, by that action, or an edit of the spec stands in the Session. */
  | { readonly kind: 'superseded'; readonly by: string }
  | { readonly kind: 'absent' };

/** What session actions see and may do: they state what a Session should be, and never touch its workload. */
export interface SessionDesk {
  /** The namespace of all Sessions. */
  readonly namespace: string;
  /** As fresh as the watch. */
  get(name: string): Session | undefined;
  /** Reads it fresh from the API server. */
  read(name: string, signal: AbortSignal): Promise<Session | undefined>;
  /** Writes the intent into the Session by server-side apply without force; where somebody else owns `spec.state`, as an override in its status. Idempotent. */
  intend(name: string, intent: SessionIntent, signal: AbortSignal): Promise<IntentOutcome>;
  /** Why a session that is not active may not become so now, for good words of a refusal; undefined where it may. */
  refusal(name: string, request: SessionRequest | undefined): string | undefined;
}
