import { expect, test } from 'vitest';
import { ActivityLog } from '../../operator/sessions/activity-log.ts';
import { before } from './life-session.ts';

test('it knows since when a tunnel could carry data, and when it last did; only the first word about a session is news', () => {
  const first: string[] = [];
  const log = new ActivityLog((session) => first.push(session));
  expect(log.traffic('anna')).toBeUndefined();
  log.opened('anna', before(30));
  expect(log.traffic('anna')).toEqual({ openedAt: before(30) });
  log.note('anna', before(20));
  log.note('anna', before(10));
  log.opened('anna', before(5));
  expect(log.traffic('anna')).toEqual({ openedAt: before(30), lastData: before(10) });
  log.note('bert', before(1));
  expect(log.traffic('bert')).toEqual({ openedAt: before(1), lastData: before(1) });
  expect(first).toEqual(['anna', 'bert']);
  log.forget('anna');
  expect(log.traffic('anna')).toBeUndefined();
  log.note('anna', before(0));
  expect(first).toEqual(['anna', 'bert', 'anna']);
});
