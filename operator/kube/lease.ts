import type { JsonObject } from '../lib/json.ts';
import type { Seconds } from '../lib/next.ts';
import type { KubeObject } from './object.ts';

/** The Lease that says which operator of a namespace acts. */
export const LEASE_NAME = 'cloudoptim-operator';
/** No operator can be told to keep its lease longer, so a record that says more is not believed. */
export const MAX_LEASE_SECONDS = 300;
/** A lease that is given back says so in this number, as client-go does it. */
const RELEASED_SECONDS = 1;

/** A Lease as far as an election reads it. */
export interface Lease {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** Who leads; empty: nobody. */
  readonly holder: string;
  /** How long the holder counts without renewing; undefined where the record does not say. */
  readonly seconds: Seconds | undefined;
  readonly acquireTime: string;
  readonly renewTime: string;
  readonly transitions: number;
}

/** Reads a Lease; what is missing or no number counts as not said. */
export function projectLease(raw: JsonObject): Lease {
  const { metadata, spec = {} } = raw as unknown as KubeObject;
  const { holderIdentity, leaseDurationSeconds, acquireTime, renewTime, leaseTransitions } = spec;
  const text = (value: unknown) => (typeof value === 'string' ? value : '');
  return {
    name: metadata.name,
    namespace: metadata.namespace ?? '',
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    holder: text(holderIdentity),
    seconds: typeof leaseDurationSeconds === 'number' ? leaseDurationSeconds : undefined,
    acquireTime: text(acquireTime),
    renewTime: text(renewTime),
    transitions: typeof leaseTransitions === 'number' ? leaseTransitions : 0,
  };
}

/** The spec of a Lease that `holder` takes or renews now; taking it from somebody else counts as a transition. */
export function heldSpec(before: Lease | undefined, holder: string, seconds: Seconds, now: Date): JsonObject {
  const time = microTime(now);
  const mine = before?.holder === holder;
  return {
    holderIdentity: holder,
    leaseDurationSeconds: seconds,
    acquireTime: mine ? before.acquireTime || time : time,
    renewTime: time,
    leaseTransitions: (before?.transitions ?? 0) + (mine || before === undefined ? 0 : 1),
  };
}

/** The spec of a Lease that is given back: whoever sees it may take it at once. */
export function releasedSpec(now: Date): JsonObject {
  const time = microTime(now);
  return { holderIdentity: '', leaseDurationSeconds: RELEASED_SECONDS, acquireTime: time, renewTime: time };
}

/** What somebody who wants to lead knows when it sees the record change. */
export interface Sight {
  readonly lease: Lease | undefined;
  readonly identity: string;
  /** Nothing was seen of the lease before. */
  readonly first: boolean;
  /** How long the record before was respected. */
  readonly respected: Seconds;
  /** One's own lease, for a record that does not say how long it holds. */
  readonly own: Seconds;
}

/**
 * How long a record must stay unchanged, from the moment it was seen, before the lead may be taken; 0: at once. Without a Lease at the start,
 * one that was given back, one's own, and that of the dead predecessor in the same pod are free. A Lease that vanished is not: its holder may still
 * be acting. Nor is one that somebody has emptied by hand.
 */
export function respect({ lease, identity, first, respected, own }: Sight): Seconds {
  if (!lease) return first ? 0 : respected;
  if (lease.holder === identity || (lease.holder === '' && lease.seconds === RELEASED_SECONDS)) return 0;
  if (first && isPredecessor(lease.holder, identity)) return 0;
  return Math.min(lease.seconds ?? own, MAX_LEASE_SECONDS);
}

/** Names one process: the pod, its UID and a random suffix, or the machine and the suffix outside a cluster. */
export function identityOf(pod: { readonly name: string; readonly uid: string } | undefined, machine: string, suffix: string): string {
  return pod ? `${pod.name}_${pod.uid}_${suffix}` : `${machine}_${suffix}`;
}

/** The pod or machine in an identity, for people. */
export function shortName(identity: string): string {
  return identity.split('_')[0] ?? identity;
}

/** The kubelet starts a container only when the one before it is gone, so an older process of the same pod is dead (the UID says the same pod). */
function isPredecessor(holder: string, identity: string): boolean {
  const podOf = (text: string) => /^(.+_.+)_[^_]*$/.exec(text)?.[1];
  return podOf(identity) !== undefined && podOf(holder) === podOf(identity);
}

/** As metav1.MicroTime has it. */
function microTime(now: Date): string {
  return now.toISOString().replace('Z', '000Z');
}
