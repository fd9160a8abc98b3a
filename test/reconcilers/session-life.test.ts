import { expect, onTestFinished, test, vi } from 'vitest';
import { LAST_ACTIVITY, type Session } from '../../operator/api/session.ts';
import type { IdleSignal, SessionWorkload } from '../../operator/api/session-template.ts';
import { ApiError } from '../../operator/kube/error.ts';
import type { Pod } from '../../operator/kube/pod.ts';
import { type LifeLook, SessionLife } from '../../operator/reconcilers/session-life.ts';
import { ActivityLog } from '../../operator/sessions/activity-log.ts';
import { StreamSpaceActivity } from '../../operator/sessions/stream-space-activity.ts';
import { UsageWatch } from '../../operator/sessions/usage-watch.ts';
import { before, NOON, sessionOf } from '../sessions/life-session.ts';

const SPEC = { idleTimeout: '30m' };
const runsFor = (minutes: number) => ({ activeSince: before(minutes).toISOString(), phaseSince: before(minutes).toISOString() });
const pod = { name: 'anna-1' } as Pod;

/** A life with all its signals, on clocks that the test sets. */
function living() {
  vi.useFakeTimers({ now: NOON });
  onTestFinished(() => void vi.useRealTimers());
  const heard: string[] = [];
  const asked: string[] = [];
  const absent = () => Promise.reject(new ApiError({ status: 404, reason: '', message: '404 page not found' }));
  const activity = new ActivityLog((session) => heard.push(session));
  const client = {
    get: ({ name }: { name: string }) => {
      asked.push(name);
      return absent();
    },
  };
  const usage = new UsageWatch({
    reader: { read: async () => undefined, trouble: 'metrics.k8s.io is not served' },
    clock: () => new Date(),
    onNews: () => undefined,
    onError: () => undefined,
  });
  onTestFinished(() => usage.close());
  const life = new SessionLife({ activity, usage, streamSpace: new StreamSpaceActivity({ client: client as never }) });
  const look = (session: Session, signals: readonly IdleSignal[], more: Partial<LifeLook> = {}) => {
    const workload: SessionWorkload = { image: 'i', idle: { signals: [...signals] } };
    const { signal } = new AbortController();
    return life.look({ session, desired: 'Running', workload, pod, now: new Date(), signal, ...more });
  };
  return { life, look, activity, heard, asked };
}

test.each([
  ['ahead', 86_400_000],
  ['back', -86_400_000],
])('a clock that is set a day %s ends nothing before its time', async (_, jump) => {
  const { look } = living();
  const spec = { idleTimeout: '30m', maxDuration: '2h' };
  const session = sessionOf({ spec, status: runsFor(60), annotations: { [LAST_ACTIVITY]: before(20).toISOString() } });
  expect((await look(session, ['Annotation'])).dueIn).toBe(600);
  vi.advanceTimersByTime(300_000);
  vi.setSystemTime(Date.now() + jump);
  const verdict = await look(session, ['Annotation']);
  expect(verdict.decision).toBeUndefined();
  if (jump > 0) expect(verdict.dueIn).toBe(300);
  vi.setSystemTime(Date.now() - jump);
  vi.advanceTimersByTime(300_000);
  expect((await look(session, ['Annotation'])).decision).toMatchObject({ override: { reason: 'Idle' } });
});

test('a stopped session stays as long as it should, whatever the clock is set to', async () => {
  const { look } = living();
  const session = sessionOf({ spec: { ttlAfterStopped: '1h' }, status: { phase: 'Stopped', phaseSince: before(30).toISOString() } });
  expect((await look(session, [])).dueIn).toBe(1800);
  vi.setSystemTime(Date.now() + 86_400_000);
  expect((await look(session, [])).dueIn).toBe(1800);
  vi.advanceTimersByTime(1_800_000);
  expect((await look(session, [])).decision).toEqual({ kind: 'remove' });
});

test('the first word of a tunnel asks for a pass; what it told is forgotten with the pod', async () => {
  const { look, activity, heard } = living();
  const session = sessionOf({ spec: SPEC, status: runsFor(60) });
  const idle = async () => (await look(session, ['VNC'])).claims[0]?.reason;
  expect(await idle()).toBe('SignalMissing');
  // Before the status says that it runs.
  activity.opened('anna', before(40));
  await look(sessionOf({ spec: SPEC, status: { phase: 'Waking' } }), ['VNC']);
  expect(heard).toEqual(['anna']);
  expect(await idle()).toBe('Idle');
  activity.note('anna', before(10));
  expect(await idle()).toBe('Active');
  expect((await look(session, ['VNC'])).use.lastActivity).toEqual(before(10));
  await look(sessionOf({ spec: SPEC, status: { phase: 'Hibernated' } }), ['VNC'], { desired: 'Hibernated' });
  expect(await idle()).toBe('SignalMissing');
});

test('the newest of a tunnel and an annotation counts; the annotation of the pod does too', async () => {
  const { look, activity } = living();
  const session = sessionOf({ spec: SPEC, status: runsFor(60), annotations: { [LAST_ACTIVITY]: before(50).toISOString() } });
  activity.note('anna', before(40));
  expect((await look(session, ['VNC', 'Annotation'])).claims).toMatchObject([{ reason: 'Idle' }]);
  const used = { name: 'anna-1', session: { lastActivity: before(5).toISOString() } } as Pod;
  expect(await look(session, ['VNC', 'Annotation'], { pod: used })).toMatchObject({ claims: [{ reason: 'Active' }], dueIn: 1500 });
});

test('what costs requests is asked only of those that may become idle', async () => {
  const { look, asked } = living();
  await look(sessionOf({ status: runsFor(60) }), ['StreamSpaceSession']);
  await look(sessionOf({ spec: SPEC, status: { phase: 'Starting' } }), ['StreamSpaceSession']);
  await look(sessionOf({ spec: SPEC, status: runsFor(60) }), ['StreamSpaceSession'], { desired: 'Hibernated' });
  expect(asked).toEqual([]);
  expect(await look(sessionOf({ spec: SPEC, status: runsFor(60) }), ['StreamSpaceSession'])).toMatchObject({
    claims: [{ reason: 'SignalMissing', message: expect.stringContaining('no sessions.stream.space') }],
    dueIn: 600,
  });
  expect(asked).toEqual(['anna']);
});

test('without its template nobody knows by which signals, and without a word about them it is the annotation', async () => {
  const { look } = living();
  const session = sessionOf({ spec: SPEC, status: runsFor(60), annotations: { [LAST_ACTIVITY]: before(50).toISOString() } });
  expect((await look(session, [], { workload: undefined })).claims).toMatchObject([{ status: 'Unknown', reason: 'SignalMissing' }]);
  expect((await look(session, [], { workload: { image: 'i' } })).claims).toMatchObject([{ status: 'True', reason: 'Idle' }]);
});

test('a process that has not looked yet leaves the condition as the one before it wrote it', async () => {
  const { look } = living();
  const known = {
    type: 'Idle',
    status: 'False',
    reason: 'Active',
    message: 'as it was',
    lastTransitionTime: before(9).toISOString(),
  } as const;
  const session = sessionOf({ spec: SPEC, status: { ...runsFor(60), conditions: [known] } });
  expect(await look(session, ['CPU'])).toMatchObject({ claims: [{ reason: 'Active', message: 'as it was' }] });
  await vi.advanceTimersByTimeAsync(5000);
  const verdict = await look(session, ['CPU']);
  expect(verdict).toMatchObject({ claims: [{ reason: 'SignalMissing', message: expect.stringContaining('not served') }] });
  expect(verdict.decision).toBeUndefined();
});

test('200 idle sessions that rest or are used ask for no request', async () => {
  const { look, asked } = living();
  for (let index = 0; index < 200; index++) {
    const metadata = { name: `s${index}` };
    const phase = index % 2 === 0 ? 'Hibernated' : 'Running';
    const annotations = { [LAST_ACTIVITY]: before(5).toISOString() };
    await look(sessionOf({ spec: SPEC, status: { ...runsFor(60), phase }, metadata, annotations }), ['Annotation']);
  }
  expect(asked).toEqual([]);
});
