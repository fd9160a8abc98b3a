import { describe, expect, test } from 'vitest';
import { BackendError } from '../../../operator/backends/backend.ts';
import type { Fault } from './faults.ts';
import { calm, makeReport, startRig } from './rig.ts';

const cordon = { task_id: 't1', task_type: 'cordon_node', parameters: { node_name: 'w1' } };

/** Fault, what a thrown BackendError says, and what the connection's condition learns. */
const passing: [string, Fault, number, RegExp, string][] = [
  ['a dropped connection', { kind: 'drop' }, 0, /other side closed|ECONNRESET/, 'unreachable'],
  ['a lost answer', { kind: 'drop', handled: true }, 0, /other side closed|ECONNRESET/, 'unreachable'],
  ['half an answer', { kind: 'half' }, 0, /./, 'unreachable'],
  ['an answer that never comes', { kind: 'silent' }, 0, /no answer within 0.2 s/, 'unreachable'],
  ['a huge answer', { kind: 'huge', bytes: 70_000 }, 0, /larger than the limit of 65536 bytes/, 'unreachable'],
  ['500', { kind: 'status', status: 500 }, 500, /answered 500: fault_500: Ordered by the test \(request /, 'unreachable'],
  ['503', { kind: 'status', status: 503 }, 503, /answered 503/, 'unreachable'],
  ['429', { kind: 'status', status: 429 }, 429, /answered 429/, 'contact'],
  ['408', { kind: 'status', status: 408 }, 408, /answered 408/, 'unreachable'],
  ['401', { kind: 'status', status: 401 }, 401, /answered 401/, 'unauthenticated'],
  ['403', { kind: 'status', status: 403 }, 403, /answered 403/, 'unauthenticated'],
  [
    'a redirect',
    { kind: 'status', status: 302, location: 'http://127.0.0.1:1/' },
    302,
    /302, a redirect, which is never followed/,
    'unreachable',
  ],
  [
    'a path that is not served',
    { kind: 'status', status: 404, body: { detail: 'Not Found' } },
    404,
    /does not serve this path/,
    'unreachable',
  ],
  ['a 404 of something else', { kind: 'status', status: 404, body: '<html>' }, 404, /does not serve this path/, 'unreachable'],
];
const tuning = { timeout: 0.2, maxBody: 65_536, refusedRetry: 0.01 };

describe('polling outlives', () => {
  test.each(passing)('%s', async (_name, fault, _status, _message, kind) => {
    const { backend, tasks, contacts, until } = await startRig({ tuning });
    const ordered = backend.fail('tasks', fault, 2);
    backend.addTask(cordon);
    await until(() => tasks.length > 0);
    expect(ordered.hits).toBe(2);
    expect(contacts.map((event) => event.kind)).toContain(kind);
    expect(backend.violations).toEqual([]);
  });

  const texts = ['{"tasks": [', 'hello', '{"items":[]}', '5', '['.repeat(60_000)];
  test.each(texts.map((text) => [text.slice(0, 20), text]))('the unusable answer %s', async (_start, text) => {
    const { backend, tasks, contacts, until } = await startRig({ tuning });
    backend.fail('tasks', { kind: 'invalidJSON', text });
    backend.addTask(cordon);
    await until(() => tasks.length > 0);
    expect(contacts).toContainEqual({
      kind: 'malformed',
      message: expect.stringMatching(/^The answer to a poll (is not JSON|holds no list of tasks)$/),
    });
  });

  test('a backend that is not there yet', async () => {
    const first = await startRig({ settings: { url: 'http://127.0.0.1:1' } });
    const event = await first.until(() => first.contacts.find((each) => each.kind === 'unreachable'));
    expect(event).toMatchObject({ message: expect.stringContaining('ECONNREFUSED') });
    await first.stop();
  });
});

describe('a report is thrown back, to be tried again, after', () => {
  test.each(passing)('%s', async (_name, fault, status, message) => {
    const { backend, adapter } = await startRig({ tuning, reading: false });
    backend.fail('result', fault);
    const error = await adapter.report(makeReport(), calm).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BackendError);
    expect(error).toMatchObject({ status, final: false, message: expect.stringMatching(message) });
    expect(String(error)).not.toContain(backend.key);
    expect(await adapter.report(makeReport(), calm)).toEqual({ taken: true });
    expect(backend.violations).toEqual([]);
  });
});

describe('a report is over after', () => {
  const cases: [string, Fault, unknown][] = [
    ['a 2xx that is not JSON', { kind: 'invalidJSON' }, { taken: true }],
    ['204', { kind: 'status', status: 204, body: '' }, { taken: true }],
    ['409: recorded before', { kind: 'status', status: 409 }, { taken: true }],
    [
      '404 of an unknown task',
      { kind: 'status', status: 404 },
      { taken: false, reason: expect.stringMatching(/^404 fault_404: Ordered by the test \(request /) },
    ],
    ['400', { kind: 'status', status: 400, body: { detail: 'no such thing' } }, { taken: false, reason: '400 no such thing' }],
    ['422', { kind: 'status', status: 422, body: '' }, { taken: false, reason: '422' }],
  ];
  test.each(cases)('%s', async (_name, fault, outcome) => {
    const { backend, adapter } = await startRig({ reading: false });
    backend.fail('result', fault);
    expect(await adapter.report(makeReport(), calm)).toEqual(outcome);
  });

  test('413, when the shortened result is refused too', async () => {
    const { backend, adapter } = await startRig({ reading: false });
    backend.fail('result', { kind: 'status', status: 413 });
    expect(await adapter.report(makeReport({ result: { big: 'x'.repeat(50_000) } }), calm)).toEqual({ taken: true });
    expect(backend.heard.results[0]?.body.metadata).toEqual({ reason: 'Drained', truncated: true });
    backend.fail('result', { kind: 'status', status: 413 }, 2);
    expect(await adapter.report(makeReport(), calm)).toMatchObject({ taken: false });
  });
});

test.each([
  ['seconds', () => '1'],
  // A date has whole seconds, as the answer's own Date has: at least one second lies between them.
  ['a date', () => new Date(Date.now() + 1999).toUTCString()],
])('Retry-After in %s holds the next poll back', async (_form, retryAfter) => {
  const { backend, until } = await startRig();
  backend.fail('tasks', { kind: 'status', status: 429, retryAfter: retryAfter() });
  await until(() => backend.heard.requests.filter((request) => request.call === 'tasks').length === 2);
  const [first, second] = backend.heard.requests.filter((request) => request.call === 'tasks');
  expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(980);
});

test('Retry-After is handed to the caller of report, at most an hour, and not when it asks for no wait', async () => {
  const { backend, adapter } = await startRig({ reading: false });
  for (const [retryAfter, expected] of [
    [7, 7],
    ['99999999', 3600],
    [0, undefined],
    ['whenever', undefined],
    ['Fri, 01 Jan 2021 00:00:00 GMT', undefined],
  ] as const) {
    backend.fail('result', { kind: 'status', status: 503, retryAfter });
    await expect(adapter.report(makeReport(), calm)).rejects.toMatchObject({ status: 503, retryAfter: expected });
  }
});

test('polls never overlap', async () => {
  const { backend, until } = await startRig();
  const held = backend.fail('tasks', { kind: 'delay' });
  await until(() => held.hits === 1);
  const beat = backend.heard.polls.length;
  await until(() => backend.stream.size === 1);
  expect(backend.heard.requests.filter((request) => request.call === 'tasks')).toHaveLength(1);
  held.release();
  await until(() => backend.heard.polls.length >= beat + 2);
});

test('a held call ends when its caller gives up, and is no sign of an unreachable backend', async () => {
  const { backend, adapter, contacts, until } = await startRig({ reading: false });
  backend.fail('heartbeat', { kind: 'silent' });
  const giveUp = new AbortController();
  const beating = adapter.heartbeat.beat('healthy', giveUp.signal);
  await until(() => backend.heard.requests.length === 1);
  giveUp.abort();
  await expect(beating).rejects.toBeInstanceOf(BackendError);
  expect(contacts).toEqual([]);
});
