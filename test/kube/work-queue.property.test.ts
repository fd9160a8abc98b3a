import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WorkQueue } from '../../operator/kube/work-queue.ts';

type Step =
  | { readonly kind: 'add' | 'later' | 'twice'; readonly key: string }
  /** Ends one of the passes under way. */
  | { readonly kind: 'end'; readonly which: number };

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('add' as const, 'later' as const, 'twice' as const), key }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('end' as const), which: fc.nat(7) }) },
);

interface Pass {
  readonly key: string;
  /** How often the key had been asked for when the pass began. */
  readonly saw: number;
  readonly end: () => void;
}

/** A queue under watch: who runs, who asked how often, and what the last pass of each key could have seen. */
class Rig {
  readonly asked = new Map<string, number>();
  readonly seen = new Map<string, number>();
  readonly running: Pass[] = [];
  readonly started: string[] = [];
  readonly queue: WorkQueue;
  widest = 0;

  constructor(width: number, ranks: readonly number[]) {
    const rank = (each: string) => ranks['abcdef'.indexOf(each)] ?? 5;
    this.queue = new WorkQueue({ width, rank, handle: (each) => this.#handle(each) });
  }

  async take(step: Step): Promise<void> {
    if (step.kind === 'end') this.running[step.which % Math.max(1, this.running.length)]?.end();
    else this.#ask(step);
    await settled();
  }

  /** Ends passes until nothing is left to do; returns how many it took. */
  async drain(): Promise<number> {
    let passes = 0;
    for (; this.running.length > 0; passes++) {
      this.running[0]?.end();
      await settled();
    }
    return passes;
  }

  #ask({ kind, key: each }: Exclude<Step, { kind: 'end' }>): void {
    this.asked.set(each, (this.asked.get(each) ?? 0) + 1);
    if (kind === 'later') this.queue.addAfter(each, 1000);
    if (kind === 'twice') this.queue.add(each);
    this.queue.add(each);
  }

  async #handle(each: string): Promise<void> {
    expect(this.running.map((pass) => pass.key)).not.toContain(each);
    const { promise, resolve } = Promise.withResolvers<void>();
    const pass = { key: each, saw: this.asked.get(each) ?? 0, end: resolve };
    this.running.push(pass);
    this.started.push(each);
    this.widest = Math.max(this.widest, this.running.length);
    await promise;
    this.running.splice(this.running.indexOf(pass), 1);
    this.seen.set(each, pass.saw);
  }
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

const schedule = fc.record({
  width: fc.integer({ min: 1, max: 4 }),
  ranks: fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 6, maxLength: 6 }),
  before: fc.array(step, { maxLength: 5 }),
  steps: fc.array(step, { maxLength: 40 }),
});

test('never two passes of a key at once, never more than the width, and every key asked for is looked at after the last time', async () => {
  await fc.assert(
    fc.asyncProperty(schedule, async ({ width, ranks, before, steps }) => {
      const rig = new Rig(width, ranks);
      for (const each of before) await rig.take(each);
      expect(rig.started).toEqual([]);
      rig.queue.open();
      await settled();
      for (const each of steps) await rig.take(each);
      await rig.drain();
      expect(rig.seen).toEqual(rig.asked);
      expect(rig.widest).toBeLessThanOrEqual(width);
      expect(rig.queue.depth).toBe(0);
      await rig.queue.close();
    }),
    { numRuns: 300 },
  );
});

test('no key starves: of those of one rank, each waits for the others at most once, however often they come back', async () => {
  const crowd = fc.record({ width: fc.integer({ min: 1, max: 3 }), order: fc.uniqueArray(key, { minLength: 2 }), rounds: fc.nat(20) });
  await fc.assert(
    fc.asyncProperty(crowd, async ({ width, order, rounds }) => {
      const rig = new Rig(width, []);
      for (const each of order) await rig.take({ kind: 'add', key: each });
      rig.queue.open();
      await settled();
      for (let round = 0; round < rounds; round++) {
        // Whoever runs asks for another pass of itself, as busy objects do.
        for (const { key: each } of rig.running) await rig.take({ kind: 'add', key: each });
        await rig.take({ kind: 'end', which: 0 });
      }
      await rig.drain();
      for (const each of order) {
        const places = rig.started.flatMap((started, index) => (started === each ? [index] : []));
        const gaps = places.map((place, index) => place - (places[index - 1] ?? -1));
        expect(Math.max(...gaps)).toBeLessThanOrEqual(order.length + width);
      }
      await rig.queue.close();
    }),
    { numRuns: 200 },
  );
});
