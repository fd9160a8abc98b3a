/** Runs the jobs, so many at a time, in their order; resolves when all have ended, and rejects with the first error after that. */
export async function runParallel(jobs: readonly (() => Promise<void>)[], width: number): Promise<void> {
  const waiting = jobs.values();
  const lane = async () => {
    for (const job of waiting) await job();
  };
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(width, jobs.length) }, lane));
  const broken = lanes.find((each) => each.status === 'rejected');
  if (broken) throw broken.reason;
}
