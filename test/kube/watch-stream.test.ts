import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MalformedWatch, type WatchEvent, watchEvents } from '../../operator/kube/watch-stream.ts';

async function* pieces(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

/** Reads all events of the chunks; with an error the events before it. */
async function read(...chunks: readonly (string | Uint8Array)[]): Promise<{ events: WatchEvent[]; error?: unknown }> {
  const events: WatchEvent[] = [];
  try {
    const bytes = chunks.map((chunk) => (typeof chunk === 'string' ? Buffer.from(chunk) : chunk));
    for await (const event of watchEvents(pieces(bytes))) events.push(event);
    return { events };
  } catch (error) {
    return { events, error };
  }
}

const event = (name: string, type = 'ADDED') => ({ type, object: { metadata: { name, resourceVersion: '1' } } }) as WatchEvent;
const line = (name: string) => `${JSON.stringify(event(name))}\n`;

const watchEvent = fc.record({
  type: fc.constantFrom('ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK'),
  object: fc.record({
    metadata: fc.record({ name: fc.string({ unit: 'binary' }), resourceVersion: fc.integer({ min: 1 }).map(String) }),
    data: fc.string({ unit: 'grapheme', maxLength: 40 }),
  }),
});

test('events come out whole wherever the bytes are cut, inside a character too', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(watchEvent, fc.constantFrom('\n', '\r\n', '\n\n', '\n \n')), { maxLength: 12 }),
      fc.array(fc.nat(), { maxLength: 20 }),
      async (written, cuts) => {
        const bytes = Buffer.from(written.map(([each, end]) => JSON.stringify(each) + end).join(''));
        const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
        const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
        const expected = written.map(([each]) => JSON.parse(JSON.stringify(each)) as unknown);
        expect(await read(...chunks)).toEqual({ events: expected });
      },
    ),
  );
});

test('every single byte may come alone', async () => {
  const bytes = Buffer.from(line('käse-🧀') + line('b'));
  expect((await read(...Array.from(bytes, (byte) => Uint8Array.of(byte)))).events).toEqual([event('käse-🧀'), event('b')]);
});

test.each([
  ['no JSON', 'not json\n'],
  ['half an object', '{"type":"ADDED","obj\n'],
  ['a number', '1\n'],
  ['null', 'null\n'],
  ['no type', '{"object":{"metadata":{"resourceVersion":"1"}}}\n'],
  ['a type that does not exist', '{"type":"RENAMED","object":{"metadata":{"resourceVersion":"1"}}}\n'],
  ['no object', '{"type":"ADDED"}\n'],
  ['null as its object', '{"type":"ADDED","object":null}\n'],
  ['no metadata', '{"type":"ADDED","object":{}}\n'],
  ['no resource version', '{"type":"MODIFIED","object":{"metadata":{"name":"a"}}}\n'],
  ['bytes that are no UTF-8 between its quotes only', Buffer.from([0xff, 0xfe, 0x0a])],
])('a line with %s ends the watch, after the events before it', async (_, bad) => {
  const { events, error } = await read(line('a'), bad, line('b'));
  expect(events).toEqual([event('a')]);
  expect(error).toBeInstanceOf(MalformedWatch);
});

test('an error of the server is an event without metadata', async () => {
  const status = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' };
  expect(await read(`${JSON.stringify({ type: 'ERROR', object: status })}\n`)).toEqual({ events: [{ type: 'ERROR', object: status }] });
});

test('blank lines are heartbeats, and an unfinished last line is not an event', async () => {
  expect(await read('\n\n  \n', line('a'), '\r\n', '{"type":"ADDED","object":{"metadata":{"resourceVersion":"2"}}}')).toEqual({
    events: [event('a')],
  });
});

test('a line without an end is refused before it fills the memory', async () => {
  const chunk = Buffer.alloc(1024 * 1024, 'x');
  let sent = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (; ; sent++) yield chunk;
  }
  const reading = async () => {
    for await (const _ of watchEvents(endless())) expect.unreachable();
  };
  await expect(reading()).rejects.toThrow(MalformedWatch);
  expect(sent).toBeLessThanOrEqual(17);
});

test('a break of the connection is passed on', async () => {
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(line('a'));
    throw new Error('reset');
  }
  const events: unknown[] = [];
  const reading = async () => {
    for await (const each of watchEvents(broken())) events.push(each);
  };
  await expect(reading()).rejects.toThrow('reset');
  expect(events).toEqual([event('a')]);
});
