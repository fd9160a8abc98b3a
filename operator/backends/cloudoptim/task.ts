import type { z } from 'zod';
import type { Task } from '../backend.ts';
import { isObject } from '../transport/json.ts';
import { taskTypes } from './parameters.ts';
import { createdAt, type Found, findMembers, wireID, wirePriority, wireTask } from './wire.ts';

/** What became of one item: a task, valid or not, or nothing because it has no usable id; `note` tells what was odd. */
export interface ReadItem {
  readonly task?: Task;
  readonly note?: string;
}

/** Without `deadline`, a task expires so long after `created_at` (optimizer.md 1). */
const defaultLife = 3600_000;

/** Reads one item of a list or frame (optimizer.md 1, Intake; 2.1, Task) for the cluster of this name; never throws. */
export function readItem(item: unknown, clusterID: string): ReadItem {
  if (!isObject(item)) return { note: `an item is ${item === null ? 'null' : Array.isArray(item) ? 'a list' : `a ${typeof item}`}` };
  const found = findMembers(item);
  const id = wireID.safeParse(found.values.task_id);
  if (!id.success) return { note: found.names.task_id === undefined ? 'an item has no task_id' : `${found.names.task_id} is no text` };
  const flaw = idFlaw(id.data);
  // Such an id cannot even stand in the path of a result.
  if (flaw === 'unusable') return { note: 'a task_id cannot stand in a path' };
  if (flaw !== undefined) return { task: invalid(id.data, 'MalformedTask', `${found.names.task_id} ${flaw}`) };
  return readMembers(id.data, found, clusterID);
}

function idFlaw(id: string): string | undefined {
  if (id.trim() === '' || id === '.' || id === '..' || !id.isWellFormed() || id.length > 2048) return 'unusable';
  return id.length > 253 ? 'is longer than 253 characters' : undefined;
}

function readMembers(id: string, found: Found, clusterID: string): ReadItem {
  const parsed = wireTask.safeParse(found.values);
  if (!parsed.success) return { task: invalid(id, 'MalformedTask', firstFlaw(parsed.error, found)) };
  const { cluster_id, task_type, parameters, created_by } = parsed.data;
  if (cluster_id !== undefined && cluster_id !== clusterID) {
    return { task: invalid(id, 'WrongCluster', `The task is for cluster ${quote(cluster_id)}; this operator runs in ${clusterID}`) };
  }
  const map = Object.hasOwn(taskTypes, task_type.toLowerCase()) ? taskTypes[task_type.toLowerCase()] : undefined;
  if (map === undefined) {
    const known = Object.keys(taskTypes).join(', ');
    return { task: invalid(id, 'UnknownTaskType', `Unknown task type: ${quote(task_type)}; this operator runs ${known}`) };
  }
  const mapped = map(parameters);
  if ('problem' in mapped)
    return { task: invalid(id, 'MalformedTask', mapped.problem.replace(/^parameters/, found.names.parameters ?? 'parameters')) };
  const deadline = parsed.data.deadline ?? fallbackDeadline(found);
  if (deadline === null) return { task: invalid(id, 'MalformedTask', 'created_at is not a date and time such as 2025-11-28T10:00:00Z') };
  const priority = wirePriority.safeParse(found.values.priority);
  const task: Task = {
    kind: 'action',
    id,
    ...mapped,
    ...(deadline === undefined ? {} : { deadline }),
    ...(priority.success ? { priority: priority.data } : {}),
    ...(created_by === undefined ? {} : { requestedBy: created_by.slice(0, 253).toWellFormed() }),
  };
  // A priority that cannot be read must not stop the work: the default counts.
  const odd = found.values.priority !== undefined && !priority.success;
  return odd ? { task, note: `priority of task ${quote(id)} is not 1 to 10 and was ignored` } : { task };
}

/** Undefined without `created_at`; null when it is needed and cannot be read. */
function fallbackDeadline(found: Found): Date | undefined | null {
  if (found.values.created_at === undefined) return undefined;
  const created = createdAt.safeParse(found.values.created_at);
  return created.success ? new Date(created.data.getTime() + defaultLife) : null;
}

function firstFlaw(error: z.ZodError, found: Found): string {
  const issue = error.issues[0];
  const member = String(issue?.path[0] ?? 'task') as keyof Found['names'];
  const name = found.names[member];
  return name === undefined ? `${member} is missing` : `${name} ${issue?.message ?? 'is malformed'}`;
}

function invalid(id: string, reason: string, message: string): Task {
  return { kind: 'invalid', id, reason, message };
}

/** Foreign text in a message: at most 100 characters, no control characters. */
function quote(text: string): string {
  return text
    .replace(/\p{Cc}+/gu, ' ')
    .slice(0, 100)
    .toWellFormed();
}
