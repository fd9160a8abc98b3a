import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { JsonObject, JsonValue } from '../lib/json.ts';
import { findCondition } from './condition.ts';
import type { OptimizationAction } from './optimization-action.ts';

/** The phases of an end, and all there are. */
const ends = ['Planned', 'Succeeded', 'Failed', 'Cancelled', 'Expired'] as const;
/** Of a result that is longer as JSON only the numbers, flags and texts are kept, not the lists. */
const MAX_RESULT = 4096;
/** Members that may be edited at any time: they do not make it another request. */
const EDITABLE = new Set(['suspend', 'cancel', 'approval', 'ttlSecondsAfterFinished']);

const members = z.record(z.string(), z.unknown()).transform((each) => each as JsonObject);

const ending = z.object({
  action: z.string(),
  source: z.object({ backend: z.string(), taskID: z.string() }).optional(),
  phase: z.enum(ends),
  reason: z.string(),
  message: z.string(),
  startedAt: z.string().optional(),
  finishedAt: z.string(),
  result: members,
  /** What would have happened; of a plan only. */
  plan: members.optional(),
});

const tombstone = ending.extend({
  /** The object that ended so. */
  uid: z.string(),
  /** What was asked for, see `specDigest`. */
  spec: z.string(),
  /** Whether it was started at all, by this object or by the one before it: what never began may begin under this name. */
  ran: z.boolean(),
});

/** How an action ended, and what a backend is told of it. */
export type Ending = Readonly<z.output<typeof ending>>;

/** What is kept of a finished object when it goes. */
export type Tombstone = Readonly<z.output<typeof tombstone>>;

/** How the object ended; undefined while it has not. */
export function endingOf({ spec, status }: OptimizationAction): Ending | undefined {
  const phase = ends.find((each) => each === status?.phase);
  if (!spec || !phase || status?.finishedAt === undefined) return undefined;
  const ready = findCondition(status.conditions, 'Ready');
  const { source } = spec;
  return {
    action: spec.action,
    ...(source ? { source: { backend: source.backend, taskID: source.taskID } } : {}),
    phase,
    reason: ready?.reason ?? 'Done',
    message: ready?.message ?? '',
    ...(status.startedAt === undefined ? {} : { startedAt: status.startedAt }),
    finishedAt: status.finishedAt,
    result: status.result ?? {},
    ...(phase === 'Planned' ? { plan: (status.plan ?? {}) as JsonObject } : {}),
  };
}

/** What is to be kept of the object; undefined while it has not ended. */
export function tombstoneOf(object: OptimizationAction): Tombstone | undefined {
  const end = endingOf(object);
  if (!end) return undefined;
  return {
    ...end,
    result: bounded(end.result),
    ...(end.plan ? { plan: bounded(end.plan) } : {}),
    uid: object.metadata.uid,
    spec: specDigest(object),
    ran: end.startedAt !== undefined || end.reason === 'AlreadyExecuted',
  };
}

/** Reads what was kept; undefined for what is no tombstone. */
export function readTombstone(text: string): Tombstone | undefined {
  try {
    return tombstone.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** The same for two objects that ask for the same: of the spec all that is immutable, in any order. */
export function specDigest({ spec = {} }: { readonly spec?: object | undefined }): string {
  const lasting = Object.entries(spec).filter(([member]) => !EDITABLE.has(member));
  return createHash('sha256')
    .update(JSON.stringify(sorted(Object.fromEntries(lasting))))
    .digest('hex')
    .slice(0, 32);
}

function sorted(value: JsonValue | undefined): JsonValue | undefined {
  if (Array.isArray(value)) return value.map((each: JsonValue) => sorted(each) ?? null);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, sorted(member)]),
  );
}

function bounded(members: JsonObject): JsonObject {
  if (JSON.stringify(members).length <= MAX_RESULT) return members;
  const short = Object.entries(members).filter(([, value]) => typeof value !== 'object' && String(value).length <= 256);
  return { ...Object.fromEntries(short.slice(0, 50)), truncated: true };
}
