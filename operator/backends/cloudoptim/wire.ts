import { z } from 'zod';
import { parseTime } from '../time.ts';
import { isObject } from '../transport/json.ts';

/** The accepted spellings of a task's members, best first (optimizer.md 1, Intake). */
const spellings = {
  task_id: ['task_id', 'action_id', 'id'],
  task_type: ['task_type', 'action_type', 'type'],
  parameters: ['parameters', 'payload'],
  deadline: ['deadline', 'expires_at'],
  cluster_id: ['cluster_id'],
  created_at: ['created_at'],
  created_by: ['created_by'],
  priority: ['priority'],
} as const;

type Member = keyof typeof spellings;

const time = z.string('must be a text such as 2025-11-28T10:00:00Z').transform((text, context) => {
  const at = parseTime(text);
  if (at !== undefined) return at;
  context.addIssue('is not a date and time such as 2025-11-28T10:00:00Z');
  return z.NEVER;
});

const identifier = z.union([z.string(), z.number().transform(String)], 'must be a text or a number');

/** A task (optimizer.md 2.1) after its members were found; unknown ones are gone. */
export const wireTask = z.object({
  cluster_id: identifier.optional(),
  task_type: z.string('must be a text').trim().min(1, 'must not be empty'),
  parameters: z.record(z.string(), z.unknown(), 'must be an object').default({}),
  deadline: time.optional(),
  created_by: z.string().optional().catch(undefined),
});

/** When a task without deadline was made. */
export const createdAt = time;

/** 1 (first) to 10; numeric text is taken too. */
export const wirePriority = z.union([z.number(), z.string().regex(/^\d+$/).transform(Number)]).pipe(z.int().min(1).max(10));

/** A task id as text; numbers become text. */
export const wireID = identifier;

/** The members of an item under their first spelling, and how each was spelled; null counts as absent. */
export interface Found {
  readonly values: Readonly<Partial<Record<Member, unknown>>>;
  readonly names: Readonly<Partial<Record<Member, string>>>;
}

/** Finds a task's members in whatever spelling they have. */
export function findMembers(item: Readonly<Record<string, unknown>>): Found {
  const values: Partial<Record<Member, unknown>> = {};
  const names: Partial<Record<Member, string>> = {};
  for (const [member, candidates] of Object.entries(spellings) as [Member, readonly string[]][]) {
    const name = candidates.find((candidate) => Object.hasOwn(item, candidate) && (item[candidate] ?? undefined) !== undefined);
    if (name === undefined) continue;
    values[member] = item[name];
    names[member] = name;
  }
  return { values, names };
}

/** The items of a list in either documented shape: a bare array, or member `tasks`, `actions` or `commands`; undefined when it is none. */
export function findItems(body: unknown): readonly unknown[] | undefined {
  if (Array.isArray(body)) return body;
  if (!isObject(body)) return undefined;
  for (const name of ['tasks', 'actions', 'commands']) {
    const list = body[name];
    if (Array.isArray(list)) return list;
  }
  return undefined;
}
