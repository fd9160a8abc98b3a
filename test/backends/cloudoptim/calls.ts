import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import { type Answer, refusal } from './answers.ts';
import { breaches, clusterMetrics, documentedMetrics, events, heartbeat, taskResult } from './contract.ts';
import type { Call, Journal } from './journal.ts';
import { idOf, type TaskStore } from './task-store.ts';

/** What the calls of the reference backend share; the server owns it. */
export interface Desk {
  readonly journal: Journal;
  readonly tasks: TaskStore;
  readonly clusterID: string;
  listShape: 'array' | 'tasks';
  /** True: metrics with inferred members are refused with 422, as a backend that validates strictly would. */
  documentedOnly: boolean;
  /** Batches of more events are refused with 413; default none. */
  maxEvents: number;
}

const root = '/api/v1/client';

/** Which call a request is, and the task id of a result. */
export function recognise(method: string, path: string): { readonly call: Call; readonly taskID?: string } {
  if (path === `${root}/stream`) return { call: 'stream' };
  if (method === 'GET' && path === `${root}/tasks`) return { call: 'tasks' };
  if (method !== 'POST') return { call: 'other' };
  const result = /^\/api\/v1\/client\/tasks\/([^/]+)\/result$/.exec(path);
  if (result?.[1] !== undefined) return { call: 'result', taskID: decodeURIComponent(result[1]) };
  for (const call of ['metrics', 'events', 'heartbeat'] as const) if (path === `${root}/${call}`) return { call };
  return { call: 'other' };
}

/** The cluster_id in the query must be ours, and the key must not be there (optimizer.md 1). */
export function checkTarget(desk: Desk, url: URL, key: string): Answer | undefined {
  if (key.length >= 4 && url.href.includes(key)) desk.journal.violate(`the key stands in the URL of ${url.pathname}`);
  const path = url.pathname;
  if (path !== `${root}/tasks` && path !== `${root}/stream`) return undefined;
  if (url.searchParams.get('cluster_id') === desk.clusterID) return undefined;
  desk.journal.violate(`${path} without cluster_id=${desk.clusterID}`);
  return refusal(404, 'unknown_cluster', 'No such cluster');
}

/** Answers a poll. */
export function handOut(desk: Desk): Answer {
  const items = desk.tasks.hand();
  const handed = items.map(idOf).filter((id) => id !== undefined);
  const at = performance.now();
  desk.journal.polls.push({ at, handed });
  for (const taskID of handed) desk.journal.handed.push({ at, taskID, via: 'poll' });
  return { status: 200, body: desk.listShape === 'array' ? items : { tasks: items } };
}

/** Takes one POST whose body was read; records it when it keeps the contract, answers 422 and notes a violation when not. */
export function take(desk: Desk, call: Call, taskID: string | undefined, request: IncomingMessage, text: string): Answer {
  const type = request.headers['content-type'] ?? '';
  if (!/^application\/json(;|$)/.test(type)) desk.journal.violate(`${call}: content-type is '${type}'`);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    desk.journal.violate(`${call}: the body is not JSON`);
    return refusal(400, 'invalid_json', 'The body is not JSON');
  }
  const at = performance.now();
  const { journal } = desk;
  switch (call) {
    case 'result':
      return accept(desk, call, taskResult, body, (result) => {
        if (result.task_id !== taskID) journal.violate(`result: task_id ${result.task_id} under the path of ${taskID}`);
        journal.results.push({ at, taskID: result.task_id, body: result });
        desk.tasks.finished(result.task_id);
      });
    case 'metrics':
      if (desk.documentedOnly && !documentedMetrics.safeParse(body).success)
        return refusal(422, 'unknown_field', 'Extra fields are not permitted');
      return accept(desk, call, desk.documentedOnly ? documentedMetrics : clusterMetrics, body, (metrics) => {
        own(desk, call, metrics.cluster_id);
        journal.metrics.push({ at, body: metrics });
      });
    case 'events':
      if (Array.isArray(body) && body.length > desk.maxEvents) return refusal(413, 'too_large', `At most ${desk.maxEvents} events`);
      return accept(desk, call, events, body, (batch) => {
        for (const event of batch) own(desk, call, event.cluster_id);
        journal.events.push({ at, body: batch });
      });
    default:
      return accept(desk, call, heartbeat, body, (beat) => {
        own(desk, call, beat.cluster_id);
        journal.heartbeats.push({ at, body: beat });
      });
  }
}

function own(desk: Desk, call: Call, clusterID: string): void {
  if (clusterID !== desk.clusterID) desk.journal.violate(`${call}: cluster_id is '${clusterID}'`);
}

function accept<T>(desk: Desk, call: Call, schema: z.ZodType<T>, body: unknown, record: (value: T) => void): Answer {
  const parsed = schema.safeParse(body);
  if (!parsed.success) {
    const sentence = breaches(parsed.error);
    desk.journal.violate(`${call}: ${sentence}`);
    return refusal(422, 'validation_error', sentence);
  }
  record(parsed.data);
  desk.journal.changed();
  return { status: 200, body: { status: 'accepted' } };
}
