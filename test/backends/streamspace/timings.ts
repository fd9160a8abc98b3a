/** The times of the control plane, milliseconds; tests shorten them. */
export interface Timings {
  /** How often the server pings. */
  readonly serverPing: number;
  /** After so long without a ping or pong of the agent the connection ends; data do not count. */
  readonly readDeadline: number;
  /** How long one write may take. */
  readonly writeDeadline: number;
  /** How often connections are checked for heartbeats. */
  readonly staleCheck: number;
  /** A connection without a valid heartbeat for longer is closed by the next check. */
  readonly staleAfter: number;
  /** How long after the end of a connection its reader unregisters the agent, by id. */
  readonly unregister: number;
  /** How old the last heartbeat of an agent may be for sessions to be placed there. */
  readonly placement: number;
  /** How often stuck sessions are looked for. */
  readonly reconcile: number;
  /** A session that is terminating for longer is stopped once more. */
  readonly stuckAfter: number;
  /** An agent that is away for longer has lost its sessions. */
  readonly awayAfter: number;
  /** The window of the rate limit. */
  readonly rateWindow: number;
  /** How long after a command was written its row says `sent`; above 0 that overwrites a fast answer. */
  readonly sent: number;
}

/** What they really are (streamspace.md 2.2, 3.2). */
export const REAL_TIMINGS: Timings = {
  serverPing: 54_000,
  readDeadline: 60_000,
  writeDeadline: 10_000,
  staleCheck: 10_000,
  staleAfter: 45_000,
  unregister: 3,
  placement: 90_000,
  reconcile: 60_000,
  stuckAfter: 300_000,
  awayAfter: 600_000,
  rateWindow: 60_000,
  sent: 0,
};
