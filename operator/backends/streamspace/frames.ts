import { isObject, parseJSON } from '../transport/json.ts';

/** A VNC message of the control plane. */
export type VNCMessage =
  | { readonly type: 'vnc_data'; readonly sessionID: string; readonly data: string }
  | { readonly type: 'vnc_close'; readonly sessionID: string; readonly reason: string };

/** A message of the control plane (streamspace.md 2.3). */
export type Message =
  | { readonly type: 'command'; readonly payload: unknown }
  | VNCMessage
  | { readonly type: 'ping' }
  | { readonly type: 'shutdown'; readonly reason: string };

/** What a frame holds: its messages in their order, and a sentence for each document that is none. */
export interface Frame {
  readonly messages: readonly Message[];
  readonly flaws: readonly string[];
}

/** Flaws of one frame that are told one by one: a frame of nonsense must not become a flood. */
const MOST_FLAWS = 10;

/** Reads a frame: one or more JSON documents joined by newlines, of which a bad one does not harm the others (streamspace.md 2.1). */
export function readFrame(text: string): Frame {
  const messages: Message[] = [];
  const flaws: string[] = [];
  let untold = 0;
  for (let start = 0; start <= text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    const document = text.slice(start, end).trim();
    start = end + 1;
    if (document === '') continue;
    const message = readDocument(document);
    if (typeof message !== 'string') messages.push(message);
    else if (flaws.length < MOST_FLAWS) flaws.push(message);
    else untold += 1;
  }
  if (untold > 0) flaws.push(`${untold} more documents of the frame could not be read`);
  return { messages, flaws };
}

function readDocument(document: string): Message | string {
  let body: unknown;
  try {
    body = parseJSON(document);
  } catch {
    return `a document of ${document.length} characters is not JSON`;
  }
  if (!isObject(body)) return 'a document is no object';
  const { type, payload } = body;
  const members = isObject(payload) ? payload : {};
  const sessionID = typeof members.sessionId === 'string' ? members.sessionId : '';
  switch (type) {
    case 'command':
      return { type, payload };
    case 'vnc_data':
      if (sessionID === '' || typeof members.data !== 'string') return 'a vnc_data lacks sessionId or data';
      return { type, sessionID, data: members.data };
    case 'vnc_close':
      if (sessionID === '') return 'a vnc_close lacks sessionId';
      return { type, sessionID, reason: words(members.reason) };
    case 'ping':
      return { type };
    case 'shutdown':
      return { type, reason: words(members.reason) };
    default:
      return `a document is of the unknown type ${words(type) || 'none'}`;
  }
}

function words(value: unknown): string {
  return typeof value === 'string'
    ? value
        .slice(0, 200)
        .replace(/[\p{Cc}\s]+/gu, ' ')
        .trim()
        .toWellFormed()
    : '';
}
