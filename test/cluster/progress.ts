/** Takes one line of progress. */
export type Log = (line: string) => void;

/** Progress for people: standard error, so that standard output stays usable by programs. */
export const toStandardError: Log = (line) => void process.stderr.write(`${line}\n`);

/** Says what begins and how long it may take, does it, and says how long it took; a failure passes through. */
export async function step<T>(log: Log, what: string, expected: string, work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  log(`${what} (${expected}) …`);
  const result = await work();
  log(`${what}: done in ${((performance.now() - began) / 1000).toFixed(1)} s`);
  return result;
}
