import { readFileSync } from 'node:fs';

// Loaded with `node --import` before the operator: at every SIGUSR2 the wall clock of this process is set to the real one plus the milliseconds
// in the file that TEST_CLOCK_FILE names. Timers and performance.now go on as they do when NTP or a person sets a clock.

const RealDate = Date;
let shift = 0;

class ShiftedDate extends RealDate {
  constructor(...args: readonly unknown[]) {
    // The types of Date allow no list of unknown length.
    if (args.length === 0) super(RealDate.now() + shift);
    else super(...(args as [number]));
  }

  static override now(): number {
    return RealDate.now() + shift;
  }
}

globalThis.Date = ShiftedDate as DateConstructor;

process.on('SIGUSR2', () => {
  shift = Number(readFileSync(process.env.TEST_CLOCK_FILE ?? '', 'utf8'));
});
