import type { Backend } from '../backends/backend.ts';
import type { Fence } from '../kube/fence.ts';

/** The same backend, which hears nothing more once the fence has fallen, and whose calls are cut off then; they throw NotLeading. */
export function fencedBackend(backend: Backend, fence: Fence): Backend {
  const { snapshots, events, heartbeat, reportSession, accepted, close } = backend;
  const during = async <T>(signal: AbortSignal, call: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    fence.check();
    return call(AbortSignal.any([signal, fence.signal]));
  };
  // The next leader connects as soon as it may: nothing of ours may still be open then.
  if (close) fence.signal.addEventListener('abort', () => void close.call(backend, 0), { once: true });
  return {
    tasks: (signal) => backend.tasks(AbortSignal.any([signal, fence.signal])),
    report: (report, signal) => during(signal, (both) => backend.report(report, both)),
    ...(snapshots && {
      snapshots: { every: snapshots.every, push: (snapshot, signal) => during(signal, (both) => snapshots.push(snapshot, both)) },
    }),
    ...(events && { events: { within: events.within, push: (batch, signal) => during(signal, (both) => events.push(batch, both)) } }),
    heartbeat: { every: heartbeat.every, beat: (status, signal) => during(signal, (both) => heartbeat.beat(status, both)) },
    useKey: (key) => backend.useKey(key),
    ...(accepted && {
      accepted: (taskID) => {
        if (!fence.signal.aborted) accepted.call(backend, taskID);
      },
    }),
    // Also after the fence has fallen: it sends nothing new.
    ...(close && { close: (within) => close.call(backend, within) }),
    ...(reportSession && { reportSession: (session, signal) => during(signal, (both) => reportSession.call(backend, session, both)) }),
  };
}
