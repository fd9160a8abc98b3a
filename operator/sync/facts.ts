import type { ContactEvent, RefusalReason } from '../backends/backend.ts';

/** What is known of one upstream, for the status of its OptimizationBackend, readiness and metrics. */
export interface UpstreamFacts {
  /** Whether there is a key; without one nobody is asked anything. */
  keyed: boolean;
  /** Whether the last call was answered. Undefined until the first one. */
  connected: boolean | undefined;
  /** Whether the upstream accepts the key. Undefined until it said so. */
  authenticated: boolean | undefined;
  streaming: boolean;
  /** What a person has to do first at the upstream; undefined where nothing. */
  refused: RefusalReason | undefined;
  /** Why it is not connected or not authenticated. */
  message: string;
  lastContact: Date | undefined;
  lastTask: Date | undefined;
  lastSnapshot: Date | undefined;
  registered: boolean;
  received: number;
  rejected: number;
  reported: number;
}

/** Facts of an upstream that was never spoken to. */
export function newFacts(): UpstreamFacts {
  return {
    keyed: false,
    connected: undefined,
    authenticated: undefined,
    streaming: false,
    refused: undefined,
    message: '',
    lastContact: undefined,
    lastTask: undefined,
    lastSnapshot: undefined,
    registered: false,
    received: 0,
    rejected: 0,
    reported: 0,
  };
}

/** Takes what the adapter tells; returns whether something changed that an operator of the cluster wants to see at once. */
export function noteContact(facts: UpstreamFacts, event: ContactEvent, at: Date): boolean {
  const shown = () => `${facts.connected} ${facts.authenticated} ${facts.refused} ${facts.message}`;
  const before = shown();
  if (['contact', 'unauthenticated', 'unreachable'].includes(event.kind)) facts.refused = undefined;
  if (event.kind === 'contact') {
    facts.lastContact = at;
    facts.connected = true;
    facts.authenticated = true;
    facts.message = '';
  } else if (event.kind === 'unauthenticated') {
    if (facts.keyed) {
      facts.lastContact = at;
      facts.connected = true;
    }
    facts.authenticated = false;
    facts.message = event.message;
  } else if (event.kind === 'refused') {
    facts.lastContact = at;
    facts.connected = false;
    // Of an id that it does not know, an upstream cannot check the key.
    facts.authenticated = event.reason === 'NotRegistered' ? undefined : true;
    facts.refused = event.reason;
    facts.message = event.message;
  } else if (event.kind === 'unreachable') {
    facts.connected = false;
    // An upstream that is away refuses no key, and there may be another one by now.
    if (facts.authenticated === false) facts.authenticated = undefined;
    facts.message = event.message;
  } else if (event.kind === 'streaming') {
    facts.streaming = event.open;
  }
  return before !== shown();
}
