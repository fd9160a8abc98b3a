import type { JsonObject } from '../lib/json.ts';

/** One event of a watch as the API server sends it. */
export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: JsonObject;
}

/** A line longer than any object the API server can store: the stream is not what it should be. */
const MAX_LINE_LENGTH = 16 * 1024 * 1024;

/** A line of a watch was no JSON, or had no end: the stream is out of step and the list must be taken anew (FIELD.md P5). */
export class MalformedWatch extends Error {
  override readonly name = 'MalformedWatch';
}

/** Splits the bytes of a watch into events; throws MalformedWatch for a line that is no event. */
export async function* watchEvents(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<WatchEvent> {
  const decoder = new TextDecoder();
  let pending: string[] = [];
  let pendingLength = 0;
  for await (const chunk of bytes) {
    const lines = decoder.decode(chunk, { stream: true }).split('\n');
    const rest = lines.pop() ?? '';
    for (const line of lines) {
      const whole = pending.length === 0 ? line : pending.join('') + line;
      pending = [];
      pendingLength = 0;
      if (whole.trim() !== '') yield parse(whole);
    }
    if (rest !== '') {
      pending.push(rest);
      pendingLength += rest.length;
      if (pendingLength > MAX_LINE_LENGTH) throw new MalformedWatch(`a watch line is longer than ${MAX_LINE_LENGTH} characters`);
    }
  }
}

const TYPES: ReadonlySet<unknown> = new Set(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK']);

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null;
}

/** Without it the watch could not be resumed behind the event. */
function hasVersion(object: unknown): boolean {
  const metadata = isObject(object) ? object.metadata : undefined;
  return isObject(metadata) && typeof metadata.resourceVersion === 'string';
}

function parse(line: string): WatchEvent {
  try {
    const event = JSON.parse(line) as WatchEvent;
    if (event.type === 'ERROR' ? isObject(event.object) : TYPES.has(event.type) && hasVersion(event.object)) return event;
  } catch {
    // Reported below, with the start of the line.
  }
  throw new MalformedWatch(`a watch line is no event: ${line.slice(0, 120)}`);
}
