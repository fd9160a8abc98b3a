import { parseJSON } from './json.ts';

/** What an upstream answered: 2xx, or a 4xx whose meaning the protocol decides (400, 404, 409, 413, 422 …). */
export interface Answer {
  readonly status: number;
  /** The parsed body; undefined when it is empty or not JSON. */
  readonly json: unknown;
  /** True when there was a body that is not JSON. */
  readonly notJSON: boolean;
  /** The upstream's own words: code, message and request id of its error envelope (optimizer.md 2.1), or its `detail`. */
  readonly words: string;
}

/** Reads a body: empty and non-JSON texts are told apart. */
export function readAnswer(status: number, text: string, redact: (text: string) => string): Answer {
  try {
    const json = text.trim() === '' ? undefined : parseJSON(text);
    return { status, json, notJSON: false, words: redact(wordsOf(json)) };
  } catch {
    return { status, json: undefined, notJSON: true, words: '' };
  }
}

/** 404 that means "this path is not served" rather than "no such cluster or task" (optimizer.md 1): not JSON, or a bare `Not Found`. */
export function isPathNotServed(answer: Answer): boolean {
  if (answer.status !== 404) return false;
  const members = record(answer.json);
  return answer.json === undefined || (members.detail === 'Not Found' && Object.keys(members).length === 1);
}

function wordsOf(json: unknown): string {
  const { error, detail } = record(json);
  const { code, message, request_id } = record(error);
  const said = [code, message].filter((part) => typeof part === 'string' || typeof part === 'number').join(': ');
  if (said !== '') return typeof request_id === 'string' ? `${said} (request ${request_id})` : said;
  if (typeof error === 'string') return error;
  return detail === undefined ? '' : typeof detail === 'string' ? detail : JSON.stringify(detail);
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
