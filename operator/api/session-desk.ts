import type { Session } from './session.ts';
import type { SessionRequest, SessionState } from './session-spec.ts';

/** What an action wants a Session to be. */
export interface SessionIntent {
  readonly state: SessionState;
  /** The action, as `namespace/name`. */
  readonly by: string;
  /** When the action started: of two intents the later one counts, whatever order they are carried out in. */
  readonly at: Date;
  /** The incarnation that is meant, beside one that this very action made; empty: none was there. Absent: any. */
  readonly uid?: string;
  /** What the Session is made with where there is none; absent for actions that make none. */
  readonly request?: SessionRequest;
  /** True: a session that is to be stopped runs again. Default false: a stop beats it, whichever was asked for later. */
  readonly restarts?: boolean;
  /** True: a stop takes the home with it. Default false. */
  readonly deleteHome?: boolean;
  /** What is undone: the intent is taken only while this state, asked for by the same action, stands. Absent: it undoes nothing. */
  readonly insteadOf?: SessionState;
}

/** What became of an intent. */
export type IntentOutcome =
  /** It stands in the Session. `did`: what this call did for that; Nothing, because an earlier try did, or a later intent wants the same. */
  | { readonly kind: 'recorded'; readonly session: Session; readonly did: 'Create' | 'Write' | 'Nothing' }
  /** A later intent, by that action, or an edit of the spec stands in the Session; nothing was written. */
  | { readonly kind: 'superseded'; readonly by: string }
  /** It is to be stopped, and this intent does not restart; nothing was written. */
  | { readonly kind: 'stopped'; readonly session: Session }
  /** The Session is another one than is meant; nothing was written. */
  | { readonly kind: 'replaced'; readonly session: Session }
  /** The Session is being deleted; nothing was written. */
  | { readonly kind: 'leaving'; readonly session: Session }
  | { readonly kind: 'absent' };

/** What session actions see and may do: they state what a Session should be, and never touch its workload. */
export interface SessionDesk {
  /** The namespace of all Sessions. */
  readonly namespace: string;
  /** As fresh as the watch. */
  get(name: string): Session | undefined;
  /** Reads it fresh from the API server. */
  read(name: string, signal: AbortSignal): Promise<Session | undefined>;
  /** What it should be: its spec, or the override that stands instead. */
  desired(session: Session): SessionState;
  /** Writes the intent into the Session, or makes it; where somebody else owns `spec.state`, as an override in its status. Idempotent. */
  intend(name: string, intent: SessionIntent, signal: AbortSignal): Promise<IntentOutcome>;
  /** By whom an intent that was recorded before is overruled now; undefined while it stands. */
  overruled(session: Session, intent: SessionIntent): string | undefined;
  /** Why a session that is not active may not become so now, for good words of a refusal; undefined where it may. */
  refusal(name: string, request: SessionRequest | undefined): string | undefined;
}
