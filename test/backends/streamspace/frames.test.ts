import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readFrame } from '../../../operator/backends/streamspace/frames.ts';

const command = (commandId: string) => ({ type: 'command', timestamp: '2026-01-15T10:30:00.834492734Z', payload: { commandId } });

test('every kind of message is read', () => {
  const documents = [
    command('c1'),
    { type: 'vnc_data', payload: { sessionId: 's1', data: 'UkZC' } },
    { type: 'vnc_close', payload: { sessionId: 's1', reason: 'client_disconnect' } },
    { type: 'ping', payload: { timestamp: '2026-01-15T10:30:00Z' } },
    { type: 'ping' },
    { type: 'shutdown', payload: { reason: 'maintenance' } },
    { type: 'shutdown' },
  ];
  expect(readFrame(documents.map((each) => JSON.stringify(each)).join('\n'))).toEqual({
    flaws: [],
    messages: [
      { type: 'command', payload: { commandId: 'c1' } },
      { type: 'vnc_data', sessionID: 's1', data: 'UkZC' },
      { type: 'vnc_close', sessionID: 's1', reason: 'client_disconnect' },
      { type: 'ping' },
      { type: 'ping' },
      { type: 'shutdown', reason: 'maintenance' },
      { type: 'shutdown', reason: '' },
    ],
  });
});

test.each([
  ['{"type":', 'a document of 8 characters is not JSON'],
  ['5', 'a document is no object'],
  ['null', 'a document is no object'],
  ['[]', 'a document is no object'],
  ['{}', 'a document is of the unknown type none'],
  ['{"type":"weather"}', 'a document is of the unknown type weather'],
  ['{"type":7}', 'a document is of the unknown type none'],
  ['{"type":"vnc_data","payload":{"sessionId":"s"}}', 'a vnc_data lacks sessionId or data'],
  ['{"type":"vnc_close","payload":[]}', 'a vnc_close lacks sessionId'],
])('%s is told and harms no other', (bad, flaw) => {
  const frame = [JSON.stringify(command('c1')), bad, JSON.stringify(command('c2'))].join('\n');
  expect(readFrame(frame)).toMatchObject({ flaws: [flaw], messages: [{ payload: { commandId: 'c1' } }, { payload: { commandId: 'c2' } }] });
});

test('a frame of nonsense is told in eleven sentences', () => {
  const { flaws, messages } = readFrame(`${'x\n'.repeat(1000)}${JSON.stringify(command('c'))}`);
  expect(flaws).toHaveLength(11);
  expect(flaws.at(-1)).toBe('990 more documents of the frame could not be read');
  expect(messages).toHaveLength(1);
});

test('however documents are joined to frames, all arrive once and in order', () => {
  const document = fc.record({ id: fc.string({ minLength: 1 }), note: fc.string() });
  const ends = fc.constantFrom('\n', '\r\n', '\n\n', '\n  ');
  const bad = fc.option(fc.constantFrom('{', 'x', '{"type":"no', '"'), { freq: 4 });
  fc.assert(
    fc.property(fc.array(fc.tuple(document, ends, bad, fc.boolean())), (parts) => {
      let frame = '';
      const read: unknown[] = [];
      let flaws = 0;
      const flush = () => {
        const result = readFrame(frame);
        read.push(...result.messages);
        flaws += result.flaws.length;
        frame = '';
      };
      for (const [{ id, note }, end, broken, last] of parts.slice(0, 10)) {
        frame += JSON.stringify({ type: 'command', payload: { commandId: id, note } }) + end;
        if (broken !== null) frame += broken + end;
        if (last) flush();
      }
      flush();
      const sent = parts.slice(0, 10);
      expect(read).toEqual(sent.map(([{ id, note }]) => ({ type: 'command', payload: { commandId: id, note } })));
      expect(flaws).toBe(sent.filter(([, , broken]) => broken !== null).length);
    }),
  );
});

test('nothing makes it throw', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void readFrame(text)));
});
