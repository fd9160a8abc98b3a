import { z } from 'zod';
import type { ActionDefinition, Target } from '../actions/action.ts';
import { OPTIMIZATION_ACTIONS, type OptimizationAction } from '../api/optimization-action.ts';
import type { Tombstone } from '../api/tombstone.ts';
import type { Report, Task } from '../backends/backend.ts';
import type { KubeClient } from '../kube/client.ts';
import type { ClusterView } from '../kube/cluster.ts';
import { ApiError, ApiUnreachable, isStatus } from '../kube/error.ts';
import type { Store } from '../kube/store.ts';
import { Backoff } from '../lib/backoff.ts';
import type { JsonValue } from '../lib/json.ts';
import { abortable } from '../lib/wait.ts';
import { reportOfEnding } from './report-text.ts';
import { objectName, taskObject } from './task-object.ts';

/** What became of a task on arrival. */
export type Intake =
  | { readonly kind: 'created' }
  /** It was here before; `object` is its record. */
  | { readonly kind: 'seen'; readonly object: OptimizationAction }
  /** It was here before and its record is gone; `report` is what became of it. */
  | { readonly kind: 'gone'; readonly report: Report }
  | { readonly kind: 'rejected'; readonly action?: string; readonly reason: string; readonly message: string };

/** Where tasks of one upstream are recorded. */
export interface IntakeOptions {
  readonly client: KubeClient;
  readonly view: ClusterView;
  readonly store: Store<OptimizationAction>;
  /** How the last object of this name ended that is gone. */
  readonly buried: (name: string) => Tombstone | undefined;
  readonly actions: readonly ActionDefinition[];
  readonly namespace: string;
  readonly backend: string;
  readonly clusterID: string;
  /** True: the task becomes a plan. */
  readonly dryRun: boolean;
  /** The names of the actions this upstream may ask for; undefined for all. */
  readonly allowed: readonly string[] | undefined;
  /** Adds to a task what has to be looked up for it. */
  readonly complete: (task: Task, signal: AbortSignal) => Promise<Task>;
  readonly onRetry: (taskID: string, error: unknown) => void;
}

/**
 * Records one task as an OptimizationAction under its deterministic name. The API server decides: a name that exists is a task that was seen,
 * an object it refuses is a rejected task, and while it is away the task waits here (the backend offers it again after a crash).
 */
export async function takeIn(offered: Task, options: IntakeOptions, signal: AbortSignal): Promise<Intake> {
  const name = objectName(options.backend, options.clusterID, offered.id);
  const seen = options.store.get(`${options.namespace}/${name}`);
  if (seen) return recognise(seen, offered, options);
  const buried = options.buried(name);
  const report = buried && isOf(buried.source, offered, options) ? reportOfEnding(buried) : undefined;
  if (report) return { kind: 'gone', report };
  const task = await options.complete(offered, signal);
  if (task.kind === 'invalid') {
    const { action, reason, message } = task;
    return { kind: 'rejected', ...(action ? { action } : {}), reason, message };
  }
  const read = readTask(task, options);
  if ('reason' in read) return { kind: 'rejected', action: task.action, ...read };
  const uid = targetUID(read.target, options.view);
  const body = taskObject(task, options, read.definition, read.params, uid);
  const backoff = new Backoff({ first: 0.2, most: 10 });
  for (;;) {
    try {
      const created = await options.client.create(OPTIMIZATION_ACTIONS, options.namespace, body, signal);
      options.store.put(created as unknown as OptimizationAction);
      return { kind: 'created' };
    } catch (error) {
      signal.throwIfAborted();
      if (isStatus(error, 409)) return recogniseStored(task, options, signal);
      if (error instanceof ApiError && isFinalRefusal(error)) {
        return { kind: 'rejected', action: task.action, reason: 'InvalidParameters', message: error.message };
      }
      options.onRetry(task.id, error);
      const asked = error instanceof ApiError ? (error.retryAfter ?? 0) : 0;
      await abortable(Math.max(backoff.next(), asked), signal);
    }
  }
}

/** What the API server will never accept, however often it is asked: malformed, or refused by CEL or an admission policy. */
function isFinalRefusal(error: ApiError): boolean {
  return error.status === 400 || error.status === 413 || error.status === 422 || (error.status === 403 && / denied /.test(error.message));
}

interface ReadTask {
  readonly definition: ActionDefinition;
  readonly params: JsonValue;
  readonly target: Target;
}

function readTask(task: Extract<Task, { kind: 'action' }>, options: IntakeOptions): ReadTask | { reason: string; message: string } {
  const definition = options.actions.find((each) => each.name === task.action);
  if (!definition) return { reason: 'UnknownTaskType', message: `this operator has no action ${task.action}` };
  if (options.allowed && !options.allowed.includes(task.action)) {
    const message = `${task.action} is not among spec.actions of the OptimizationBackend ${options.backend}: ${options.allowed.join(', ')}`;
    return { reason: 'ActionNotAllowed', message };
  }
  const located = locateNode(task.params, options.view);
  if (typeof located === 'string') return { reason: 'TargetNotFound', message: located };
  const parsed = definition.params.safeParse(located);
  if (!parsed.success) return { reason: 'InvalidParameters', message: z.prettifyError(parsed.error).replaceAll('\n', ' ') };
  return { definition, params: parsed.data as JsonValue, target: definition.target(parsed.data) };
}

/** A backend may name a node by its cloud instance: exactly the last path segment of `spec.providerID` (optimizer.md section 1). */
function locateNode(params: unknown, view: ClusterView): Record<string, unknown> | string {
  if (typeof params !== 'object' || params === null) return 'the parameters are no object';
  const { instanceID, ...rest } = params as Record<string, unknown>;
  if (instanceID === undefined) return rest;
  const node = view.nodes().find((each) => each.providerID !== '' && each.providerID.split('/').at(-1) === instanceID);
  return node ? { ...rest, nodeName: node.name } : `no node has the instance id ${String(instanceID)}`;
}

function targetUID(target: Target, view: ClusterView): string | undefined {
  if (target.kind === 'Node') return view.node(target.name)?.uid;
  if (target.kind === 'Pod') return view.pod(target.namespace ?? '', target.name)?.uid;
  return undefined;
}

async function recogniseStored(task: Task, options: IntakeOptions, signal: AbortSignal): Promise<Intake> {
  const name = objectName(options.backend, options.clusterID, task.id);
  const page = await options.client.list(OPTIMIZATION_ACTIONS, options.namespace, { fieldSelector: `metadata.name=${name}` }, signal);
  const [object] = page.items as unknown as readonly OptimizationAction[];
  // Deleted in between: the next repeat of the task is a new one.
  if (!object) throw new ApiUnreachable(`${name} existed and is gone again`);
  return recognise(object, task, options);
}

/** A name that somebody else took by hand must not answer for the task. */
function recognise(object: OptimizationAction, task: Task, options: IntakeOptions): Intake {
  if (isOf(object.spec?.source, task, options)) return { kind: 'seen', object };
  const message = `the name ${object.metadata.name} belongs to another OptimizationAction; delete it and send the task again`;
  return { kind: 'rejected', reason: 'NameTaken', message };
}

function isOf(source: Tombstone['source'], task: Task, { backend }: IntakeOptions): boolean {
  return source?.taskID === task.id && source.backend === backend;
}
