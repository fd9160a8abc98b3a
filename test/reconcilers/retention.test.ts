import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { OptimizationAction } from '../../operator/api/optimization-action.ts';
import { Retention } from '../../operator/reconcilers/retention.ts';
import { finished, NOON, source } from './objects.ts';

beforeEach(() => void vi.useFakeTimers({ now: new Date(NOON) }));
afterEach(() => void vi.useRealTimers());

const DAY = 86_400_000;

function retain({ cap = 1000, backends = ['prod'] as readonly string[] } = {}) {
  const told: string[] = [];
  const retention = new Retention({
    cap,
    backendExists: (name) => backends.includes(name),
    clock: () => new Date(),
    onDue: (key, why) => told.push(`${key} ${why}`),
  });
  onTestFinished(() => retention.close());
  return { retention, told };
}

function many(count: number, made: (index: number) => Parameters<typeof finished>[0] = () => ({})): OptimizationAction[] {
  return Array.from({ length: count }, (_, index) => finished({ name: `a${index}`, ...made(index) }));
}

test('each goes when its own time is over, and not a moment before', () => {
  const { retention, told } = retain();
  const failed = { status: { phase: 'Failed' } } as const;
  retention.open([
    finished({ name: 'ok' }),
    finished({ name: 'bad', ...failed }),
    finished({ name: 'brief', spec: { ttlSecondsAfterFinished: 60 } }),
  ]);
  vi.advanceTimersByTime(59_999);
  expect(told).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(told).toEqual(['ns/brief ttl']);
  vi.advanceTimersByTime(DAY - 60_001);
  expect(told).toHaveLength(1);
  vi.advanceTimersByTime(1);
  expect(told.at(-1)).toBe('ns/ok ttl');
  vi.advanceTimersByTime(7 * DAY);
  expect(told).toEqual(['ns/brief ttl', 'ns/ok ttl', 'ns/bad ttl']);
  expect(['ns/brief', 'ns/ok', 'ns/bad'].every((key) => retention.isDue(key))).toBe(true);
});

test('a time that setTimeout cannot count is waited for all the same', () => {
  const { retention, told } = retain();
  retention.open([finished({ spec: { ttlSecondsAfterFinished: 365 * 86_400 } })]);
  vi.advanceTimersByTime(365 * DAY - 1);
  expect(told).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(told).toEqual(['ns/a ttl']);
});

test('a burst goes by twenty a second, the oldest first', () => {
  const { retention, told } = retain();
  const at = (index: number) => new Date(Date.parse(NOON) - 1000 * index).toISOString();
  retention.open(many(50, (index) => ({ spec: { ttlSecondsAfterFinished: 0 }, status: { finishedAt: at(index) } })));
  vi.advanceTimersByTime(0);
  expect(told).toEqual(Array.from({ length: 20 }, (_, index) => `ns/a${49 - index} ttl`));
  vi.advanceTimersByTime(999);
  expect(told).toHaveLength(20);
  vi.advanceTimersByTime(1);
  expect(told).toHaveLength(40);
  vi.advanceTimersByTime(1000);
  expect(told).toHaveLength(50);
});

// FIELD.md A48.
test('beyond the cap those go first whose time would be over first: successes before failures of the same age', () => {
  const { retention, told } = retain({ cap: 3 });
  const at = (minute: number) => ({ finishedAt: new Date(Date.parse(NOON) - minute * 60_000).toISOString() });
  retention.open([
    finished({ name: 'new-success', status: at(1) }),
    finished({ name: 'old-success', status: at(9) }),
    finished({ name: 'new-failure', status: { phase: 'Failed', ...at(1) } }),
    finished({ name: 'old-failure', status: { phase: 'Expired', ...at(9) } }),
    finished({ name: 'kept-on-purpose', status: at(30), spec: { ttlSecondsAfterFinished: 30 * 86_400 } }),
  ]);
  vi.advanceTimersByTime(5000);
  expect(told).toEqual(['ns/old-success cap', 'ns/new-success cap']);
});

test('the cap counts what is there: one more finished object makes one go, and one that is gone makes room', () => {
  const { retention, told } = retain({ cap: 2 });
  const [a, b, c, d] = many(4, (index) => ({ status: { finishedAt: new Date(Date.parse(NOON) + index * 1000).toISOString() } }));
  retention.open([a, b] as OptimizationAction[]);
  vi.advanceTimersByTime(5000);
  expect(told).toEqual([]);
  retention.notice(undefined, c);
  vi.advanceTimersByTime(5000);
  expect(told).toEqual(['ns/a0 cap']);
  // Its deletion takes its time; the next one is not chosen in its place.
  vi.advanceTimersByTime(60_000);
  expect(told).toHaveLength(1);
  retention.notice(a, undefined);
  expect(retention.isDue('ns/a0')).toBe(false);
  retention.notice(b, undefined);
  retention.notice(undefined, d);
  vi.advanceTimersByTime(5000);
  expect(told).toHaveLength(1);
});

test('what is not finished, not reported, tracked by a GitOps tool or being deleted is neither counted nor chosen', () => {
  const { retention, told } = retain({ cap: 1 });
  retention.open([
    ...many(5, (index) => ({ name: `running${index}`, status: { phase: 'Running', finishedAt: undefined } })),
    ...many(5, (index) => ({ name: `unreported${index}`, spec: { source, ttlSecondsAfterFinished: 0 } })),
    ...many(5, (index) => ({ name: `tracked${index}`, metadata: { annotations: { 'argocd.argoproj.io/tracking-id': 'x' } } })),
    ...many(5, (index) => ({ name: `deleted${index}`, metadata: { deletionTimestamp: NOON } })),
    finished({ name: 'mine' }),
  ]);
  vi.advanceTimersByTime(60_000);
  expect(told).toEqual([]);
});

test('a result that is taken, a backend that is gone and an edited time change the turn', () => {
  const backends = ['prod'];
  const { retention, told } = retain({ backends });
  const unreported = finished({ name: 'mirrored', spec: { source, ttlSecondsAfterFinished: 0 } });
  const orphan = finished({ name: 'orphan', spec: { source, ttlSecondsAfterFinished: 0 } });
  const edited = finished({ name: 'edited', spec: { ttlSecondsAfterFinished: 0 } });
  retention.open([unreported, orphan, edited]);
  vi.advanceTimersByTime(0);
  expect(told).toEqual(['ns/edited ttl']);
  retention.notice(edited, finished({ name: 'edited', spec: { ttlSecondsAfterFinished: 3600 } }));
  expect(retention.isDue('ns/edited')).toBe(false);

  const taken = { type: 'Reported', status: 'True', reason: 'Taken', message: '', lastTransitionTime: NOON } as const;
  retention.notice(unreported, { ...unreported, status: { ...unreported.status, conditions: [taken] } });
  vi.advanceTimersByTime(2000);
  expect(told.at(-1)).toBe('ns/mirrored ttl');
  backends.pop();
  retention.notice(orphan, orphan);
  vi.advanceTimersByTime(2000);
  expect(told.at(-1)).toBe('ns/orphan ttl');
  expect(retention.isDue('ns/edited')).toBe(false);
});

test('nothing is chosen before it is opened or after it is closed', () => {
  const { retention, told } = retain();
  const over = finished({ spec: { ttlSecondsAfterFinished: 0 } });
  retention.notice(undefined, over);
  vi.advanceTimersByTime(DAY);
  expect(told).toEqual([]);
  retention.open([over]);
  retention.close();
  vi.advanceTimersByTime(DAY);
  expect(told).toEqual([]);
  retention.open([over]);
  vi.advanceTimersByTime(0);
  expect(told).toEqual(['ns/a ttl']);
});
