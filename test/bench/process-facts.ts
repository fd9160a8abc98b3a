import { readFile } from 'node:fs/promises';

/** Clock ticks per second in `/proc`, the same on every Linux that Node runs on. */
const TICKS = 100;

/** Resident memory of a process in MB of 1024 x 1024 bytes. */
export function residentMB(pid: number): Promise<number> {
  return memoryMB(pid, 'VmRSS');
}

/** The most resident memory that a process has had so far, in the same unit. */
export function peakMB(pid: number): Promise<number> {
  return memoryMB(pid, 'VmHWM');
}

async function memoryMB(pid: number, field: string): Promise<number> {
  const [, kilobytes] = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? [];
  if (kilobytes === undefined) throw new Error(`process ${pid} has no memory`);
  return Number(kilobytes) / 1024;
}

/** Seconds of processor time that a process has used, its threads included. */
export async function processorSeconds(pid: number): Promise<number> {
  // The name of the program may contain blanks and stands in parentheses.
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /s, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}
