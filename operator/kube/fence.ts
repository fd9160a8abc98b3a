/** This process does not lead, or no longer: what it was about to write, another one may be writing. */
export class NotLeading extends Error {
  override readonly name = 'NotLeading';
}

/** Says whether writes may be made now. */
export interface Fence {
  /** Throws NotLeading when they may not. */
  check(): void;
  /** Aborts with NotLeading at the latest when they no longer may, so that what is on its way ends. */
  readonly signal: AbortSignal;
}
