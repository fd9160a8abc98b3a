import { expect, test } from 'vitest';
import type { Backend, Report } from '../../operator/backends/backend.ts';
import { NotLeading } from '../../operator/kube/fence.ts';
import { Tenure } from '../../operator/kube/tenure.ts';
import { fencedBackend } from '../../operator/sync/fenced-backend.ts';

/** A backend that answers nothing, and what it was asked, with the signal of each call. */
function silentBackend() {
  const heard: [string, AbortSignal][] = [];
  const silent = (call: string) => (_: unknown, signal: AbortSignal) => {
    heard.push([call, signal]);
    return new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  };
  const backend: Backend = {
    tasks: (signal) => {
      heard.push(['tasks', signal]);
      return (async function* () {})();
    },
    report: silent('report'),
    snapshots: { every: 60, push: silent('snapshot') },
    events: { within: 5, push: silent('events') },
    heartbeat: { every: 30, beat: silent('heartbeat') },
    useKey: (key) => heard.push([`key ${key}`, AbortSignal.abort()]),
    accepted: (taskID) => heard.push([`accepted ${taskID}`, AbortSignal.abort()]),
    reportSession: silent('session'),
    close: async (within) => void heard.push([`close ${within}`, AbortSignal.abort()]),
  };
  return { backend, heard };
}

const calls = (backend: Backend, signal: AbortSignal): readonly (Promise<unknown> | undefined)[] => [
  backend.report({} as Report, signal),
  backend.snapshots?.push({} as never, signal),
  backend.events?.push([], signal),
  backend.heartbeat.beat('healthy', signal),
  backend.reportSession?.({} as never, signal),
];

test('while the lead is held everything goes through; when it is lost, calls and intake are cut off, and no new ones begin', async () => {
  const { backend, heard } = silentBackend();
  const tenure = new Tenure(performance.now() / 1000 + 60);
  const fenced = fencedBackend(backend, tenure);
  const { signal } = new AbortController();
  fenced.tasks(signal);
  fenced.useKey('k');
  fenced.accepted?.('t');
  const underWay = calls(fenced, signal).map((call) => expect(call).rejects.toThrow(NotLeading));
  expect(heard.map(([call]) => call)).toEqual(['tasks', 'key k', 'accepted t', 'report', 'snapshot', 'events', 'heartbeat', 'session']);
  expect([fenced.snapshots?.every, fenced.events?.within, fenced.heartbeat.every]).toEqual([60, 5, 30]);

  tenure.end('lost');
  await Promise.all(underWay);
  expect(heard.every(([, each]) => each.aborted)).toBe(true);
  for (const call of calls(fenced, signal)) await expect(call).rejects.toThrow(NotLeading);
  fenced.accepted?.('t');
  expect(heard.slice(8).map(([call]) => call)).toEqual(['close 0']);
});

test('its own signal still ends a call', async () => {
  const { backend } = silentBackend();
  const tenure = new Tenure(performance.now() / 1000 + 60);
  const stop = new AbortController();
  const report = fencedBackend(backend, tenure).report({} as Report, stop.signal);
  stop.abort(new Error('stopped'));
  await expect(report).rejects.toThrow('stopped');
  tenure.end('done');
});
