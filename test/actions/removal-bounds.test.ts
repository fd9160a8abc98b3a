import { expect, it } from 'vitest';
import { drainOf, webPods } from './drain-passes.ts';
import { FakeCluster } from './fake-cluster.ts';

/** Counts evictions on their way, and lets them arrive only when told. */
class SlowCluster extends FakeCluster {
  under = 0;
  readonly arrive: (() => void)[] = [];

  override async evict(pod: Parameters<FakeCluster['evict']>[0]): Promise<void> {
    this.under++;
    await new Promise<void>((resolve) => this.arrive.push(resolve));
    this.under--;
    await super.evict(pod);
  }
}

/** Lets everything that can go on without an answer go on. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

it('K20 N5 at most 50 evictions at once for one drain and 500 for all, and all of them in the end', async () => {
  const names = Array.from({ length: 60 }, (_, index) => `p${index}`);
  const cluster = new SlowCluster(webPods(...names));
  const passes = Array.from({ length: 12 }, (_, index) => drainOf(cluster, { actor: `cloudoptim/${index}` }));
  for (const pass of passes) await pass();
  const [first, ...others] = passes;
  const running = [first?.()];
  await settled();
  expect(cluster.under).toBe(50);
  running.push(...others.map((pass) => pass()));
  await settled();
  expect(cluster.under).toBe(500);
  let most = 0;
  while (cluster.arrive.length > 0) {
    most = Math.max(most, cluster.under);
    cluster.arrive.shift()?.();
    await settled();
  }
  await Promise.all(running);
  expect(most).toBe(500);
  expect(cluster.evictions).toHaveLength(12 * 60);
});
