import type { Seconds, Topic } from '../lib/next.ts';
import type { OptimizationBackendSpec } from './optimization-backend.ts';

/** An upstream as it should run. */
export interface UpstreamRequest {
  readonly name: string;
  readonly spec: OptimizationBackendSpec;
  readonly clusterID: string;
  readonly agentID: string;
  readonly intervals: { readonly poll: Seconds; readonly metrics: Seconds; readonly heartbeat: Seconds };
  /** What the status of the object says was counted so far. */
  readonly counted: { readonly received: number; readonly reported: number; readonly rejected: number };
  readonly key: string | undefined;
  readonly caBundle: string | undefined;
  /** PEM, where the upstream asks for one. */
  readonly clientCertificate: { readonly certificate: string; readonly key: string } | undefined;
}

/** What the status shows of a running upstream. */
export interface UpstreamReport {
  readonly connected: boolean | undefined;
  readonly authenticated: boolean | undefined;
  readonly message: string;
  /** Why the upstream wants a person to do something first, as a reason; undefined while it does not. */
  readonly refused: string | undefined;
  readonly lastContact: Date | undefined;
  readonly lastTask: Date | undefined;
  readonly lastSnapshot: Date | undefined;
  readonly registered: boolean;
  readonly tasks: { readonly received: number; readonly running: number; readonly reported: number; readonly rejected: number };
  readonly lag: number;
  /** Kinds of nodes without a price; empty when there is no price table. */
  readonly unpriced: string;
}

/** Starts, changes and stops upstreams. */
export interface UpstreamDesk {
  ensure(request: UpstreamRequest): Promise<UpstreamReport>;
}

/** Changes when something about the running upstream changes that its status should show at once. */
export function upstreamTopic(name: string): Topic {
  return `upstream/${name}`;
}
