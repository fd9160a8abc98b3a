import type { DisruptionMark } from '../../kube/disruption-marks.ts';
import type { Pod } from '../../kube/pod.ts';
import type { Seconds } from '../../lib/next.ts';
import { isFinished } from './finished.ts';

/** The owner of a pod asks that it is not disrupted. */
export interface OptOut {
  /** The annotation as `name: value`. */
  readonly mark: string;
  /** When that ends; absent: it does not. */
  readonly until?: Date;
}

/** A mark, read: protected for ever, for so many seconds from the start of the pod, not at all, or written so that it says nothing. */
type Reading = 'always' | 'never' | 'unreadable' | Seconds;

/** Whether the pod may not be disrupted now (FIELD.md M9, A32); one that is finished or terminating has nothing left to protect. */
export function optOutOf(pod: Pod, now: Date): OptOut | undefined {
  return isFinished(pod) || pod.deletionTimestamp !== undefined ? undefined : protectionOf(pod, now);
}

/**
 * What the marks of the pod ask for now, whatever state it is in, as Karpenter and the cluster autoscaler read their own annotations; of several
 * the one that lasts longest.
 */
export function protectionOf({ disruption }: Pod, now: Date): OptOut | undefined {
  if (!disruption) return undefined;
  // Before the kubelet took it nobody knows when its time begins: all of it is left.
  const start = disruption.startedAt === undefined ? now.getTime() : Date.parse(disruption.startedAt);
  return disruption.marks.flatMap((mark) => active(mark, start, now)).toSorted((a, b) => endOf(b) - endOf(a))[0];
}

/** Whether the pod has a mark whose value is neither a yes, a no nor a duration: it protects nothing, as with Karpenter, and is worth a warning. */
export function hasUnreadableMark({ disruption }: Pod): boolean {
  return disruption?.marks.some((mark) => read(mark) === 'unreadable') ?? false;
}

function endOf({ until }: OptOut): number {
  return until?.getTime() ?? Number.MAX_VALUE;
}

function active(mark: DisruptionMark, start: number, now: Date): readonly OptOut[] {
  const reading = read(mark);
  const text = `${mark.name}: ${mark.value}`;
  if (reading === 'always') return [{ mark: text }];
  if (typeof reading !== 'number') return [];
  const until = new Date(start + reading * 1000);
  return until > now ? [{ mark: text, until }] : [];
}

function read({ name, value }: DisruptionMark): Reading {
  if (name === 'cluster-autoscaler.kubernetes.io/safe-to-evict') return value === 'false' ? 'always' : 'never';
  if (value === 'true') return 'always';
  if (value === 'false' || value === '') return 'never';
  const seconds = readGoDuration(value);
  return seconds !== undefined && seconds > 0 ? seconds : 'unreadable';
}

const LONGEST_DURATION = 64;
const GO_DURATION = /^\+?((\d+([.]\d*)?|[.]\d+)(ns|us|µs|μs|ms|s|m|h))+$/;
const UNIT: Readonly<Record<string, Seconds>> = { ns: 1e-9, us: 1e-6, µs: 1e-6, μs: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 };

/** What Go's `time.ParseDuration` takes, with which Karpenter reads its annotation; wider than the durations of our own specs. */
function readGoDuration(text: string): Seconds | undefined {
  if (text.length > LONGEST_DURATION || !GO_DURATION.test(text)) return undefined;
  const parts = text.matchAll(/([\d.]+)([a-zµμ]+)/g);
  return [...parts].reduce((sum, [, amount, unit]) => sum + Number(amount) * (UNIT[unit ?? ''] ?? 0), 0);
}
