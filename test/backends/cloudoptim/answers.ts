import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** An answer before it is written: status, JSON body and further headers. */
export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The error envelope of optimizer.md 2.1. */
export function refusal(status: number, code: string, message: string): Answer {
  const error = { code, message, details: {}, request_id: randomUUID(), timestamp: new Date().toISOString() };
  return { status, body: { error } };
}

/** Writes an answer; with `cut` only half of the body, then the connection is destroyed. */
export function write(response: ServerResponse, answer: Answer, cut = false): void {
  const text = answer.body === undefined ? '' : typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
  const bytes = Buffer.from(text.length === 0 && cut ? '{"accepted":true}' : text);
  response.writeHead(answer.status, { 'content-type': 'application/json', 'content-length': bytes.length, ...answer.headers });
  if (!cut) {
    response.end(bytes);
    return;
  }
  response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => response.destroy());
}

/** Reads a request body of at most 32 MiB; undefined when it was larger or the client went away. */
export async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > 32 * 1024 * 1024) return undefined;
      chunks.push(chunk);
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks).toString('utf8');
}
