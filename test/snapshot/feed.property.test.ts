import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ClusterEvent } from '../../operator/backends/snapshot.ts';
import type { ClusterEventFeed } from '../../operator/snapshot/events.ts';
import { coreEvent, killedPod, node, startFeed } from './feed-samples.ts';

type Step =
  | { readonly do: 'event'; readonly id: number; readonly count: number }
  | { readonly do: 'node'; readonly id: number; readonly version: number }
  | { readonly do: 'pod'; readonly id: number; readonly kills: number }
  | { readonly do: 'take'; readonly max: number }
  | { readonly do: 'give back' }
  | { readonly do: 'keep' };

const id = fc.nat(3);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('event' as const), id, count: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ do: fc.constant('node' as const), id, version: fc.nat(4) }),
  fc.record({ do: fc.constant('pod' as const), id, kills: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ do: fc.constant('take' as const), max: fc.nat(6) }),
  fc.constant({ do: 'give back' as const }),
  fc.constant({ do: 'keep' as const }),
);

/** What one step tells the feed; the key of the happening it tells of. */
function observe(feed: ClusterEventFeed, told: Step): string | undefined {
  switch (told.do) {
    case 'event':
      feed.observeEvent(coreEvent(`e${told.id}`, { count: told.count, at: told.count }));
      return `e${told.id}/${told.count}`;
    case 'node':
      feed.observeNode(node(`n${told.id}`, true), node(`n${told.id}`, false, `${told.version}`));
      return `uid-n${told.id}/not-ready/${told.version}`;
    case 'pod': {
      const kills = Array.from({ length: told.kills }, (_, index) => index + 1);
      feed.observePod(undefined, killedPod(`p${told.id}`, ...kills));
      return `p${told.id} ${told.kills}`;
    }
    default:
      return undefined;
  }
}

/** Runs the steps as one upstream would: what is taken is either given back or kept, before more is taken. */
function run(feed: ClusterEventFeed, steps: readonly Step[], after: () => void): { kept: ClusterEvent[]; told: Set<string> } {
  const kept: ClusterEvent[] = [];
  const told = new Set<string>();
  let hand: readonly ClusterEvent[] = [];
  for (const each of steps) {
    const key = observe(feed, each);
    if (key !== undefined) told.add(key);
    if (each.do === 'give back') feed.giveBack(hand);
    if (each.do === 'keep') kept.push(...hand);
    if (each.do === 'give back' || each.do === 'keep') hand = [];
    if (each.do === 'take' && hand.length === 0) hand = feed.take(each.max);
    after();
  }
  feed.giveBack(hand);
  after();
  return { kept: [...kept, ...feed.take(Number.MAX_SAFE_INTEGER)], told };
}

test('in any interleaving each happening arrives exactly once', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const { feed } = startFeed();
      const { kept, told } = run(feed, steps, () => undefined);
      expect(new Set(kept.map((event) => event.key)).size).toBe(kept.length);
      expect(kept).toHaveLength(told.size);
      expect(feed.dropped).toBe(0);
    }),
  );
});

test('in any interleaving the feed stays bounded, loses the oldest and counts them, and sends nothing twice', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 80 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 5 }),
      (steps, buffer, remember) => {
        const { feed, clock } = startFeed({ buffer, remember });
        // Later than all that is told of: what clocks running ahead tell may come twice once it is forgotten.
        clock.seconds = 10;
        const { kept, told } = run(feed, steps, () => expect(feed.waiting).toBeLessThanOrEqual(buffer));
        expect(new Set(kept.map((event) => event.key)).size).toBe(kept.length);
        expect(kept.length + feed.dropped).toBeLessThanOrEqual(told.size);
      },
    ),
  );
});

test('what is given back keeps its place and its order', () => {
  fc.assert(
    fc.property(fc.nat(20), fc.nat(20), fc.nat(20), (before, taken, after) => {
      const { feed } = startFeed();
      for (let index = 0; index < before; index++) feed.observeEvent(coreEvent(`e${index}`));
      const hand = feed.take(taken);
      for (let index = before; index < before + after; index++) feed.observeEvent(coreEvent(`e${index}`));
      feed.giveBack(hand);
      expect(feed.take(99).map((event) => event.key)).toEqual(Array.from({ length: before + after }, (_, index) => `e${index}/1`));
    }),
  );
});
