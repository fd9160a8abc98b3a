import { createHash } from 'node:crypto';
import type { ActionDefinition } from '../actions/action.ts';
import { API_VERSION } from '../api/group.ts';
import type { Task } from '../backends/backend.ts';
import type { JsonObject, JsonValue } from '../lib/json.ts';

/** The finalizer that keeps an object until its step has ended and its result was taken. */
export const FINALIZER = 'cloudoptim.io/operator';

/** The label that names the backend of a mirrored object. */
const BACKEND_LABEL = 'cloudoptim.io/backend';

/** Hex digits of the digest in a name: 64 bits. */
const DIGEST_DIGITS = 16;

/** The name under which a task can exist only once, however often and by whatever channel it arrives. */
export function objectName(backend: string, clusterID: string, taskID: string): string {
  const digest = createHash('sha256').update(`${clusterID}\n${taskID}`).digest('hex');
  return `${backend}-${digest.slice(0, DIGEST_DIGITS)}`;
}

/** The OptimizationAction that records the task; `targetUID` pins it to the target seen when the task arrived. */
export function taskObject(
  task: Extract<Task, { kind: 'action' }>,
  where: { readonly namespace: string; readonly backend: string; readonly clusterID: string; readonly dryRun: boolean },
  definition: ActionDefinition,
  params: JsonValue,
  targetUID: string | undefined,
): JsonObject {
  const { namespace, backend, clusterID, dryRun } = where;
  return {
    apiVersion: API_VERSION,
    kind: 'OptimizationAction',
    metadata: {
      namespace,
      name: objectName(backend, clusterID, task.id),
      labels: { [BACKEND_LABEL]: backend },
      finalizers: [FINALIZER],
    },
    spec: {
      action: definition.name,
      [definition.member]: params,
      ...(dryRun ? { mode: 'Plan' } : {}),
      priority: task.priority,
      deadline: task.deadline?.toISOString(),
      targetUID,
      source: { backend, taskID: task.id, requestedBy: task.requestedBy?.slice(0, 256), sessionID: task.sessionID },
    },
  };
}
