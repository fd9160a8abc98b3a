import { expect, test } from 'vitest';
import { parseDuration } from '../../operator/api/duration.ts';

test.each([
  ['10s', 10],
  ['1m30s', 90],
  ['500ms', 0.5],
  ['1.5h', 5400],
  ['0s', 0],
  ['', undefined],
  ['10', undefined],
  ['s', undefined],
  ['-5s', undefined],
  ['10 s', undefined],
  ['1d', undefined],
  ['9999999s', undefined],
])('parseDuration of %j is %s seconds', (text, seconds) => {
  expect(parseDuration(text)).toBe(seconds);
});
