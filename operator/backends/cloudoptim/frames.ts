import { isObject, parseJSON } from '../transport/json.ts';
import { findItems } from './wire.ts';

/** What a frame of the stream asks for. */
export type Frame =
  | { readonly kind: 'items'; readonly items: readonly unknown[] }
  | { readonly kind: 'ping' }
  /** A type that this protocol does not know: ignored. */
  | { readonly kind: 'ignored' }
  | { readonly kind: 'malformed'; readonly message: string };

const taskFrames = ['task', 'command', 'action_command'];

/** Reads a frame (optimizer.md 2.1, Stream): a task, a list in either shape, or an envelope with `type` and `task` or the item inline. */
export function readFrame(text: string): Frame {
  let body: unknown;
  try {
    body = parseJSON(text);
  } catch {
    return { kind: 'malformed', message: `a frame of ${text.length} characters is not JSON` };
  }
  const items = findItems(body);
  if (items !== undefined) return { kind: 'items', items };
  if (!isObject(body)) return { kind: 'malformed', message: 'a frame is neither an object nor a list' };
  const { type, ...inline } = body;
  if (type === 'ping') return { kind: 'ping' };
  const framed = typeof type === 'string' && taskFrames.includes(type.toLowerCase());
  if (framed) return { kind: 'items', items: [isObject(body.task) ? body.task : isObject(body.action) ? body.action : inline] };
  // In frames `type` is the frame's own: an unknown one is ignored unless the frame names its task's type besides.
  if (type === undefined || 'task_type' in inline || 'action_type' in inline) return { kind: 'items', items: [inline] };
  return { kind: 'ignored' };
}
