import { expect, test } from 'vitest';
import { findCondition } from '../../operator/api/condition.ts';
import type { SessionStatus } from '../../operator/api/session.ts';
import { type Use, withLife } from '../../operator/sessions/life-status.ts';
import { before, NOON, sessionOf } from './life-session.ts';

const MI = 2 ** 20;
const active = { type: 'Idle', status: 'False', reason: 'Active', message: 'in use' } as const;
const use: Use = { lastActivity: before(10), usage: { cpuMillicores: 5, memoryBytes: 500 * MI }, runs: true };
const shown = { lastActivityTime: '2026-12-01T11:50:00Z', usage: { cpu: '5m', memory: '500Mi' } };

/** The status that is written on top of this one, with the same phase. */
function written(status: Partial<SessionStatus>, more: Partial<Use> = {}, claims = [active] as readonly (typeof active)[]): SessionStatus {
  const session = sessionOf({ status });
  return withLife(session, session.status ?? {}, claims, { ...use, ...more }, NOON);
}

/** What a pass leaves behind that has nothing new to say. */
const settled = written({});

test('what is known first is written, with its condition', () => {
  expect(settled).toMatchObject(shown);
  expect(settled.conditions).toMatchObject([{ ...active, observedGeneration: 3 }]);
});

test.each<[string, Partial<Use>]>([
  ['nothing new', {}],
  ['used again a little later', { lastActivity: before(5.1) }],
  ['a desktop that breathes', { usage: { cpuMillicores: 30, memoryBytes: 520 * MI } }],
  ['no figures this time', { usage: undefined }],
  ['no activity that can be told', { lastActivity: undefined }],
])('no write: %s', (_, more) => {
  expect(written(settled, more)).toEqual(settled);
});

test.each<[string, Partial<Use>, object]>([
  ['used again much later', { lastActivity: before(5) }, { lastActivityTime: '2026-12-01T11:55:00Z' }],
  ['uses more', { usage: { cpuMillicores: 100, memoryBytes: 500 * MI } }, { usage: { cpu: '100m', memory: '500Mi' } }],
])('a write: %s', (_, more, expected) => {
  expect(written(settled, more)).toEqual({ ...settled, ...expected });
});

test('whatever else is written brings all numbers up to date', () => {
  const session = sessionOf({ status: settled });
  const next = { ...settled, url: 'http://anna' };
  const more = { lastActivity: before(6), usage: { cpuMillicores: 7, memoryBytes: 501 * MI } };
  expect(withLife(session, next, [active], { ...use, ...more }, NOON)).toEqual({
    ...next,
    lastActivityTime: '2026-12-01T11:54:00Z',
    usage: { cpu: '7m', memory: '501Mi' },
  });
});

test('what is not true any more goes: claims that are not made, and the use of what does not run', () => {
  const status = written(settled, { runs: false, usage: undefined, lastActivity: undefined }, []);
  expect(status).not.toHaveProperty('usage');
  expect(findCondition(status.conditions, 'Idle')).toBeUndefined();
  expect(status.lastActivityTime).toBe(shown.lastActivityTime);
});
