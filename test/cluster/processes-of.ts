import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** The command lines of all running processes that name the folder, as ps shows them. */
export async function processesOf(folder: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-ww', '-o', 'args='], { maxBuffer: 16 * 1024 * 1024 });
  return stdout.split('\n').filter((line) => line.includes(folder));
}
