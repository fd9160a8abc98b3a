import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Store } from '../../operator/kube/store.ts';

interface Item {
  readonly key: string;
  readonly uid: string;
  readonly resourceVersion: string;
}

type Said = [before: string | undefined, after: string | undefined];

/** A store of items that remembers what it told. */
function makeStore() {
  const store = new Store<Item>((item) => item);
  const said: Said[] = [];
  const show = (each: Item | undefined) => each && `${each.uid}@${each.resourceVersion}`;
  store.onChange((before, after) => said.push([show(before), show(after)]));
  return { store, said };
}

const item = (uid: string, version: number, key = uid.charAt(0)): Item => ({ key, uid, resourceVersion: String(version) });

test('what the watch shows is told once each', () => {
  const { store, said } = makeStore();
  store.apply(item('a1', 1));
  store.apply(item('a1', 2));
  store.apply(item('a1', 2));
  store.remove(item('a1', 3));
  store.remove(item('a1', 3));
  expect(said).toEqual([
    [undefined, 'a1@1'],
    ['a1@1', 'a1@2'],
    ['a1@2', undefined],
  ]);
  expect(store.size).toBe(0);
});

test('an own write goes in at once, and the older and equal events behind it change nothing', () => {
  const { store, said } = makeStore();
  store.apply(item('a1', 1));
  store.put(item('a1', 5));
  store.apply(item('a1', 3));
  store.apply(item('a1', 5));
  expect(store.get('a')).toEqual(item('a1', 5));
  expect(said).toHaveLength(2);
});

test('versions are numbers of any length, not texts', () => {
  const { store } = makeStore();
  store.apply(item('a1', 9));
  store.apply(item('a1', 10));
  store.put({ key: 'a', uid: 'a1', resourceVersion: '99999999999999999999999' });
  store.apply({ key: 'a', uid: 'a1', resourceVersion: '99999999999999999999998' });
  expect(store.get('a')?.resourceVersion).toBe('99999999999999999999999');
});

test('the late answer of an own write does not bring back what was deleted meanwhile', () => {
  const { store } = makeStore();
  store.apply(item('a1', 1));
  store.remove(item('a1', 7));
  store.put(item('a1', 6));
  expect(store.get('a')).toBeUndefined();
});

test('a list keeps an own write that is newer than it, and drops what it does not name', () => {
  const { store } = makeStore();
  store.apply(item('a1', 1));
  store.apply(item('b1', 2));
  store.put(item('c1', 9));
  store.replace([item('a1', 1)], '5');
  expect([...store.values()].map((each) => each.uid).sort()).toEqual(['a1', 'c1']);
  store.put(item('b1', 4));
  expect(store.get('b')).toBeUndefined();
});

test('a namesake between two lists is told as gone and new (FIELD.md P7)', () => {
  const { store, said } = makeStore();
  store.replace([item('a1', 1)], '1');
  store.replace([item('a2', 8)], '9');
  expect(said).toEqual([
    [undefined, 'a1@1'],
    ['a1@1', undefined],
    [undefined, 'a2@8'],
  ]);
});

test('the late deletion of an older incarnation leaves the newer one alone', () => {
  const { store } = makeStore();
  store.put(item('a2', 9));
  store.remove(item('a1', 8));
  expect(store.get('a')?.uid).toBe('a2');
});

test('an object that cannot be read any more is forgotten by its UID', () => {
  const { store, said } = makeStore();
  store.apply(item('a1', 1));
  store.apply(item('b1', 2));
  store.forget('a1', '5');
  store.forget('unknown', '6');
  expect(store.size).toBe(1);
  store.put(item('a1', 4));
  expect(said.at(-1)).toEqual(['a1@1', undefined]);
});

/** What happens at the server, one version after the other, and how much the watch has shown by then. */
type Step = { readonly write: 'create' | 'update' | 'delete'; readonly key: string; readonly own: boolean; readonly lag: number };

const step: fc.Arbitrary<Step> = fc.record({
  write: fc.constantFrom('create', 'update', 'update', 'delete'),
  key: fc.constantFrom('a', 'b', 'c'),
  own: fc.boolean(),
  lag: fc.nat(4),
});

interface Happened {
  readonly item: Item;
  readonly gone: boolean;
}

/** A server of which a store sees the watch late, own answers at any time, and now and then a list. */
class Server {
  readonly truth = new Map<string, Item>();
  readonly log: Happened[] = [];
  version = 0;

  /** Carries out one write; returns what its writer is answered. */
  write({ write, key }: Step): Item | undefined {
    const before = this.truth.get(key);
    if (write === 'create' ? before : !before) return undefined;
    this.version++;
    const uid = before?.uid ?? `${key}${this.version}`;
    const after = { key, uid, resourceVersion: String(this.version) };
    if (write === 'delete') this.truth.delete(key);
    else this.truth.set(key, after);
    this.log.push({ item: after, gone: write === 'delete' });
    return write === 'delete' ? undefined : after;
  }
}

test('any interleaving of own answers, late events and lists ends with the truth of the server', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.infiniteStream(fc.nat(9)), (steps, dice) => {
      const server = new Server();
      const { store, said } = makeStore();
      const answers: Item[] = [];
      let shown = 0;
      const show = (until: number) => {
        for (; shown < until; shown++) {
          const { item: value, gone } = server.log[shown] ?? expect.unreachable();
          if (gone) store.remove(value);
          else store.apply(value);
        }
      };
      const roll = () => dice.next().value ?? 0;
      for (const each of steps) {
        const answer = server.write(each);
        if (answer && each.own) answers.push(answer);
        if (roll() < 5) show(Math.max(shown, server.log.length - each.lag));
        // Answers of concurrent own writes come back in any order.
        while (answers.length > 0 && roll() < 5) for (const late of answers.splice(roll() % answers.length, 1)) store.put(late);
        if (roll() === 0) {
          store.replace([...server.truth.values()], String(server.version));
          shown = server.log.length;
        }
      }
      show(server.log.length);
      for (const late of answers) store.put(late);
      expect(new Map([...store.values()].map((each) => [each.key, each]))).toEqual(server.truth);
      expectHistory(said);
    }),
    { numRuns: 2000 },
  );
});

/** Each told change follows from the one before it, and no version of an object is told after a newer one. */
function expectHistory(said: readonly Said[]): void {
  const held = new Map<string, string>();
  const newest = new Map<string, number>();
  for (const [before, after] of said) {
    const key = (after ?? before)?.charAt(0) ?? '';
    expect(held.get(key)).toBe(before);
    if (after) held.set(key, after);
    else held.delete(key);
    const [uid = '', version = ''] = (after ?? '').split('@');
    if (!after) continue;
    expect(Number(version)).toBeGreaterThan(newest.get(uid) ?? 0);
    newest.set(uid, Number(version));
  }
}
