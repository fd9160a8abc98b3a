import type { CloudOptimBackend } from './server.ts';
import type { WireTask } from './task-store.ts';

/** Takes a task that somebody typed; what it returns is the body of the answer. */
type TakeTask = (task: WireTask, by: 'poll' | 'socket') => unknown;

/** The door for people: `POST /tasks` and `/tasks/push` take a task, `GET /heard` tells what came; undefined for any other path. */
export function control(backend: () => CloudOptimBackend, take: TakeTask, method: string, path: string, body: string) {
  if (method === 'GET' && path === '/heard') {
    const { polls, results, metrics, events, heartbeats, sockets, violations } = backend().heard;
    const latest = { metrics: metrics.at(-1), heartbeats: heartbeats.slice(-3) };
    return { status: 200, body: { polls: polls.length, results, events, sockets, violations, ...latest } };
  }
  if (method !== 'POST' || (path !== '/tasks' && path !== '/tasks/push')) return undefined;
  try {
    const task = JSON.parse(body) as WireTask;
    if (typeof task?.task_id !== 'string' || typeof task.task_type !== 'string') throw new Error('task_id and task_type must be texts');
    return { status: 202, body: take(task, path === '/tasks' ? 'poll' : 'socket') };
  } catch (error) {
    return { status: 400, body: { detail: error instanceof Error ? error.message : String(error) } };
  }
}
