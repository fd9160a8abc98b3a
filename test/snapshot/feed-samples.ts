import { type CoreEvent, projectCoreEvent } from '../../operator/kube/cluster-event.ts';
import { type Node, projectNode } from '../../operator/kube/node.ts';
import { type Pod, projectPod } from '../../operator/kube/pod.ts';
import { ClusterEventFeed } from '../../operator/snapshot/events.ts';

/** When the feeds of these tests start. */
export const START = Date.parse('2026-01-01T12:00:00Z');

/** A clock that stands still until it is set, in seconds after the start. */
export class Clock {
  seconds = 0;
  readonly now = (): Date => new Date(START + this.seconds * 1000);
}

/** A feed with its clock. */
export function startFeed(options: { remember?: number; buffer?: number } = {}): { feed: ClusterEventFeed; clock: Clock } {
  const clock = new Clock();
  return { feed: new ClusterEventFeed({ now: clock.now, ...options }), clock };
}

/** A time as the API server writes it, in seconds after the start. */
export function time(seconds: number): string {
  return new Date(START + seconds * 1000).toISOString();
}

/** An Event about a pod unless told otherwise. */
export function coreEvent(
  uid: string,
  facts: { reason?: string; count?: number; at?: number; kind?: string; about?: string; source?: string; message?: string } = {},
): CoreEvent {
  const {
    reason = 'FailedScheduling',
    count = 1,
    at = 0,
    kind = 'Pod',
    about = 'web-1',
    source = 'default-scheduler',
    message = 'a message',
  } = facts;
  return projectCoreEvent({
    metadata: { uid, namespace: 'shop', name: `${about}.${uid}`, resourceVersion: `${count}` },
    reason,
    message,
    type: 'Warning',
    involvedObject: { kind, name: about, ...(kind === 'Pod' && { namespace: 'shop' }) },
    source: { component: source },
    lastTimestamp: time(at),
    count,
  });
}

/** A node in one version. */
export function node(name: string, ready: boolean, version = '1', uid = `uid-${name}`): Node {
  return projectNode({
    metadata: { name, uid, resourceVersion: version },
    status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'Unknown' }] },
  });
}

/** A pod whose container was killed for its memory at these times, each kill followed by a restart. */
export function killedPod(name: string, ...kills: readonly number[]): Pod {
  const latest = kills.at(-1);
  const lastState = latest === undefined ? {} : { terminated: { reason: 'OOMKilled', finishedAt: time(latest) } };
  return projectPod({
    metadata: { namespace: 'shop', name, uid: `uid-${name}` },
    status: { containerStatuses: [{ name: 'main', restartCount: kills.length, lastState }] },
  });
}
