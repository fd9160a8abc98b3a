import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { Bus } from '../../operator/kube/bus.ts';

test('everyone who waits for a topic is woken at every change, and nobody after leaving', () => {
  const bus = new Bus();
  const [first, second, other] = [vi.fn(), vi.fn(), vi.fn()];
  const leave = bus.subscribe(['a', 'b'], first);
  bus.subscribe(['a'], second);
  bus.subscribe(['c'], other);
  bus.publish('a');
  bus.publish('b');
  leave();
  bus.publish('a');
  expect([first, second, other].map((each) => each.mock.calls.length)).toEqual([2, 2, 0]);
});

test('a topic that nobody waits for is published to nobody', () => {
  const bus = new Bus();
  const leave = bus.subscribe(['a'], () => expect.unreachable());
  leave();
  leave();
  bus.publish('a');
});

test('someone who leaves while being woken does not keep others from it', () => {
  const bus = new Bus();
  const second = vi.fn();
  const leave = bus.subscribe(['a'], () => leave());
  bus.subscribe(['a'], second);
  bus.publish('a');
  bus.publish('a');
  expect(second).toHaveBeenCalledTimes(2);
});

test('listening hears what changes while it is open, and nothing before', () => {
  const bus = new Bus();
  bus.publish('early');
  const listening = bus.listen();
  bus.publish('a');
  expect(listening.heard(['x', 'a'])).toBe(true);
  expect(listening.heard(['early', 'x'])).toBe(false);
  expect(listening.heard([])).toBe(false);
  listening.close();
  bus.publish('x');
  expect(listening.heard(['x'])).toBe(false);
});

type Step = { readonly kind: 'publish'; readonly topic: string } | { readonly kind: 'look' | 'wait' };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.constantFrom('a', 'b').map((topic) => ({ kind: 'publish' as const, topic })),
  fc.constantFrom({ kind: 'look' as const }, { kind: 'wait' as const }),
);

test('no change between a look and the wait behind it is lost, wherever it falls', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const bus = new Bus();
      let version = 0;
      let seen = -1;
      let listening: ReturnType<Bus['listen']> | undefined;
      let leave = () => {};
      const look = () => {
        leave();
        listening?.close();
        listening = bus.listen();
        seen = version;
      };
      const wait = () => {
        if (!listening) return;
        if (listening.heard(['a'])) return look();
        listening.close();
        listening = undefined;
        leave();
        leave = bus.subscribe(['a'], () => {
          seen = version;
        });
      };
      for (const { kind, ...more } of steps) {
        if (kind === 'look') look();
        else if (kind === 'wait') wait();
        else {
          const { topic } = more as { topic: string };
          if (topic === 'a') version++;
          bus.publish(topic);
        }
      }
      // Whatever the order was: going to wait now leaves nothing unseen.
      if (seen === -1) return;
      wait();
      expect(seen).toBe(version);
    }),
  );
});
