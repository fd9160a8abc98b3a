/** One measured figure, as it is printed; `null` where a number cannot be had in this run. */
export interface Line {
  readonly figure: string;
  readonly ours: number;
  readonly unit: string;
  readonly peer: number | null;
  readonly floor: number | null;
  /** What was promised; `null`: for information only. */
  readonly goal: string | null;
  readonly met: boolean | null;
  /** What `peer` was measured with, where the name of the figure does not tell. */
  readonly peerName?: string;
  /** Ours as a multiple of the floor. */
  readonly ratio?: number;
}

/** A measurement with a control plane of its own: the names of its lines, the first of which also names the measurement, and the work. */
export interface Figure {
  readonly name: string;
  readonly lines: readonly string[];
  /** Measures and returns the lines; throws when it could not measure, which a missed goal is not. */
  readonly measure: () => Promise<readonly Line[]>;
}

/** Tells on standard error how far the measurement is. */
export function note(text: string): void {
  process.stderr.write(`${new Date().toTimeString().slice(0, 8)} ${text}\n`);
}

/** The value in the middle, of an even number of values the lower of the two there. Throws without values. */
export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** The smallest value that at least so many percent of the values do not exceed. Throws without values. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
  if (value === undefined) throw new Error('nothing was measured');
  return value;
}

/** Rounded to so many digits after the point. */
export function round(value: number, digits = 3): number {
  return Number(value.toFixed(digits));
}
