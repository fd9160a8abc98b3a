import type { OptimizationAction, OptimizationActionStatus } from '../api/optimization-action.ts';
import { keyOf } from '../kube/controller.ts';
import type { EventNote } from '../kube/events.ts';
import type { Node } from '../kube/node.ts';
import type { KubeObject } from '../kube/object.ts';
import type { JsonObject } from '../lib/json.ts';

/** The Event that a written status is worth on the node it is about: who cordoned, uncordoned or drained it, and why (FIELD.md A34, A2). */
export function nodeNoteOf(
  object: OptimizationAction,
  before: OptimizationActionStatus | undefined,
  after: OptimizationActionStatus,
): EventNote | undefined {
  const { action, cordon } = (object.spec ?? {}) as { readonly action?: string; readonly cordon?: { readonly reason?: string } };
  const by = keyOf(object);
  const ended = before?.finishedAt === undefined && after.finishedAt !== undefined;
  const changed = ended && after.result?.changed === true;
  if (action === 'Cordon' && changed) return note('Normal', 'Cordoned', `cordoned by ${by}${cordon?.reason ? `: ${cordon.reason}` : ''}`);
  if (action === 'Uncordon' && changed) return note('Normal', 'Uncordoned', `uncordoned by ${by}`);
  return action === 'Drain' ? drainNote(by, before, after, ended) : undefined;
}

/** The node as the object of an Event. */
export function nodeObject({ name, uid }: Pick<Node, 'name' | 'uid'>): KubeObject<unknown, unknown> {
  return { apiVersion: 'v1', kind: 'Node', metadata: { name, uid, resourceVersion: '' } };
}

function drainNote(
  by: string,
  before: OptimizationActionStatus | undefined,
  after: OptimizationActionStatus,
  ended: boolean,
): EventNote | undefined {
  const message = after.conditions?.find(({ type }) => type === 'Ready')?.message ?? '';
  if (ended && after.phase === 'Succeeded') return note('Normal', 'Drained', `${by}: ${message}`);
  if (ended && after.startedAt !== undefined) return note('Warning', 'DrainEnded', `${by} ended as ${after.phase}: ${message}`);
  const cordoned = wasCordoned(after) && !wasCordoned(before);
  return cordoned ? note('Normal', 'Cordoned', `cordoned by ${by}, to drain it`) : undefined;
}

function wasCordoned(status: OptimizationActionStatus | undefined): boolean {
  return (status?.result?.cordon as JsonObject | undefined)?.changed === true;
}

function note(type: EventNote['type'], reason: string, message: string): EventNote {
  return { type, reason, message };
}
