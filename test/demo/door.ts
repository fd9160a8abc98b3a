import { control } from '../backends/cloudoptim/control.ts';
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
  const take = (task: WireTask, by: 'socket' | 'poll') => {
    hand(task, by);
    return { accepted: task.task_id };
  };
  const backend: CloudOptimBackend = await startCloudOptimBackend({
    ...options,
    control: (method, path, body) => control(() => backend, take, method, path, body),
  });
  return { backend, asked, hand };
}
