import { type CloudOptimBackend, type CloudOptimBackendOptions, startCloudOptimBackend } from '../backends/cloudoptim/server.ts';
import type { WireTask } from '../backends/cloudoptim/task-store.ts';

/** The reference backend, with a door for people and a memory of what was asked for. */
export interface Central {
  readonly backend: CloudOptimBackend;
  /** Every task by its id, in the order in which they came. */
  readonly asked: ReadonlyMap<string, WireTask>;
  /** Hands out a task: over the open socket at once, or with the next poll. */
  hand(task: WireTask, by: 'socket' | 'poll'): void;
}

/** Starts the reference backend; `POST /tasks` and `/tasks/push` take a task, as its own `main.ts` does, and `GET /heard` tells what came. */
export async function startCentral(options: CloudOptimBackendOptions): Promise<Central> {
  const asked = new Map<string, WireTask>();
  const hand: Central['hand'] = (task, by) => {
    if (by === 'socket') backend.pushTask(task);
    else backend.addTask(task);
    asked.set(task.task_id, task);
  };
  const heard = () => {
    const { results, metrics, heartbeats, violations } = backend.heard;
    return { results, metrics: metrics.at(-1), heartbeats: heartbeats.slice(-3), violations };
  };
  const backend = await startCloudOptimBackend({
    ...options,
    control: (method, path, body) => {
      if (method === 'GET' && path === '/heard') return { status: 200, body: heard() };
      if (method !== 'POST' || (path !== '/tasks' && path !== '/tasks/push')) return undefined;
      try {
        const task = JSON.parse(body) as WireTask;
        if (typeof task?.task_id !== 'string' || typeof task.task_type !== 'string') throw new Error('task_id and task_type must be texts');
        hand(task, path === '/tasks' ? 'poll' : 'socket');
        return { status: 202, body: { accepted: task.task_id } };
      } catch (error) {
        return { status: 400, body: { detail: error instanceof Error ? error.message : String(error) } };
      }
    },
  });
  return { backend, asked, hand };
}
