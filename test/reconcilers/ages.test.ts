import { expect, test } from 'vitest';
import { Ages } from '../../operator/reconcilers/ages.ts';

const at = (time: string) => new Date(`2026-03-01T${time}Z`);
const START = at('12:00:00').toISOString();

test.each([
  ['stands right', '12:00:40', '12:00:40'],
  ['is set an hour ahead', '13:00:40', '12:00:40'],
  ['is set an hour back', '11:00:40', '12:00:40'],
])('40 s after the start it is 40 s later, when the wall clock %s', (_, wall, expected) => {
  let steady = 5000;
  const ages = new Ages(() => steady);
  expect(ages.now('a', START, at('12:00:00'))).toEqual(at('12:00:00'));
  steady += 40_000;
  expect(ages.now('a', START, at(wall))).toEqual(at(expected));
});

test('what a process before this one started is as old as the wall clock says at first sight, and never younger than new', () => {
  let steady = 0;
  const ages = new Ages(() => steady);
  expect(ages.now('old', START, at('12:10:00'))).toEqual(at('12:10:00'));
  expect(ages.now('ahead', START, at('11:00:00'))).toEqual(at('12:00:00'));
  steady = 1000;
  expect(ages.now('old', START, at('09:00:00'))).toEqual(at('12:10:01'));
  expect(ages.now('ahead', START, at('09:00:00'))).toEqual(at('12:00:01'));
});

test('another start under the same name, or one that was forgotten, is seen anew', () => {
  const ages = new Ages(() => 0);
  ages.now('a', START, at('12:05:00'));
  expect(ages.now('a', at('12:20:00').toISOString(), at('12:21:00'))).toEqual(at('12:21:00'));
  ages.forget('a');
  expect(ages.now('a', START, at('12:30:00'))).toEqual(at('12:30:00'));
});
