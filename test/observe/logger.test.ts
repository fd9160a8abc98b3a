import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { LogFields } from '../../operator/observe/logger.ts';
import type { Entry, Script } from './write-logs.ts';

/** The lines that a process writes to standard output for the entries. */
function lines(entries: Entry[], options: Partial<Script['options']> = {}): string[] {
  const script: Script = { options: { level: 'INFO', format: 'json', ...options }, entries };
  const file = join(import.meta.dirname, 'write-logs.ts');
  const { stdout, stderr } = spawnSync(process.execPath, [file], { input: JSON.stringify(script), encoding: 'utf8' });
  expect(stderr).toBe('');
  return stdout.split('\n').slice(0, -1);
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

test('a JSON line has time, level, component, cluster, fields and message under the names of seed 003', () => {
  const [line = ''] = lines(
    [{ component: 'actions', fields: { task_id: 't-1', target: 'node/a', duration_seconds: 1.5 }, message: 'drained' }],
    { clusterID: 'prod-eu-1' },
  );
  expect(JSON.parse(line)).toEqual({
    timestamp: expect.stringMatching(TIME),
    level: 'INFO',
    component: 'actions',
    cluster_id: 'prod-eu-1',
    task_id: 't-1',
    target: 'node/a',
    duration_seconds: 1.5,
    message: 'drained',
  });
});

test('a text line is `time - component - LEVEL - message`, with the fields behind it', () => {
  const [bare = '', full = ''] = lines(
    [
      { level: 'warn', component: 'backends', message: 'no answer' },
      { fields: { task_id: 't-1' }, message: 'drained' },
    ],
    { format: 'text', clusterID: 'prod-eu-1' },
  );
  const [time, ...rest] = bare.split(' - ');
  expect(time).toMatch(TIME);
  expect(rest).toEqual(['backends', 'WARNING', 'no answer']);
  expect(full).toMatch(/ - test - INFO - drained \{"task_id":"t-1"\}$/);
});

test.each([
  ['DEBUG', ['DEBUG', 'INFO', 'WARNING', 'ERROR']],
  ['INFO', ['INFO', 'WARNING', 'ERROR']],
  ['WARNING', ['WARNING', 'ERROR']],
  ['ERROR', ['ERROR']],
  ['CRITICAL', []],
])('at the level %s these are logged: %s', (level, expected) => {
  const entries = (['debug', 'info', 'warn', 'error'] as const).map((each) => ({ level: each, message: 'x' }));
  const logged = lines(entries, { level }).map((line) => (JSON.parse(line) as { level: string }).level);
  expect(logged).toEqual(expected);
});

test('a new level counts at once for loggers that are there already', () => {
  const logged = lines([
    { message: 'one', level: 'debug' },
    { message: 'two', level: 'debug', setLevel: 'DEBUG' },
    { message: 'three', setLevel: 'ERROR' },
  ]);
  expect(logged.map((line) => (JSON.parse(line) as { message: string }).message)).toEqual(['two']);
});

test('an error comes with its stack and its members', () => {
  const [line = ''] = lines([{ error: { message: 'conflict', members: { status: 409, reason: 'Conflict' } }, message: 'failed' }]);
  expect(JSON.parse(line)).toMatchObject({
    err: { type: 'Error', message: 'conflict', status: 409, reason: 'Conflict', stack: expect.stringContaining('write-logs.ts') },
  });
});

test.each(['json', 'text'] as const)('a message of many lines stays one line as %s', (format) => {
  expect(lines([{ message: 'one\ntwo\r\n2026-01-01 - fake - ERROR - three' }], { format })).toHaveLength(1);
});

const names = ['key', 'token', 'apiKey', 'api_key', 'x-api-key', 'Authorization', 'authorization', 'password', 'CENTRAL_API_KEY'];
const deep = (name: string, depth: number): LogFields => (depth === 0 ? { [name]: 'hidden' } : { inside: deep(name, depth - 1) });

/** Where a key or a token may stand, and what of the entry must still be there. */
const places: [string, Entry, RegExp][] = [
  ...names.map((name): [string, Entry, RegExp] => [`as ${name}`, { fields: { [name]: 'hidden' }, message: 'kept' }, /kept/]),
  ...[1, 2, 3, 5, 12].map((depth): [string, Entry, RegExp] => [
    `as token, ${depth} deep`,
    { fields: deep('token', depth), message: 'kept' },
    /kept/,
  ]),
  ['in a list', { fields: { headers: [{ name: 'kept' }, { Authorization: 'hidden' }] }, message: 'x' }, /kept/],
  ['as an object', { fields: { token: { value: 'hidden' } }, message: 'kept' }, /kept/],
  ['in an error', { error: { message: 'kept', members: { request: { headers: { authorization: 'hidden' } } } }, message: 'x' }, /kept/],
  ['in the text of an error', { error: { message: '401 for Bearer hidden.hidden-hidden' }, message: 'kept' }, /401 for Bearer/],
  ['in the message', { message: 'sent Authorization: Bearer hidden, refused' }, /sent Authorization: Bearer .*, refused/],
  ['in a basic header', { fields: { sent: 'Basic aGlkZGVuhidden=' }, message: 'kept' }, /kept/],
  ['in a web token', { fields: { text: 'got eyJhbGciOiJI.eyJhidden.hidden-_x for it' }, message: 'x' }, /got .* for it/],
  ['in a query', { fields: { url: 'wss://central/ws?cluster=c&token=hidden&v=1' }, message: 'x' }, /cluster=c&token=.*&v=1/],
  ['in the user of a URL', { message: 'cannot reach https://me:hidden@central.example.com/x' }, /reach https:\/\/.*@central\.example\.com/],
];

test.each(['json', 'text'] as const)('keys and tokens never reach a line as %s, wherever they stand', (format) => {
  const logged = lines(
    places.map(([, entry]) => entry),
    { format },
  );
  expect(logged).toHaveLength(places.length);
  for (const [index, [place, , kept]] of places.entries()) {
    expect(logged[index], place).not.toContain('hidden');
    expect(logged[index], place).toMatch(kept);
  }
});

test('what only sounds like a secret stays readable', () => {
  const fields = { task_id: 't-1', keyword: 'a', tokens_left: 3, object: 'cloudoptim/tokenizer', none: null };
  const [line = ''] = lines([{ fields, message: 'the key was taken; Basic settings; token refused' }]);
  expect(JSON.parse(line)).toMatchObject({ ...fields, message: expect.stringMatching(/^the key was taken; .*; token refused$/) });
});
