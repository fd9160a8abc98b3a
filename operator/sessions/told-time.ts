import { cut } from '../api/cut.ts';
import type { Seconds } from '../lib/next.ts';
import { parseTime } from '../lib/time.ts';

/** The clock of whoever writes when somebody was active may be so far ahead of ours. */
export const AHEAD: Seconds = 60;
/** So much of a wrong value is shown. */
const SHOWN = 64;

/** A time that somebody wrote down, or what is wrong with it, to follow the name of where it stands. */
export type ToldTime =
  | { readonly at: Date }
  /** `passesIn`: it is right but for being yet to come, and will be past then. */
  | { readonly problem: string; readonly passesIn?: Seconds };

/** Reads the time at which something happened, as somebody else wrote it down: it must be RFC 3339, and at most so far ahead that it means now. */
export function pastTime(text: string, now: Date, mostAhead: Seconds = 0): ToldTime {
  const told = anyTime(text);
  if ('problem' in told || told.at.getTime() <= now.getTime()) return told;
  const passesIn = (told.at.getTime() - now.getTime()) / 1000;
  if (passesIn <= mostAhead) return { at: now };
  return {
    passesIn,
    problem: `is ${quoted(text)}, which is yet to come: write a time that has passed, or set the clock of whoever writes it`,
  };
}

/** Reads a time, past or to come. */
export function anyTime(text: string): ToldTime {
  const at = parseTime(text);
  return at ? { at } : { problem: `is ${quoted(text)}, which is no RFC 3339 time: write one such as 2026-12-01T10:00:00Z` };
}

function quoted(text: string): string {
  return JSON.stringify(cut(text, SHOWN));
}
